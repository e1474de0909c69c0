"""What a builder may be asked for, checked before any layer is made."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from keras_resnet.networks.checks import applies, checked_output_stride, checked_rate, is_flag
from keras_resnet.networks.paper import Architecture, Shortcut, Stem, one_of
from keras_resnet.networks.systems import System

StrideOn = Literal["1x1", "3x3"]
Pool1 = Literal["symmetric", "caffe"]
ZeroChannels = Literal["end", "center"]
Pooling = Literal["avg", "max"]
Layers = Literal["fast", "keras"]
Downsample = Literal["conv", "avg"]
FirstNorm = Literal["conv1", "conv2_1"]
IMAGENET_STEMS = ("imagenet", "deep")
PoolProj = Literal[96, 128]
Conv1 = Literal["dense", "separable"]
Bins = Literal["window", "proportional", "caffe"]


# RGB, 0..255: the statistics most public ImageNet weights were trained with.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Options:
    """The choices the papers leave open or later work changed; the defaults are the papers'."""

    stride_on: StrideOn = "1x1"
    pool1: Pool1 = "symmetric"
    zero_channels: ZeroChannels = "end"
    zero_init_residual: bool = False
    downsample: Downsample = "conv"
    blur_pool: bool = False
    first_norm: FirstNorm = "conv1"
    output_stride: int = 32
    drop_path_rate: float = 0.0
    auxiliary: bool = False
    pool_proj: PoolProj = 96
    conv1: Conv1 = "dense"
    spp: Bins = "window"
    include_preprocessing: bool = False
    layers: Layers = "fast"
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD


def resolve(
    row: Architecture,
    *,
    shortcut: Shortcut | None = None,
    stride_on: StrideOn | None = None,
    pool1: Pool1 | None = None,
    zero_channels: ZeroChannels | None = None,
    stem: Stem | None = None,
    downsample: Downsample | None = None,
    blur_pool: bool = False,
    first_norm: FirstNorm | None = None,
    zero_init_residual: bool = False,
    output_stride: int | None = None,
    drop_path_rate: float = 0.0,
    auxiliary: bool = False,
    pool_proj: PoolProj | None = None,
    conv1: Conv1 | None = None,
    spp: Bins | None = None,
    include_preprocessing: bool = False,
    layers: Layers = "fast",
) -> tuple[Architecture, Options]:
    """The row and the options that a builder's keyword arguments ask for.

    `None` stands for the paper's choice. An option that cannot change this row
    (`stride_on` where no block has a 1x1, say) is a mistake, not a wish.

    Raises:
        ValueError: an unknown value, or an option that does not apply.
    """
    check_systems(row, auxiliary=auxiliary, pool_proj=pool_proj, conv1=conv1, spp=spp)
    if shortcut is not None:
        one_of("shortcut", shortcut, get_args(Shortcut))
        applies(row.shortcut is not None, "shortcut", shortcut, "a plain net has no shortcuts")
        row = replace(row, shortcut=shortcut)
    if stem is not None:
        one_of("stem", stem, IMAGENET_STEMS)
        applies(row.stem != "cifar", "stem", stem, "the CIFAR stem is one 3x3 convolution")
        row = replace(row, stem=stem)
    residual = row.shortcut is not None
    if stride_on is not None:
        one_of("stride_on", stride_on, get_args(StrideOn))
        bottleneck = row.block == "bottleneck"
        applies(bottleneck, "stride_on", stride_on, "a basic block has no 1x1 convolution")
    if pool1 is not None:
        one_of("pool1", pool1, get_args(Pool1))
        applies(row.stem != "cifar", "pool1", pool1, "the CIFAR stem has no max pool")
    if zero_channels is not None:
        one_of("zero_channels", zero_channels, get_args(ZeroChannels))
        option_a = row.shortcut == "A"
        applies(option_a, "zero_channels", zero_channels, "only shortcut option A adds zeros")
    check_downsample(row, downsample, output_stride)
    first_norm = checked_first_norm(row, first_norm, pool1)
    is_flag("zero_init_residual", zero_init_residual)
    if zero_init_residual:
        applies(residual, "zero_init_residual", True, "a plain net would start as a constant")
        reason = "a pre-activation block ends in a convolution, not in a normalization"
        applies(not row.preactivated, "zero_init_residual", True, reason)
    is_flag("blur_pool", blur_pool)
    reason = "no block has a strided convolution"
    applies(not blur_pool or len(row.blocks) > 1, "blur_pool", blur_pool, reason)
    is_flag("include_preprocessing", include_preprocessing)
    one_of("layers", layers, get_args(Layers))
    return row, Options(
        blur_pool=bool(blur_pool),
        stride_on=stride_on or ("3x3" if row.order == "v2" else "1x1"),
        pool1=pool1 or "symmetric",
        zero_channels=zero_channels or "end",
        downsample=downsample or "conv",
        first_norm=first_norm,
        zero_init_residual=bool(zero_init_residual),
        output_stride=checked_output_stride(row, output_stride),
        drop_path_rate=checked_rate(drop_path_rate, residual),
        include_preprocessing=bool(include_preprocessing),
        layers=layers,
    )


