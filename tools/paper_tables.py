"""Writes docs/results.md: Tables 2 to 6 of the paper beside what was measured here.

    python tools/paper_tables.py             write docs/results.md from docs/results
    python tools/paper_tables.py --check     exit with an error where it is out of date
    python tools/paper_tables.py --results runs/evaluation docs/results --out my-results.md

A row is filled by a result of `recipes/evaluate.py` or `keras-resnet evaluate` for its networks, as
the paper draws them, its protocol and scales on all images of the set (ImageNet's 50,000 for
validation), with weights that the paper measured or that `recipes/imagenet.py` trained as the paper
did; in Table 6, by a run of `recipes/cifar10.py` as the paper trained, on CIFAR-10 itself. The
other results follow the tables, with what differs. No number is typed by hand.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import marked
from paper_rows import as_evaluation, differences
from published import TABLES, Row, Table, command

DOCS = Path(__file__).parents[1] / "docs"
NOT_MEASURED = "not measured"
HEADER = """<!-- Written by tools/paper_tables.py from results in JSON; do not edit it by hand. -->

# Results

Tables 2 to 6 as the paper prints them ([arXiv:1512.03385](https://arxiv.org/abs/1512.03385)),
beside what this package measured. Errors are in percent; "difference" is ours minus the paper's.
In a command, a name such as `resnet50.msra` means public weights, and `runs/NETWORK/model.keras` a
network that you have trained; `--image tv` says how its images are resized, cropped and, if the
network does not do that itself, normalized. No difference is given where the paper's number is of
other images (†, the test set, whose labels are not public), of other views or of more networks than
the command measures. The protocols are described in [Evaluation](evaluation.md).
"""


def read_results(folders: Iterable[Path]) -> dict[Path, dict]:
    """Results of evaluations by path, in the order of their names; other JSON is skipped."""
    found = {}
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*.json")):
        record = json.loads(path.read_text())
        if not isinstance(record, dict):
            continue
        if str(record.get("format")).startswith("keras_resnet.evaluation/"):
            found[path] = record
        elif "networks" in record and "settings" in record and (run := as_evaluation(record)):
            found[path] = run
    return found


def pair(values) -> str:
    """21.43 / 5.71, or the one there is."""
    return " / ".join(value or "-" for value in values if value or values[1])


def cells(row: Row, results: dict) -> tuple[tuple[str, ...], Path | None]:
    """The cells of a row, and the path of the result that filled it."""
    matching = [path for path, record in results.items() if differences(record, row) == []]
    ours, difference, used = NOT_MEASURED, "", None
    if matching:
        used = max(matching, key=lambda path: results[path]["date"])
        errors = [(results[used][name] or {}).get("error") for name in ("top1", "top5")]
        both = [
            () if None in (error, paper) else (error, paper)
            for error, paper in zip(errors, row.paper, strict=True)
        ]
        ours = pair([f"{found[0]:.2f}" if found else "" for found in both])
        if not row.note:
            difference = pair([f"{found[0] - found[1]:+.2f}" if found else "" for found in both])
    how = f"`{command(row)}`" if row.models else "not built here"
    return (row.method, pair((row.top1, row.top5)), ours, difference, row.measured, how), used


def section(table: Table, results: dict) -> tuple[str, list[Path | None]]:
    """A table of the paper in Markdown, and the results that filled its rows."""
    rows, used = zip(*(cells(row, results) for row in table.rows), strict=True)
    title = f"## Table {table.number}: {table.title}\n\nOn the {table.measured_on}.\n\n"
    head = "method | paper | ours | difference | protocol | command"
    return title + marked.table(head, rows), used


def other_measurements(results: list[dict]) -> str:
    """Results that fill no row of the paper: other weights, other images, ensembles."""
    rows = []
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
        rows.append((names, protocol, images, top1, top5, backend, nearest(record)))
    head = (
        "networks | protocol | images | top-1 error (95 % interval) | top-5 error | backend | "
        "fills no row of the tables: differs from"
    )
    title = "## Other measurements\n\nOther weights, other images, or several networks together."
    return f"{title}\n\n{marked.table(head, rows)}"


def nearest(record: dict) -> str:
    """The row of the same networks that a result differs from least, and how."""
    found = [
        (texts, f"{row.method} (Table {table.number})")
        for table in TABLES
        for row in table.rows
        if (texts := differences(record, row)) is not None
    ]
    if not found:
        return "no row is of these networks"
    texts, row = min(found, key=lambda pair: len(pair[0]))
    return f"{row}: {'; '.join(texts) or 'measured again later'}"


def page(results: dict[Path, dict]) -> str:
    """The page as Markdown."""
    sections, used = zip(*(section(table, results) for table in TABLES), strict=True)
    rest = [results[path] for path in results if all(path not in paths for paths in used)]
    parts = [HEADER.strip(), *sections, *([other_measurements(rest)] if rest else [])]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> None:
    parser = marked.parser(__doc__)
    what = "folders with results of recipes/evaluate.py, keras-resnet evaluate, recipes/cifar10.py"
    parser.add_argument("--results", nargs="+", type=Path, default=[DOCS / "results"], help=what)
    parser.add_argument("--out", type=Path, default=DOCS / "results.md", help="page to write")
    options = parser.parse_args(arguments)
    for folder in options.results:
        if not folder.is_dir():
            parser.error(f"`results` must be folders. Received: {folder}")
    results = read_results(options.results)
    marked.update({options.out: lambda _: page(results)}, options.check)
    print(f"{options.out}: from {len(results)} results")


if __name__ == "__main__":
    main()
