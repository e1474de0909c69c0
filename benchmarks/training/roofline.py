"""What a GPU could do at best, to put measured rates beside.

Dense peaks and bandwidths of the makers' data sheets, without sparsity; float32 runs on tensor
cores as TF32 where they exist, which all three frameworks let convolutions use.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peak:
    """TFLOP/s of bfloat16 and of float32 convolutions, and TB/s of memory."""

    bfloat16: float | None
    float32: float
    bandwidth: float


# A name is searched for these, in this order.
GPUS = {
    "B200": Peak(2250, 1125, 8.0),
    "H200": Peak(989, 494, 4.8),
    "H100 PCIe": Peak(756, 378, 2.0),
    "H100": Peak(989, 494, 3.35),
    "A100-SXM4-40GB": Peak(312, 156, 1.555),
    "A100-PCIE-40GB": Peak(312, 156, 1.555),
    "A100": Peak(312, 156, 2.039),
    "A10": Peak(125, 62.5, 0.6),
    "L40S": Peak(362, 183, 0.864),
    "L4": Peak(121, 60, 0.3),
    "T4": Peak(None, 8.1, 0.32),
    "V100": Peak(None, 15.7, 0.9),
    "RTX 5090": Peak(209.5, 104.8, 1.792),
    "RTX 4090": Peak(165.2, 82.6, 1.008),
    "RTX 3090": Peak(71, 35.6, 0.936),
}


def peak_of(name: str) -> Peak | None:
    """The row of a GPU, by the name its driver gives; None for one that is not listed.

    Example:

    >>> peak_of("NVIDIA H200").bandwidth
    4.8
    """
    return next((peak for key, peak in GPUS.items() if key in name), None)


def utilization(rate: float, macs: int, mode: str, dtype: str, peak: Peak) -> float | None:
    """The share of the peak arithmetic that `rate` images a second need (MFU).

    A multiply-add is two operations; a training step does three forward passes' worth.
    """
    limit = getattr(peak, dtype)
    if limit is None:
        return None
    return rate * 2 * macs * (3 if mode == "train" else 1) / (limit * 1e12)


def gigabytes_an_image(rate: float, peak: Peak) -> float:
    """The memory traffic a GPU can have in the time of one image: what that image took at most."""
    return peak.bandwidth * 1000 / rate


# How often an activation crosses the memory bus when batch normalization is fused with ReLU.
# Forward: the convolution writes it, BN reads it for the statistics, reads and writes it to
# normalize, the next convolution reads it. Backward: its gradient is written, BN reads gradient
# and input for the sums, reads both and writes one to apply them, the convolution reads the
# gradient twice and its input once. In inference BN is part of the convolution.
PASSES = {"train": 5 + 9, "infer": 2}


def least_gigabytes(conv_outputs: int, mode: str, dtype: str) -> float:
    """The memory traffic of an image that fused kernels cannot avoid, weights left out.

    Args:
        conv_outputs: elements that all convolutions write for one image.
        mode: `"train"` or `"infer"`.
        dtype: of the activations.
    """
    return conv_outputs * PASSES[mode] * {"bfloat16": 2, "float32": 4}[dtype] / 1e9