def check_systems(row: Architecture | System, **given) -> None:
    """Raises where an option of one of the paper's rivals is unknown, or of another network."""
    for name, (family, accepted, reason) in SYSTEMS_OPTIONS.items():
        value = given[name]
        if value is None or value is False:
            continue
        one_of(name, value, accepted) if accepted else is_flag(name, value)
        applies(getattr(row, "family", "resnet") in family, name, value, reason)


# Of each option: the families that have it, what it may be (None for a flag), and why not others.
SYSTEMS_OPTIONS: dict[str, tuple[tuple[str, ...], tuple | None, str]] = {
    "auxiliary": (("googlenet",), None, "only GoogLeNet has auxiliary heads"),
    "pool_proj": (
        ("bn_inception",),
        get_args(PoolProj),
        "only BN-Inception's table contradicts itself there",
    ),
    "conv1": (
        ("googlenet", "bn_inception"),
        get_args(Conv1),
        "only GoogLeNet and BN-Inception have a separable conv1",
    ),
    "spp": (("prelu_net",), get_args(Bins), "only PReLU-nets pool a spatial pyramid"),
}


def resolve_system(
    row: System,
    *,
    auxiliary: bool = False,
    pool_proj: PoolProj | None = None,
    conv1: Conv1 | None = None,
    spp: Bins | None = None,
    include_preprocessing: bool = False,
    layers: Layers = "fast",
    **residual: Any,
) -> tuple[System, Options]:
    """What `resolve` is for residual and plain networks, for one of the paper's rivals."""
    for name, value in residual.items():
        unset = value is None or (isinstance(value, int | float) and value == 0)
        applies(unset, name, value, f"{row.family} has no residual blocks")
    check_systems(row, auxiliary=auxiliary, pool_proj=pool_proj, conv1=conv1, spp=spp)
    is_flag("auxiliary", auxiliary)
    is_flag("include_preprocessing", include_preprocessing)
    one_of("layers", layers, get_args(Layers))
    missing = row.own_layers
    applies(layers == "fast" or not missing, "layers", layers, f"Keras has no layer for {missing}")
    return row, Options(
        auxiliary=bool(auxiliary),
        pool_proj=pool_proj or 96,
        conv1=conv1 or "dense",
        spp=spp or "window",
        include_preprocessing=bool(include_preprocessing),
        layers=layers,
    )


def check_downsample(row: Architecture, downsample, output_stride) -> None:
    """Raises where there is no projection that an average pool could come before."""
    if downsample is None:
        return
    one_of("downsample", downsample, get_args(Downsample))
    projects = row.shortcut in ("B", "C") and row.order != "v2"
    reason = "only projections, shortcut options B and C, downsample with a convolution"
    applies(projects, "downsample", downsample, reason)
    dilated = downsample == "avg" and output_stride not in (None, row.stride)
    reason = f"a dilated network (output_stride={output_stride!r}) pools nothing"
    applies(not dilated, "downsample", downsample, reason)


def checked_first_norm(row: Architecture, first_norm, pool1) -> FirstNorm:
    """Where a pre-activation network normalises first: after conv1, or in its first block."""
    if first_norm is not None:
        one_of("first_norm", first_norm, get_args(FirstNorm))
        choice = row.order == "preactivation" and row.stem != "cifar"
        reason = "only pre-activation networks for ImageNet leave that open"
        applies(choice, "first_norm", first_norm, reason)
        reason = "what is pooled has not been through a ReLU, and zeros around it would count"
        applies(pool1 is None or first_norm == "conv1", "pool1", pool1, reason)
    fixed = row.preactivated and (row.order == "v2" or row.stem == "cifar")
    return first_norm or ("conv2_1" if fixed else "conv1")


def resolve_any(row: Any, **given: Any) -> tuple[Any, Options]:
    """`resolve` for whatever kind of row."""
    return (resolve_system if isinstance(row, System) else resolve)(row, **given)


def refuse_unknown(given: Mapping[str, Any]) -> None:
    """Raises where a keyword is none of a builder's options."""
    if given:
        accepted = ", ".join(list(inspect.signature(resolve).parameters)[1:])
        received = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(f"Unknown option. Received: {received}; accepted: {accepted}")
