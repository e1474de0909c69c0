"""Writes Tables 2 to 6 of the paper beside what was measured here, from results in JSON.

    python recipes/tables.py                                      # docs/results.md
    python recipes/tables.py --results runs/evaluation docs/results --out my-results.md

A row is filled by a result of `recipes/evaluate.py` for its network, shortcut and protocol on the
whole set the table is about, 50,000 ImageNet images, with weights that were trained here or are
those the paper measured; or, in Table 6, by a run of `recipes/cifar10.py` as the paper trained, on
CIFAR-10 itself. Nothing is typed in by hand.
"""

import dataclasses
import json
from pathlib import Path

from common import option, start, whole

from keras_resnet.evaluation.metrics import error
from keras_resnet.evaluation.published import (
    CIFAR_TEST,
    IMAGENET_VALIDATION,
    TABLES,
    command,
)

RESULTS = str(Path(__file__).parents[1] / "docs" / "results")
PAGE = str(Path(__file__).parents[1] / "docs" / "results.md")
NOT_MEASURED = "not measured"
ERRORS = ("top1_error", "top5_error")
HEADER = """<!-- Written by recipes/tables.py from results in JSON; edit neither by hand. -->

# Results

Tables 2 to 6 as the paper prints them ([arXiv:1512.03385](https://arxiv.org/abs/1512.03385)),
beside what this package measured. Errors are in per cent; "difference" is ours less the paper's.
A `.keras` file in a command is a network that you have trained; `--image tv` says how its images
are resized, cropped and, if the network does not do that itself, normalised. What the protocols
are: [Evaluation](evaluation.md).
"""


@dataclasses.dataclass(frozen=True)
class Recipe:
    results: tuple[str, ...] = option((RESULTS,), "folders with JSON of recipes/evaluate.py")
    out: str = option(PAGE, "Markdown file to write")

    def __post_init__(self):
        for folder in self.results:
            if not Path(folder).is_dir():
                raise ValueError(f"`results` must be folders. Received: {folder}")


def read_results(folders):
    """Results of evaluations by path, in the order of their names; other JSON is passed over."""
    found = {}
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*.json")):
        record = json.loads(path.read_text())
        if not isinstance(record, dict):
            continue
        if str(record.get("format")).startswith("keras_resnet.evaluation/"):
            found[path] = record
        elif "networks" in record and "settings" in record and (run := of_a_run(record)):
            found[path] = run
    return found


def of_a_run(record):
    """What a run of recipes/cifar10.py measured at its end, as if it were an evaluation.

    It counts as the paper's training where nothing of Sec. 4.2 was changed.
    """
    recipe, settings, network = record["recipe"], record["settings"], record["network"]
    final = record["networks"][network].get("final", {})
    if not network.startswith("cifar_") or recipe.get("smoke") or not final.get("images"):
        return None
    paper = {"steps": 64_000, "batch_size": 128, "learning_rate": 0.1, "weight_decay": 1e-4}
    changed = [name for name, value in paper.items() if settings.get(name) != value]
    as_in_paper = recipe["recipe"] == "paper" and not (
        changed or recipe["data"] or recipe["validation"] or recipe.get("ema")
    )
    images = final["images"]
    top1, top5 = (error(round(final[name] * images / 100), images) for name in ERRORS)
    graph = {"shortcut": "A"} if "resnet" in network else {}
    return {
        "top1": top1,
        "top5": top5,
        "configuration": {
            "protocol": {"name": "1-crop"},
            "models": [{"model": network, "weights": None, "graph": graph}],
            "data": {"kind": "arrays" if as_in_paper else "other", "images": images},
            "backend": record["versions"]["backend"],
        },
        "comment": f"trained with recipe {recipe['recipe']}, {settings['steps']:,} steps"
        + (", on images from files" if recipe["data"] else ""),
        "date": record.get("date", ""),
    }


