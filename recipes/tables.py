"""Writes Tables 2 to 6 of the paper beside what was measured here, from results in JSON.

    python recipes/tables.py                                      # docs/results.md
    python recipes/tables.py --results runs/evaluation docs/results --out my-results.md

A row is filled by a result of `recipes/evaluate.py` for its networks, shortcuts, protocol and
scales on the whole set, ImageNet's 50,000 images for validation, with weights that were trained
here or are those the paper measured; or, in Table 6, by a run of `recipes/cifar10.py` as the paper
trained, on CIFAR-10 itself. Nothing is typed in by hand.
"""

import dataclasses
import json
from pathlib import Path

from common import option, start, whole

from keras_resnet.evaluation.metrics import error
from keras_resnet.evaluation.protocols import PROTOCOLS
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
            "protocol": {"name": "1-crop", "scales": []},
            "models": [{"model": network, "weights": None, "graph": graph}],
            "data": {"kind": "arrays" if as_in_paper else "other", "images": images},
            "backend": record["versions"]["backend"],
        },
        "comment": f"trained with recipe {recipe['recipe']}, {settings['steps']:,} steps"
        + (", on images from files" if recipe["data"] else ""),
        "date": record.get("date", ""),
    }


def fills(record, row) -> bool:
    """Whether a result is of what the command of a row measures."""
    if not row.models:
        return False
    configuration = record["configuration"]
    protocol, data = configuration["protocol"], configuration["data"]
    if row.models[0].network.startswith("cifar_"):
        whole_set = data["kind"] == "arrays" and data["images"] == CIFAR_TEST
    else:
        whole_set = data["images"] == IMAGENET_VALIDATION and data.get("classes") == 1000
    scales = row.scales or PROTOCOLS[row.protocol].scales
    return (
        whole_set
        and (protocol["name"], tuple(protocol["scales"])) == (row.protocol, scales)
        and same_models(configuration["models"], row.models)
    )


def same_models(measured, wanted) -> bool:
    """Whether networks and shortcuts agree, in any order, and no weights are of others."""
    left = list(wanted)
    for model in measured:
        found = (model["model"], model["graph"].get("shortcut", ""))
        fitting = [
            one
            for one in left
            if (one.network, one.shortcut) == found
            and model["weights"] in (None, f"{one.network}.{one.weights}")
        ]
        if not fitting:
            return False
        left.remove(fitting[0])
    return not left


def pair(values) -> str:
    """21.43 / 5.71, or the one there is."""
    return " / ".join(value or "-" for value in values if value or values[1])


def line(row, results):
    """One row of a Markdown table, and the result that filled it."""
    matching = [path for path, record in results.items() if fills(record, row)]
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
        "| networks | protocol | images | top-1 error (95 % interval) | top-5 error | backend |\n"
        "|---|---|---|---|---|---|"
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
