"""Tables and the chart of a run of benchmarks.inputs.pipelines."""

import math
import pathlib
import statistics

from benchmarks.common.records import OTHER_COLOR, OURS_COLOR
from benchmarks.inputs.contenders import CONTENDERS
from keras_resnet.common.files import atomic_write

OURS = "keras_resnet"
ALIKE = "keras_resnet_normalized"  # does on the processor all that the others do there
# ResNet-50 training at 224 pixels in mixed precision, images per second of one GPU, as published.
GPUS = (
    ("V100", 1200, "NVIDIA DeepLearningExamples, PyTorch"),
    ("A100", 2470, "NVIDIA DeepLearningExamples, PyTorch"),
    ("A100", 3410, "NVIDIA DeepLearningExamples, MXNet and DALI"),
    ("H100", 7000, "MLPerf Training 3.0, derived from 8 GPUs and 35 to 41 epochs"),
)
TARGETS = (("tf_data", 1.5), ("torch_pil", 2.0))


def per_core(run: dict, record: dict) -> list[float]:
    return [rate / len(run["settings"]["cores"]) for rate in record["rates"]]


def ratios(ours: dict, other: dict) -> tuple[float, float, float]:
    """Of medians; and the lowest and the highest of a round."""
    rounds = [a / b for a, b in zip(ours["rates"], other["rates"], strict=False)]
    middle = statistics.median(ours["rates"]) / statistics.median(other["rates"])
    return middle, min(rounds), max(rounds)


def measured(run: dict) -> dict[str, dict]:
    return {name_of(record): record for record in run["contenders"] if record["rates"]}


def name_of(record: dict) -> str:
    """Of a contender; records of version 0.1 spell it with an s."""
    return record["contender"].replace("normalised", "normalized")


def table(run: dict) -> list[str]:
    """Images per second and core, and how much more ours makes."""
    lines = [
        "| pipeline | images/s per core | range | keras_resnet makes |",
        "|---|---:|---:|---:|",
    ]
    found = measured(run)
    for record in run["contenders"]:
        title = CONTENDERS[name_of(record)][0]
        if not record["rates"]:
            why = (record.get("error", "").splitlines() or [""])[0][:200]
            lines.append(f"| {title} | not measured: {why} | | |")
            continue
        rates = per_core(run, record)
        middle = statistics.median(rates)
        more = ""
        if OURS in found and name_of(record) != OURS:
            ratio, low, high = ratios(found[OURS], record)
            more = f"{ratio:.2f}x ({low:.2f} to {high:.2f})"
        lines.append(f"| {title} | {middle:.0f} | {min(rates):.0f} to {max(rates):.0f} | {more} |")
    return lines


def targets(run: dict) -> list[str]:
    """What was aimed at, and whether it was reached; and the ratio of like to like."""
    found, lines = measured(run), []
    for name, bound in TARGETS:
        if OURS in found and name in found:
            ratio, low, high = ratios(found[OURS], found[name])
            verdict = "reached" if ratio >= bound else "not reached"
            alike = "not measured"
            if ALIKE in found:
                alike = "{:.2f}x ({:.2f} to {:.2f})".format(*ratios(found[ALIKE], found[name]))
            lines.append(
                f"* {bound:g}x {CONTENDERS[name][0]}: {verdict}, {ratio:.2f}x "
                f"({low:.2f} to {high:.2f} by round), where ours leaves normalizing to the device "
                f"and the other does it on the processor; both on the processor: {alike}"
            )
    return lines


FEEDERS = (OURS, "tf_data", "torch_pil")


def cores_needed(run: dict) -> list[str]:
    """How many cores like these keep a GPU busy."""
    rates = {
        name: statistics.median(per_core(run, record))
        for name, record in measured(run).items()
        if name in FEEDERS
    }
    lines = [
        f"| GPU | images/s it trains on | {' | '.join(CONTENDERS[name][0] for name in rates)} |",
        f"|---|---:|{'---:|' * len(rates)}",
    ]
    for gpu, speed, source in GPUS:
        cells = " | ".join(str(math.ceil(speed / rate)) for rate in rates.values())
        lines.append(f"| {gpu} ({source}) | {speed} | {cells} |")
    return lines


def caption(run: dict) -> str:
    cores = len(run["settings"]["cores"])
    return f"{run['machine']['cpu']}, {cores} core{'s' * (cores > 1)}, {run['date'][:10]}"


def draw(run: dict, path: pathlib.Path) -> None:
    """Two panels: images per second and core, and cores per GPU."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = sorted(
        measured(run).items(), key=lambda item: statistics.median(per_core(run, item[1]))
    )
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, height_ratios=[len(found), len(GPUS) + 1.5])
    rates = [per_core(run, record) for _, record in found]
    middles = [statistics.median(rate) for rate in rates]
    spread = [
        [middle - min(rate) for middle, rate in zip(middles, rates, strict=True)],
        [max(rate) - middle for middle, rate in zip(middles, rates, strict=True)],
    ]
    colors = [OURS_COLOR if name.startswith(OURS) else OTHER_COLOR for name, _ in found]
    drawn = top.barh(
        [CONTENDERS[name][0] for name, _ in found], middles, xerr=spread, color=colors, capsize=2
    )
    top.bar_label(drawn, [f" {middle:.0f}" for middle in middles], fontsize=8)
    top.set_title(
        "images/s per core: median of the rounds, and their range", fontsize=9, loc="left"
    )
    feeders = [(name, middle) for (name, _), middle in zip(found, middles, strict=True)
               if name in FEEDERS]  # fmt: skip
    height = 0.8 / max(len(feeders), 1)
    for i, (name, middle) in enumerate(reversed(feeders)):
        cores = [math.ceil(speed / middle) for _, speed, _ in GPUS]
        at = [number + i * height for number in range(len(GPUS))]
        color = OURS_COLOR if name == OURS else [OTHER_COLOR, "#5c677d"][i % 2]
        drawn = bottom.barh(at, cores, height, color=color, label=CONTENDERS[name][0])
        bottom.bar_label(drawn, [f" {count}" for count in cores], fontsize=8)
    middle_of = (len(feeders) - 1) * height / 2
    bottom.set_yticks(
        [number + middle_of for number in range(len(GPUS))],
        [f"{gpu}, {speed} images/s" for gpu, speed, _ in GPUS],
    )
    bottom.invert_yaxis()
    bottom.legend(fontsize=8, frameon=False)
    bottom.set_title("cores that keep one GPU busy with ResNet-50", fontsize=9, loc="left")
    for axes in (top, bottom):
        axes.tick_params(labelsize=8)
        axes.margins(x=0.1)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(caption(run), fontsize=8)
    with atomic_write(path) as half:
        figure.savefig(half, format="png", dpi=120)
