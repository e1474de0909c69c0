"""Writes the tables of the documentation from the records they show.

python tools/tables.py           # rewrites what has changed
python tools/tables.py --check   # fails where a table is stale, and writes nothing
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import marked  # noqa: E402

import keras_resnet  # noqa: E402
from benchmarks.training import catalog, results, targets  # noqa: E402

BACKENDS = ("tensorflow", "jax", "torch")


def depth() -> str:
    """Seconds to build a CIFAR ResNet and for its first two training steps, by backend."""
    lines = [
        "| backend | layers | build (s) | first step (s) | second step (s) | measured |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for backend in BACKENDS:
        path = ROOT / "benchmarks" / "results" / "depth" / f"{backend}.json"
        record = json.loads(path.read_text()) if path.exists() else {"rows": []}
        for row in record["rows"]:
            seconds = (row[f"{what}_seconds"] for what in ("build", "first_step", "second_step"))
            figures = " | ".join(f"{value:.2f}" for value in seconds)
            where = f"{record['date']}, {record['machine']}"
            lines.append(f"| {backend} | {row['layers']} | {figures} | {where} |")
        if not record["rows"]:
            lines.append(f"| {backend} | | | | | not measured |")
    return "\n".join(lines)


def dense() -> str:
    """What dense evaluation of one image costs beside crops, by backend."""
    lines = [
        "| backend | network | shorter side | dense (s) | 10-crop (s) | windows (s) | measured |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    found = sorted((ROOT / "benchmarks" / "results" / "dense").glob("*.json"))
    for record in map(json.loads, (path.read_text() for path in found)):
        where = f"{record['date']}, {record['machine']}"
        for side in dict.fromkeys(row["shorter_side"] for row in record["rows"]):
            rows = {row["what"]: row for row in record["rows"] if row["shorter_side"] == side}
            figures = [f"{rows['dense']['median_seconds']:.3f}"]
            for what in ("10-crop", "windows"):
                row = rows[what]
                times = f"{row['times_dense']:.1f} times, {row['views']} views"
                figures.append(f"{row['median_seconds']:.3f} ({times})")
            cells = (record["backend"], record["network"], str(side), *figures, where)
            lines.append(f"| {' | '.join(cells)} |")
    if not found:
        lines.append("| | | | | | | not measured |")
    return "\n".join(lines)


def responses() -> str:
    """Fig. 7 of the digits in words: where ResNet-56 responds less than plain-56."""
    record = json.loads((ROOT / "docs" / "results" / "responses.json").read_text())
    plain, residual = record["plain-56"], record["ResNet-56"]
    pairs = zip(sorted(residual.values()), sorted(plain.values()), strict=True)
    below, layers = sum(low < high for low, high in pairs), len(plain)
    above = [layer for layer in plain if residual[layer] >= plain[layer]]
    but = f", all but {', '.join(above)}" if above else ""
    means = [sum(found.values()) / layers for found in (residual, plain)]
    return (
        "Fig. 7 on the digits: after 60 epochs the responses of ResNet-56, sorted, are below those "
        f"of plain-56 at {below} of {layers} places, and in order at {layers - len(above)} of "
        f"{layers} layers{but} (mean {means[0]:.3f} and {means[1]:.3f})."
    )


def family() -> str:
    """The networks of the paper: layers, parameters, multiply-adds."""
    return keras_resnet.summary_table()


def speed() -> str:
    """How many times as fast as other code our networks are, where both were timed in one run."""
    lines = [
        "| ResNet-50 | beside | times as fast | lowest to highest |",
        "| --- | --- | ---: | --- |",
    ]
    runs = results.load(ROOT / "benchmarks" / "results")
    for target in targets.TARGETS:
        if target.value != "rate" or target.under[0] == catalog.OURS:
            continue
        ratio = targets.judge(target, runs).ratio
        task, other = target.measure.split(" / ")
        figures = f"{ratio.median:.2f} | {ratio.spread}" if ratio else "| not measured"
        lines.append(f"| {task} on {target.backend} | {other} | {figures} |")
    return "\n".join(lines)


PAGES = {
    ROOT / "README.md": lambda text: marked.written(text, family, speed),
    ROOT / "docs" / "reading.md": lambda text: marked.written(text, depth),
    ROOT / "docs" / "evaluation.md": lambda text: marked.written(text, responses, dense),
    # From the speed of the newest record, among others.
    ROOT / "docs" / "scaling.md": lambda text: marked.printed(text, ROOT),
}


if __name__ == "__main__":
    marked.main(__doc__, PAGES)