def fills(record, row) -> bool:
    """Whether a result is what a row of the paper is about."""
    configuration = record["configuration"]
    models, data = configuration["models"], configuration["data"]
    own = models[0]["weights"] in (None, f"{row.network}.{row.weights}")
    shortcut = models[0]["graph"].get("shortcut", "")
    if row.network.startswith("cifar_"):
        whole_set = data["kind"] == "arrays" and data["images"] == CIFAR_TEST
    else:
        whole_set = data["images"] == IMAGENET_VALIDATION and data.get("classes") == 1000
    return (
        len(models) == 1
        and bool(row.protocol)
        and models[0]["model"] == row.network
        and configuration["protocol"]["name"] == row.protocol
        and shortcut == row.shortcut
        and own
        and whole_set
    )


def pair(values) -> str:
    """21.43 / 5.71, or the one there is."""
    return " / ".join(value or "-" for value in values if value or values[1])


def line(row, results):
    """One row of a Markdown table, and the result that filled it."""
    matching = [path for path, record in results.items() if fills(record, row)]
    ours, differences, used = NOT_MEASURED, "", None
    if matching:
        used = max(matching, key=lambda path: results[path]["date"])
        measured = [results[used][name] for name in ("top1", "top5")]
        shown = [
            (found["error"], paper)
            for found, paper in zip(measured, row.paper, strict=True)
            if paper is not None and found
        ]
        ours = " / ".join(f"{error:.2f}" for error, _ in shown)
        differences = " / ".join(f"{error - paper:+.2f}" for error, paper in shown)
    how = f"`{command(row)}`" if command(row) else "not built here"
    if row.note or (row.network and not row.protocol):
        how = "no protocol of this package"
    protocol = row.protocol or row.note
    cells = (row.method, pair((row.top1, row.top5)), ours, differences, protocol, how)
    return f"| {' | '.join(cells)} |", used


def section(table, results):
    lines, used = [], []
    for row in table.rows:
        text, path = line(row, results)
        lines.append(text)
        used.append(path)
    head = "| method | paper | ours | difference | protocol | command |"
    title = f"## Table {table.number}: {table.title}\n\nOn the {table.measured_on}.\n"
    return "\n".join([title, head, "|---|---|---|---|---|---|", *lines]), used


def others(results) -> str:
    """Results that are no row of the paper: other weights, other images, ensembles."""
    head = (
        "## Other measurements\n\nOther weights, other images, or several networks together.\n\n"
        "| networks | protocol | images | top-1 error (95 % interval) | top-5 error | backend |\n"
        "|---|---|---|---|---|---|"
    )
    lines = [head]
    for record in results:
        configuration = record["configuration"]
        names = " + ".join(model["weights"] or model["model"] for model in configuration["models"])
        low, high = record["top1"]["interval_95"]
        top5 = f"{record['top5']['error']:.2f}" if record["top5"] else ""
        images = f"{record['top1']['images']:,}"
        if record["comment"]:
            images += f", {record['comment']}".replace("|", "\\|")
        top1 = f"{record['top1']['error']:.2f} ({low:.2f} to {high:.2f})"
        protocol, backend = configuration["protocol"]["name"], configuration["backend"]
        lines.append(f"| {' | '.join((names, protocol, images, top1, top5, backend))} |")
    return "\n".join(lines)


def page(results) -> str:
    sections, used = zip(*(section(table, results) for table in TABLES), strict=True)
    rest = [results[path] for path in results if all(path not in paths for paths in used)]
    return "\n\n".join([HEADER.strip(), *sections, *([others(rest)] if rest else [])]) + "\n"


def main(recipe):
    results = read_results(recipe.results)
    with whole(Path(recipe.out)) as path:
        path.write_text(page(results), encoding="utf-8")
    print(f"{recipe.out}: from {len(results)} results")


if __name__ == "__main__":
    start(Recipe, __doc__, main)
