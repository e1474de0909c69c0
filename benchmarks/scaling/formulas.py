"""What a step on many devices takes: one formula in each function. Nothing is trained.

The sources of the formulas are in docs/scaling.md.
"""

import dataclasses
import math
from dataclasses import dataclass

IMAGENET, VALIDATION = 1_281_167, 50_000
GIGA = 1e9
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
