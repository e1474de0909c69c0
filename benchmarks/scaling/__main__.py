"""How training scales to many devices, from the time of one device's step and what it sends.

    python -m benchmarks.scaling  # the tables of docs/scaling.md
    python -m benchmarks.scaling --images-per-second 1200 --batch 128 --inside 25 --between 12.5
    python -m benchmarks.scaling --measured benchmarks/results/targets-cpu.json  # from our timings
    python -m benchmarks.scaling --check  # against published results

The formulas are the functions of `formulas.py`. Nothing is trained.
"""

import argparse
import dataclasses
import json
import pathlib
import statistics

from benchmarks.scaling.formulas import (
    GIGA,
    Figures,
    all_reduce_seconds,
    checkpoint_share,
    cores_per_host,
    efficiency,
    evaluation_seconds,
    hours,
    input_images,
    message_bytes,
    normalization_seconds,
    step_seconds,
    throughput,
    within_limit,
)
from benchmarks.scaling.published import check

DEVICES = (1, 8, 64, 1024)
ENGINES = ("jax", "torch", "tensorflow")


def shown_rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"


def engine_table(f: Figures, rates: dict[str, float] | None = None) -> list[str]:
    """Steps on each engine, whose images per second on one device may be given."""
    lines = [
        "| devices | engine | step (ms) | all-reduce (ms) | of it shown | BN sums (ms) | images/s "
        "| efficiency | BN per replica |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for devices in DEVICES:
        for engine in ENGINES:
            # Whether messages travel while a step still computes; see docs/scaling.md.
            mirrored = engine == "tensorflow" and devices <= f.devices_per_host
            overlap = 0.0 if mirrored else 1.0
            rate = (rates or {}).get(engine, f.images_per_second)
            own = dataclasses.replace(f, overlap=overlap, images_per_second=rate, synchronize=True)
            g, _ = within_limit(own, devices)
            message = all_reduce_seconds(g, message_bytes(g), devices)
            shown = max(0.0, message - overlap * g.batch / rate * 2 / 3)
            apart = efficiency(dataclasses.replace(g, synchronize=False), devices)
            rate = shown_rate(throughput(g, devices))
            lines.append(
                f"| {devices:,} | {engine} | {1e3 * step_seconds(g, devices):,.1f} "
                f"| {1e3 * message:.1f} | {1e3 * shown:.1f} "
                f"| {1e3 * normalization_seconds(g, devices):.1f} | {rate} "
                f"| {efficiency(g, devices):.1%} | {'-' if engine == 'jax' else f'{apart:.1%}'} |"
            )
    return lines


def tables(f: Figures) -> str:
    """What docs/scaling.md shows."""
    lines = engine_table(f)
    lines += [
        "",
        "| devices | batch | optimizer | cores a host | GB/s from disk a host | "
        "GB/s to devices a host | evaluation (s) | checkpoints | hours |",
        "|--:|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for devices in DEVICES:
        g, how = within_limit(f, devices)
        images = input_images(g, devices)
        lines.append(
            f"| {devices:,} | {devices * g.batch:,} | {how} | {cores_per_host(g, devices):.0f} "
            f"| {images * g.file_bytes / GIGA:.2f} | {images * g.pixels**2 * 3 / GIGA:.2f} "
            f"| {evaluation_seconds(g, devices):.1f} | {checkpoint_share(g, devices):.2%} "
            f"| {hours(g, devices):.2f} |"
        )
    return "\n".join(lines)


def check_table() -> str:
    lines = ["| published | predicted | published | ratio |", "|---|--:|--:|--:|"]
    for name, predicted, published in check():
        shown = [f"{value:,.3g}" if value < 100 else f"{value:,.0f}" for value in
                 (predicted, published)]  # fmt: skip
        lines.append(f"| {name} | {shown[0]} | {shown[1]} | {predicted / published:.2f} |")
    return "\n".join(lines)


def measured_rates(path: pathlib.Path) -> tuple[dict[str, float], int]:
    """Images per second of our networks while they train in float32, by backend, and the batch,
    from what benchmarks.training.throughput wrote."""
    rates, batch = {}, 0
    for group in json.loads(path.read_text())["groups"]:
        for entry in group["entries"]:
            ours = (entry["contender"], entry["dtype"], group["mode"])
            if ours == ("ours", "float32", "train") and group["net"].startswith("resnet50"):
                rates[group["backend"]] = statistics.median(entry["rates"])
                batch = group["batch"]
    return rates, batch


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.scaling", description=(__doc__ or "").split("\n")[0]
    )
    for field in dataclasses.fields(Figures):
        flag = "--" + field.name.replace("_", "-")
        if field.type is bool:
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=field.type, default=field.default)
    parser.add_argument("--check", action="store_true", help="compare with published results")
    parser.add_argument("--measured", type=pathlib.Path, help="rates of a timing of ours")
    options = vars(parser.parse_args())
    compare, measured = options.pop("check"), options.pop("measured")
    figures = Figures(**options)
    if compare:
        print(check_table())
    elif measured:
        rates, batch = measured_rates(measured)
        print("\n".join(engine_table(dataclasses.replace(figures, batch=batch), rates)))
    else:
        print(tables(figures))


if __name__ == "__main__":
    main()
