"""Published timings that the formulas are compared with. docs/scaling.md names the sources."""

import dataclasses

from benchmarks.scaling.formulas import IMAGENET, Figures, efficiency, throughput, within_limit

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
