"""What a builder may be asked for, checked before any layer is made."""

import inspect
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, get_args

from keras_resnet.paper import Architecture, Shortcut, is_count, one_of

StrideOn = Literal["1x1", "3x3"]
Pool1 = Literal["symmetric", "caffe"]
ZeroChannels = Literal["end", "center"]
Pooling = Literal["avg", "max"]
Layers = Literal["fast", "keras"]


# RGB, 0..255: the statistics most public ImageNet weights were trained with.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@dataclass(frozen=True)
class Options:
    """The choices the paper leaves open or later work changed; the defaults are the paper's."""

    stride_on: StrideOn = "1x1"
    pool1: Pool1 = "symmetric"
    zero_channels: ZeroChannels = "end"
    zero_init_residual: bool = False
    output_stride: int = 32
    drop_path_rate: float = 0.0
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
    zero_init_residual: bool = False,
    output_stride: int | None = None,
    drop_path_rate: float = 0.0,
    include_preprocessing: bool = False,
    layers: Layers = "fast",
) -> tuple[Architecture, Options]:
    """The row and the options that a builder's keyword arguments ask for.

    `None` stands for the paper's choice. An option that cannot change this row
    (`stride_on` where no block has a 1x1, say) is a mistake, not a wish.

    Raises:
        ValueError: an unknown value, or an option that does not apply.
    """
    if shortcut is not None:
        one_of("shortcut", shortcut, get_args(Shortcut))
        applies(row.shortcut is not None, "shortcut", shortcut, "a plain net has no shortcuts")
        row = replace(row, shortcut=shortcut)
    residual = row.shortcut is not None
    if stride_on is not None:
        one_of("stride_on", stride_on, get_args(StrideOn))
        bottleneck = row.block == "bottleneck"
        applies(bottleneck, "stride_on", stride_on, "a basic block has no 1x1 convolution")
    if pool1 is not None:
        one_of("pool1", pool1, get_args(Pool1))
        applies(row.stem == "imagenet", "pool1", pool1, "the CIFAR stem has no max pool")
    if zero_channels is not None:
        one_of("zero_channels", zero_channels, get_args(ZeroChannels))
        option_a = row.shortcut == "A"
        applies(option_a, "zero_channels", zero_channels, "only shortcut option A adds zeros")
    is_flag("zero_init_residual", zero_init_residual)
    if zero_init_residual:
        applies(residual, "zero_init_residual", True, "a plain net would start as a constant")
    is_flag("include_preprocessing", include_preprocessing)
    one_of("layers", layers, get_args(Layers))
    return row, Options(
        stride_on=stride_on or "1x1",
        pool1=pool1 or "symmetric",
        zero_channels=zero_channels or "end",
        zero_init_residual=bool(zero_init_residual),
        output_stride=checked_output_stride(row, output_stride),
        drop_path_rate=checked_rate(drop_path_rate, residual),
        include_preprocessing=bool(include_preprocessing),
        layers=layers,
    )


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
    row: Architecture, input_shape, include_top: bool, data_format: str
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
    return shape


def as_integer(side):
    """NumPy's integers as Python's; everything else as it came."""
    try:
        return side if isinstance(side, bool) else operator.index(side)
    except TypeError:
        return side
