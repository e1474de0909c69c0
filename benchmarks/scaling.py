"""How training scales to many devices, from the time of one device's step and what it sends.

    python benchmarks/scaling.py                                   # the tables of docs/scaling.md
    python benchmarks/scaling.py --images-per-second 1200 --batch 128 --inside 25 --between 12.5
    python benchmarks/scaling.py --measured benchmarks/results/targets-cpu.json  # from our timings
    python benchmarks/scaling.py --check                           # against published results

The formulae are the functions below, one each. Nothing is trained.
"""

import argparse
import dataclasses
import json
import math
import pathlib
import statistics
from dataclasses import dataclass

DEVICES = (1, 8, 64, 1024)
IMAGENET, VALIDATION = 1_281_167, 50_000
GIGA = 1e9
ENGINES = ("jax", "torch", "tensorflow")
# The largest global batch that trained to the accuracy of a small one, and by what.
LIMITS = (
    (8_192, "SGD", "linear scaling, 5 epochs of warm-up (arXiv:1706.02677)"),
    (32_768, "LARS or LAMB", "5 epochs of warm-up or more (arXiv:1708.03888, arXiv:1904.00962)"),
)


@dataclass(frozen=True)
class Figures:
    """What a user knows of a network and of machines; the defaults are those of docs/scaling.md."""

    images_per_second: float = 2470.0  # one device, training; NVIDIA's PyTorch README, A100, AMP
    batch: int = 256  # images on a device
    parameters: int = 25_557_032  # trainable: ResNet-50
    normalized_channels: int = 26_560  # of all batch normalizations together
    normalizations: int = 53
    gradient_bytes: int = 4  # Keras' variables, and so their gradients, are float32
    devices_per_host: int = 8
    inside: float = 230.0  # GB/s of a ring of devices within a host (NVLink 3)
    between: float = 25.0  # GB/s of a host's network (one 200 Gb/s port)
    latency: float = 20e-6  # seconds of the smallest message, to all
    jitter: float = 0.03  # standard deviation of a step's time, in its mean
    overlap: float = 1.0  # of the backward pass, during which messages travel
    synchronize: bool = False  # batch normalization over all devices
    decode_per_core: float = 600.0  # images/s: full-size JPEG, performance on one core
    file_bytes: float = 110e3  # a mean ImageNet file
    pixels: int = 224
    disk: float = 0.5  # GB/s to which checkpoints are written
    checkpoint_every: int = 1000  # steps
    slots: int = 1  # optimizer's variables for each weight: momentum 1, LAMB 2
    inference: float = 3.0  # times as fast as training
    epochs: int = 90


def message_bytes(f: Figures) -> float:
    """Gradients of one step, from each device."""
    return f.parameters * f.gradient_bytes


def all_reduce_seconds(f: Figures, size: float, devices: int) -> float:
    """Of `size` bytes: rings within hosts, one ring or tree between them.

    A ring sends 2 (n - 1) / n of the bytes over every link (Patarasuk and Yuan, 2009). Between
    hosts each device carries its 1/k, so that the host's network carries all of it once.
    """
    inside = min(devices, f.devices_per_host)
    hosts = math.ceil(devices / f.devices_per_host)
    seconds = 2 * (inside - 1) / inside * size / (f.inside * GIGA)
    seconds += 2 * (hosts - 1) / hosts * size / (f.between * GIGA)
    return seconds + f.latency * math.log2(devices) if devices > 1 else 0.0


def normalization_seconds(f: Figures, devices: int) -> float:
    """Synchronized batch normalization: a message of sums for each, forward and backward.

    None can wait: the next layer needs what it brings.
    """
    size = 4 * (2 * f.normalized_channels / f.normalizations + 1)
    return 2 * f.normalizations * all_reduce_seconds(f, size, devices) * f.synchronize


def step_seconds(f: Figures, devices: int) -> float:
    """One step of `devices`, each with its `batch`: computing, what of the messages shows, and
    the wait for the slowest.

    The backward pass is two thirds of a step. The slowest of n normal times lies
    sqrt(2 ln n) standard deviations above the mean.
    """
    alone = f.batch / f.images_per_second
    hidden = f.overlap * alone * 2 / 3
    shown = max(0.0, all_reduce_seconds(f, message_bytes(f), devices) - hidden)
    wait = alone * f.jitter * math.sqrt(2 * math.log(devices))
    return alone + wait + shown + normalization_seconds(f, devices)


def throughput(f: Figures, devices: int) -> float:
    """Images per second of all devices."""
    return devices * f.batch / step_seconds(f, devices)


