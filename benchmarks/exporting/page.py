"""Tables and the chart of what runtimes.py, operators.py and precision.py have recorded."""

import json
import pathlib
import statistics

from benchmarks.common import records
from benchmarks.common.records import OTHER_COLOR, OURS_COLOR
from keras_resnet.common.files import atomic_write

FOLDER = records.RESULTS / "export"
VNNI = {"avx512_vnni", "avx_vnni"}


def read(name: str, folder: pathlib.Path = FOLDER) -> dict | None:
    """The record of that name, or None where nothing was measured."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def caption(record: dict) -> str:
    """Hardware, threads and date, in one line."""
    return records.caption({**record, "device": "cpu", "settings": record})


def shown(value: float) -> str:
    """Three digits, or all those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values: list[float]) -> str:
    return f"{shown(min(values))} to {shown(max(values))}"


def megabytes(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f}"


def speeds(record: dict) -> list[str]:
    """Images per second of every contender."""
    rates, sizes = record["images_per_second"], record["bytes"]
    rows = [
        (name, megabytes(sizes[name]), shown(statistics.median(found)), spread(found))
        for name, found in rates.items()
    ]
    return records.markdown(("file, in its runtime", "MB", "images/s", "lowest to highest"), rows)


def promises(record: dict) -> list[str]:
    """The ratios that are promised, and whether they are reached."""
    rates = record["images_per_second"]
    rows = []
    for promise in record["promises"]:
        for ours, other, least in promise["one_of"]:
            target = f"at least {least:.2f}"
            if ours not in rates or other not in rates:
                rows.append((promise["text"], ours, other, target, "", "", "not measured"))
                continue
            ratio = statistics.median(rates[ours]) / statistics.median(rates[other])
            rounds = [a / b for a, b in zip(rates[ours], rates[other], strict=True)]
            verdict = "reached" if ratio >= least else "not reached"
            if promise["needs_vnni"] and not VNNI & set(record["machine"]["instructions"]):
                verdict = "does not apply: no VNNI"
            rows.append(
                (promise["text"], ours, other, target, f"{ratio:.3f}", spread(rounds), verdict)
            )
    headers = ("promise", "ours", "beside", "target", "ratio", "lowest to highest", "verdict")
    return records.markdown(headers, rows)


def operators(record: dict) -> list[str]:
    """Milliseconds of a batch by kind of operator, those of a tenth and more."""
    times = record["milliseconds"]
    totals = {name: sum(found.values()) for name, found in times.items()}
    kinds = dict.fromkeys(kind for found in times.values() for kind in found)
    rows = [
        (kind, *(f"{found.get(kind, 0):.1f}" for found in times.values()))
        for kind in kinds
        if max(found.get(kind, 0) for found in times.values()) >= 0.1
    ]
    rows.append(("all", *(f"{total:.1f}" for total in totals.values())))
    return records.markdown(("operator", *(f"{name}, ms" for name in times)), rows)


def precisions(record: dict) -> list[str]:
    """Size, error and speed of every precision."""
    rows = [
        (
            row["format"],
            row["dtype"],
            f"{row['bytes'] / 1e6:.2f}",
            f"{row['error']:.2f}",
            shown(statistics.median(row["images_per_second"])),
            spread(row["images_per_second"]),
        )
        for row in record["rows"]
    ]
    headers = ("format", "weights", "MB", "error (%)", "images/s", "lowest to highest")
    return records.markdown(headers, rows)


def draw(record: dict, path: pathlib.Path) -> None:
    """A bar for every contender, ours in color, with the range of the rounds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rates = record["images_per_second"]
    names = sorted(rates, key=lambda name: statistics.median(rates[name]))
    medians = [statistics.median(rates[name]) for name in names]
    ranges = (
        [median - min(rates[name]) for name, median in zip(names, medians, strict=True)],
        [max(rates[name]) - median for name, median in zip(names, medians, strict=True)],
    )
    figure = Figure(figsize=(9, 0.32 * len(names) + 1.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    colors = [OURS_COLOR if name.startswith("ours") else OTHER_COLOR for name in names]
    bars = axes.barh(names, medians, xerr=ranges, color=colors, capsize=2)
    axes.bar_label(bars, [f" {median:.3g}" for median in medians], fontsize=8)
    axes.tick_params(labelsize=8)
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    task = f"ResNet-50 (v1.5), {record['size']} pixels, batches of {record['batch']}"
    axes.set_title(task, fontsize=10, loc="left")
    meaning = "images/s: median of the rounds, and their range"
    figure.supxlabel(f"{meaning} ({caption(record)})", fontsize=8)
    with atomic_write(path) as half:
        figure.savefig(half, format="png", dpi=120, metadata={"Software": None})
