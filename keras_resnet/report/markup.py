"""The HTML of a report."""

import base64
import html
import io
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import numpy as np

from keras_resnet import figures
from keras_resnet.common.arguments import checked
from keras_resnet.report.matrix import MOST_NUMBERS, matrix_figure
from keras_resnet.report.runs import Run, panel, shown

MOST_ROWS = 15  # of a table of classes or pairs


@checked()
def page(run: Run) -> str:
    """The whole page as HTML: nothing in it points outside.

    Args:
        run: what `read_run` found.
    """
    style = resources.files("keras_resnet.report").joinpath("style.css").read_text("utf-8")
    body = [
        f"<h1>{escaped(run.name)}</h1>",
        results_of_training(run),
        curves(run),
        *(evaluation(title, record) for title, record in run.evaluations.items()),
        configuration(run),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escaped(run.name)}: report</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{chr(10).join(filter(None, body))}\n</main>\n</body>\n</html>\n"
    )


def escaped(value: Any) -> str:
    return html.escape(str(value))


def table(titles: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Cells are text, numbers to the right."""
    rows = [list(row) for row in rows]
    numbers = [is_number(value) for value in rows[0]] if rows else []
    head = "".join(
        f'<th scope="col"{" class=number" if number else ""}>{escaped(title)}</th>'
        for title, number in zip(titles, numbers, strict=True)
    )
    body = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def cell(value: Any) -> str:
    return f"<td{' class=number' if is_number(value) else ''}>{escaped(value)}</td>"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) or str(value)[:1].isdigit()


def picture(figure, description: str) -> str:
    """A figure as an image of its own, so that ids of two drawings cannot clash."""
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    source = base64.b64encode(file.getvalue()).decode()
    text = escaped(description)
    return (
        f'<figure class="wide"><img src="data:image/svg+xml;base64,{source}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
    )


def narrow(figure):
    """The figure as wide as a page of 400 pixels, whose text is then as large as drawn."""
    figure.set_size_inches(3.9, 4.2)
    return figure


def results_of_training(run: Run) -> str:
    """A table of the networks that the run trained, as they were after the last epoch."""
    if not run.networks:
        return ""
    rows = [
        (
            name,
            f"{result['parameters']:,}" if "parameters" in result else "",
            *(last(result, key) for key in ("training_loss", "training_error", "test_error")),
        )
        for name, result in run.networks.items()
    ]
    titles = ("network", "parameters", "training loss", "training error (%)", "test error (%)")
    return f"<h2>Networks</h2>\n{table(titles, rows)}"


def last(result: Mapping[str, Any], key: str) -> str:
    values = result.get("history", {}).get(key)
    return f"{values[-1]:.{3 if key.endswith('loss') else 2}f}" if values else ""


def curves(run: Run) -> str:
    """Training and test error; plain networks beside residual ones."""
    panels: dict[str, dict[str, Any]] = {}
    for name, result in run.record.get("networks", {}).items():
        history = result.get("history", {})
        if history.get("training_error") and history.get("test_error"):
            panels.setdefault(panel(name), {})[shown(name)] = history
    if not panels:
        return ""
    drawn = [
        picture(
            narrow(figures.training_curves({title: networks})), f"Training and test error: {title}"
        )
        for title, networks in panels.items()
    ]
    return f'<h2>Curves</h2>\n<div class="pair">{"".join(drawn)}</div>'


def evaluation(title: str, record: Mapping[str, Any]) -> str:
    """Errors, confusion and mistakes of one evaluation."""
    settings = record["configuration"]
    names = " + ".join(shown(model["model"]) for model in settings["models"])
    protocol = settings["protocol"]["name"]
    lines = [
        f"<h2>{escaped(names)}, {escaped(protocol)}</h2>",
        f'<p class="note">{escaped(title)}.json, {record["top1"]["images"]:,} images'
        f"{escaped(', ' + record['comment']) if record.get('comment') else ''}</p>",
        errors(record),
    ]
    matrix = ""
    if record["confusion"]:
        drawn = matrix_figure(np.array(record["confusion"]), record["class_names"])
        matrix = picture(
            drawn,
            f"How often {names} takes each true class (rows) for each other (columns); "
            "brighter is a larger share of the true class",
        )
    beside = matrix and len(record["class_names"]) <= MOST_NUMBERS / 2
    lines.append(
        f'<div class="three">{matrix}{classes(record)}{pairs(record)}</div>'
        if beside
        else f'{matrix}<div class="pair">{classes(record)}{pairs(record)}</div>'
    )
    if record["mistakes"]:
        lines.append(mistakes(record["mistakes"]))
    return "\n".join(lines)


def errors(record: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            f"{found['error']:.2f}",
            f"{found['interval_95'][0]:.2f} to {found['interval_95'][1]:.2f}",
            f"{found['wrong']:,} of {found['images']:,}",
        )
        for name, found in (("top-1", record["top1"]), ("top-5", record["top5"]))
        if found
    ]
    return table(("error", "%", "95 % interval", "mistaken"), rows)


def classes(record: Mapping[str, Any]) -> str:
    rows = [
        (row["class"], f"{row['error']:.1f}", f"{row['wrong']:,} of {row['images']:,}")
        for row in record["per_class"][:MOST_ROWS]
    ]
    return (
        f"<div><h3>Classes, worst first</h3>{table(('class', 'error (%)', 'mistaken'), rows)}</div>"
    )


def pairs(record: Mapping[str, Any]) -> str:
    found = record["confusion_pairs"][:MOST_ROWS]
    rows = [(row["true"], row["predicted"], row["images"]) for row in found]
    if not rows:
        return "<div><h3>Confused</h3><p>Nothing: there is no mistake.</p></div>"
    return f"<div><h3>Confused</h3>{table(('true', 'taken for', 'images'), rows)}</div>"


def mistakes(found: Iterable[Mapping[str, Any]]) -> str:
    """The most confident mistakes, with pictures."""
    items = []
    for row in found:
        image = ""
        if str(row["thumbnail"]).startswith("data:image/png;base64,"):
            image = f'<img src="{escaped(row["thumbnail"])}" alt="{escaped(row["image"])}">'
        items.append(
            f"<li>{image}<p><b>{escaped(row['predicted'])}</b> {row['confidence']:.1%}<br>"
            f"true: {escaped(row['true'])} {row['true_probability']:.1%}<br>"
            f'<span class="note">{escaped(row["image"])}</span></p></li>'
        )
    return f'<h3>Most confident mistakes</h3>\n<ul class="mistakes">{"".join(items)}</ul>'


def configuration(run: Run) -> str:
    """The settings of the run and its evaluations, and what they ran on."""
    parts = [
        details(title, run.record[name])
        for name, title in (
            ("recipe", "Recipe"),
            ("settings", "Settings"),
            ("versions", "Versions"),
        )
        if run.record.get(name)
    ]
    for title, record in run.evaluations.items():
        parts.append(details(title, record["configuration"] | {"versions": record["versions"]}))
    return f"<h2>Configuration</h2>\n{''.join(parts)}"


def details(title: str, values: Any) -> str:
    text = escaped(json.dumps(values, indent=2))
    return f"<details><summary>{escaped(title)}</summary><pre>{text}</pre></details>"
