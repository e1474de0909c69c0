"""What a builder may be asked for, checked before any layer is made."""

import inspect
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, get_args

from keras_resnet.paper import Architecture, Shortcut, Stem, is_count, one_of
from keras_resnet.systems import System

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


def applies(condition: bool, argument: str, value, reason: str) -> None:
    """Raises where an option is given to a network it cannot change."""
    if not condition:
        raise ValueError(
            f"`{argument}` does not apply: {reason}. Received: {argument}={value!r}; "
            f"leave it out for this network"
        )


def check_name(name) -> None:
    """Keras would complain as well, but after all layers have been made."""
    if name is not None and (not isinstance(name, str) or "/" in name):
        raise ValueError(f"`name` must be a string without '/'. Received: name={name!r}")


def is_flag(argument: str, value) -> None:
    if not isinstance(value, int) or value not in (0, 1):
        raise ValueError(f"`{argument}` must be True or False. Received: {argument}={value!r}")


def checked_output_stride(row: Architecture, output_stride: int | None) -> int:
    if output_stride is None:
        return row.stride
    accepted = [row.stride // part for part in (1, 2, 4) if row.stride // part >= row.stem_stride]
    output_stride = as_integer(output_stride)
    one_of("output_stride", output_stride, accepted)
    return output_stride


def checked_rate(rate: float, residual: bool) -> float:
    number = isinstance(rate, Real) and not isinstance(rate, bool)
    if not number or not math.isfinite(rate) or not 0 <= rate < 1:
        raise ValueError(
            f"`drop_path_rate` must be a number from 0 up to, not including, 1. "
            f"Received: drop_path_rate={rate!r}"
        )
    if rate:
        applies(residual, "drop_path_rate", rate, "a plain net has no path to fall back on")
    return float(rate)


def checked_classes(classes) -> int:
    """`classes` as an integer of at least one."""
    try:
        count = operator.index(classes)
    except TypeError:
        count = 0
    if isinstance(classes, bool) or count < 1:
        raise ValueError(f"`classes` must be a positive integer. Received: classes={classes!r}")
    return count


def checked_input_shape(
    row: Architecture | System,
    input_shape,
    include_top: bool,
    data_format: str,
    auxiliary: bool = False,
) -> tuple[int | None, ...]:
    """The shape of one image in `data_format`, filled in as keras.applications does.

    Without `input_shape` it is the paper's, or of any size when there is no top. A side
    may be None. The smallest side is the network's stride: the last map is then one pixel.
    """
    channels_last = data_format == "channels_last"
    if input_shape is None:
        size = row.size if include_top else None
        return (size, size, 3) if channels_last else (3, size, size)
    order = "(height, width, channels)" if channels_last else "(channels, height, width)"
    wanted = f"`input_shape` must be {order} as the data format is {data_format!r}"
    received = f"Received: input_shape={input_shape!r}"
    try:
        shape = tuple(input_shape)
    except TypeError:
        raise ValueError(f"{wanted}. {received}") from None
    if len(shape) != 3:
        raise ValueError(f"{wanted}, without the batch. {received}")
    shape = tuple(as_integer(side) for side in shape)
    channels, sides = (shape[2], shape[:2]) if channels_last else (shape[0], shape[1:])
    if not is_count(channels):
        raise ValueError(f"{wanted}, with a known number of channels. {received}")
    for side in sides:
        if side is not None and not (is_count(side) and side >= row.stride):
            raise ValueError(
                f"{wanted}, each side at least {row.stride} pixels or None. {received}"
            )
        fixed = (row.flattens and include_top) or auxiliary
        if side is None and fixed:
            raise ValueError(
                f"{wanted}, each side known: a fully connected layer reads a map. {received}"
            )
        # An auxiliary head averages squares of 5 x 5 of a map that is 16 times as small.
        if auxiliary and side is not None and side < 80:
            raise ValueError(
                f"{wanted}, each side at least 80 pixels with auxiliary=True. {received}"
            )
    return shape


def as_integer(side):
    """NumPy's integers as Python's; everything else as it came."""
    try:
        return side if isinstance(side, bool) else operator.index(side)
    except TypeError:
        return side
