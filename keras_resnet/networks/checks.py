"""Single arguments of a builder, checked before any layer is made."""

import math
import operator
from numbers import Real

from keras_resnet.networks.paper import Architecture, is_count, one_of
from keras_resnet.networks.systems import System


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
