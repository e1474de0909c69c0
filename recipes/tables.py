"""Writes Tables 2 to 6 of the paper beside what was measured here, from results in JSON.

    python recipes/tables.py                                      # docs/results.md
    python recipes/tables.py --results runs/evaluation docs/results --out my-results.md

A row is filled by a result of `recipes/evaluate.py` for its networks, as the paper draws them, its
protocol and scales on the whole set, ImageNet's 50,000 images for validation, with weights that
the paper measured or that `recipes/imagenet.py` trained as the paper did; or, in Table 6, by a run
of `recipes/cifar10.py` as the paper trained, on CIFAR-10 itself. Other results stand below the
tables with what differs. Nothing is typed in by hand.
"""

import dataclasses
import json
from pathlib import Path

from common import atomic_write, option, start
from rows import of_a_run, unlike

from keras_resnet.evaluation.published import TABLES, command

RESULTS = str(Path(__file__).parents[1] / "docs" / "results")
PAGE = str(Path(__file__).parents[1] / "docs" / "results.md")
NOT_MEASURED = "not measured"
HEADER = """<!-- Written by recipes/tables.py from results in JSON; edit neither by hand. -->

# Results

Tables 2 to 6 as the paper prints them ([arXiv:1512.03385](https://arxiv.org/abs/1512.03385)),
beside what this package measured. Errors are in per cent; "difference" is ours less the paper's.
Names such as `resnet50.msra` in a command are public weights, `runs/NETWORK/model.keras` is a
network that you have trained; `--image tv` says how its images are resized, cropped and, if the
network does not do that itself, normalised. Where the paper's number is of other images (†, the
test set, whose labels are not public), of other views or of more networks than the command
measures, there is no difference. What the protocols are: [Evaluation](evaluation.md).
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


def pair(values) -> str:
    """21.43 / 5.71, or the one there is."""
    return " / ".join(value or "-" for value in values if value or values[1])


def line(row, results):
    """One row of a Markdown table, and the result that filled it."""
    matching = [path for path, record in results.items() if unlike(record, row) == []]
    ours, differences, used = NOT_MEASURED, "", None
    if matching:
        used = max(matching, key=lambda path: results[path]["date"])
        errors = [(results[used][name] or {}).get("error") for name in ("top1", "top5")]
        both = [
            () if None in (error, paper) else (error, paper)
            for error, paper in zip(errors, row.paper, strict=True)
        ]
        ours = pair([f"{found[0]:.2f}" if found else "" for found in both])
        if not row.note:
            differences = pair([f"{found[0] - found[1]:+.2f}" if found else "" for found in both])
    how = f"`{command(row)}`" if row.models else "not built here"
    cells = (row.method, pair((row.top1, row.top5)), ours, differences, row.measured, how)
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
        "| networks | protocol | images | top-1 error (95 % interval) | top-5 error | backend "
        "| fills no row of the tables: differs from |\n"
        "|---|---|---|---|---|---|---|"
    )
    lines = [head]
    for record in sorted(results, key=lambda record: len(record["configuration"]["models"])):
        configuration = record["configuration"]
        names = " + ".join(model["weights"] or model["model"] for model in configuration["models"])
        low, high = record["top1"]["interval_95"]
        top5 = f"{record['top5']['error']:.2f}" if record["top5"] else ""
        images = f"{record['top1']['images']:,}"
        if record["comment"]:
            images += f", {record['comment']}".replace("|", "\\|")
        top1 = f"{record['top1']['error']:.2f} ({low:.2f} to {high:.2f})"
        protocol, backend = configuration["protocol"]["name"], configuration["backend"]
        cells = (names, protocol, images, top1, top5, backend, nearest(record))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def nearest(record) -> str:
    """The row of the same networks that a result is least unlike, and in what they differ."""
    found = [
        (differences, f"{row.method} (Table {table.number})")
        for table in TABLES
        for row in table.rows
        if (differences := unlike(record, row)) is not None
    ]
    if not found:
        return "no row is of these networks"
    differences, row = min(found, key=lambda pair: len(pair[0]))
    return f"{row}: {'; '.join(differences) or 'measured again later'}"


def page(results) -> str:
    sections, used = zip(*(section(table, results) for table in TABLES), strict=True)
    rest = [results[path] for path in results if all(path not in paths for paths in used)]
    return "\n\n".join([HEADER.strip(), *sections, *([others(rest)] if rest else [])]) + "\n"


def main(recipe):
    results = read_results(recipe.results)
    with atomic_write(Path(recipe.out)) as path:
        path.write_text(page(results), encoding="utf-8")
    print(f"{recipe.out}: from {len(results)} results")


if __name__ == "__main__":
    start(Recipe, __doc__, main)