def efficiency(f: Figures, devices: int) -> float:
    """Throughput, in that of as many lone devices."""
    return throughput(f, devices) / (devices * f.images_per_second)


def cores_per_host(f: Figures, devices: int) -> float:
    """That decode JPEG as fast as a host trains."""
    return input_images(f, devices) / f.decode_per_core


def input_images(f: Figures, devices: int) -> float:
    """Images per second that a host reads."""
    return throughput(f, devices) / devices * min(devices, f.devices_per_host)


def checkpoint_bytes(f: Figures) -> float:
    """Weights, moving statistics and what the optimizer keeps, in float32."""
    return 4 * (f.parameters * (1 + f.slots) + 2 * f.normalized_channels)


def checkpoint_share(f: Figures, devices: int) -> float:
    """Of the time of training: the others wait while the first process writes."""
    seconds = checkpoint_bytes(f) / (f.disk * GIGA)
    return seconds / (f.checkpoint_every * step_seconds(f, devices) + seconds)


def evaluation_seconds(f: Figures, devices: int) -> float:
    """The 50,000 validation images once, in whole batches on each device."""
    batches = math.ceil(VALIDATION / (devices * f.batch))
    return batches * f.batch / (f.inference * f.images_per_second)


def hours(f: Figures, devices: int) -> float:
    """`epochs` of ImageNet, an evaluation after each, and the checkpoints."""
    training = IMAGENET / throughput(f, devices) / (1 - checkpoint_share(f, devices))
    return f.epochs * (training + evaluation_seconds(f, devices)) / 3600


def within_limit(f: Figures, devices: int) -> tuple[Figures, str]:
    """The figures with the batch lowered to what still trains well, and how it does.

    A smaller batch on a device leaves it the same images per second here; measure yours.
    """
    for limit, optimizer, why in LIMITS:
        if devices * f.batch <= limit:
            return f, f"{optimizer}: {why}"
    return dataclasses.replace(f, batch=max(1, limit // devices)), f"{optimizer}: {why}"


# ---- published results: ../docs/scaling.md names the sources ----------------------------------

# Training images per second on one and on eight GPUs, mixed precision, 256 images on each.
EIGHT = {
    "PyTorch, A100": (2470, 16621),
    "TensorFlow 1 with XLA, A100": (2375, 17400),
    "MXNet, A100": (3410, 26674),
    "PyTorch, V100": (1200, 8322),
    "TensorFlow 1 with XLA, V100": (1270, 9510),
    "MXNet, V100": (1376, 10723),
}
# MLPerf Training 3.0, ResNet-50 in MXNet on H100: minutes to 75.9 %. The epochs are not
# published; larger batches take more, and 35 to 41 is what such submissions take.
MLPERF = {8: (13.466, 35), 64: (2.664, 41), 512: (0.509, 41)}


def check() -> list[tuple[str, float, float]]:
    """Each published result: what it is, the prediction, and what was published."""
    rows = []
    for name, (one, eight) in EIGHT.items():
        inside = 230.0 if "A100" in name else 130.0
        figures = Figures(images_per_second=one, inside=inside)
        rows.append((f"8 GPUs, images/s: {name}", throughput(figures, 8), eight))
    minutes, epochs = MLPERF[8]
    rate = epochs * IMAGENET / (60 * minutes) / 8
    figures = Figures(inside=360.0, between=400.0)
    figures = dataclasses.replace(figures, images_per_second=rate / efficiency(figures, 8))
    for devices in (64, 512):
        minutes, epochs = MLPERF[devices]
        limited, _ = within_limit(figures, devices)
        predicted = epochs * IMAGENET / throughput(limited, devices) / 60
        rows.append((f"{devices} GPUs, minutes: MLPerf 3.0, from its 8 GPUs", predicted, minutes))
    return rows


# ---- tables -----------------------------------------------------------------------------------


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
    from what benchmarks/throughput.py wrote."""
    rates, batch = {}, 0
    for group in json.loads(path.read_text())["groups"]:
        for entry in group["entries"]:
            ours = (entry["contender"], entry["dtype"], group["mode"])
            if ours == ("ours", "float32", "train") and group["net"].startswith("resnet50"):
                rates[group["backend"]] = statistics.median(entry["rates"])
                batch = group["batch"]
    return rates, batch


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for field in dataclasses.fields(Figures):
        flag = "--" + field.name.replace("_", "-")
        if field.type is bool:
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=field.type, default=field.default)
    parser.add_argument("--check", action="store_true", help="compare with published results")
    parser.add_argument("--measured", type=pathlib.Path, help="rates from benchmarks/throughput.py")
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
