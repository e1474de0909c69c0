"""An option of a builder and other single arguments, checked before any layer is made."""

import dataclasses
import math
import operator
from collections.abc import Callable
from numbers import Real
from typing import Any, Literal, get_args, get_origin

from keras_resnet.networks.family import NETWORKS, in_short
from keras_resnet.networks.paper import Architecture, is_count, one_of
from keras_resnet.networks.systems import System

MOST_CLASSES = 10_000_000


@dataclasses.dataclass(frozen=True)
class Option:
    """A row of the table.

    Args:
        text: its help.
        only: conditions on a network's row, each with the reason why others lack the option.
        default: what it is where neither the user nor the weights choose; or a function from a
            row to that.
        graph: `"part"` where the same weights give other outputs by it, `"implied"` where
            public weights also say what it must be.
        unsaid: what weights imply that do not mention it, being as in the paper.
        values: a function from a row to the accepted values, where the type does not list them.
        clash: a function from a row and all options to the reason why they cannot be used
            together; empty if they can.
        is_field: whether it sets the field of that name in the row.
    """

    text: str
    only: tuple[tuple[Callable[[Any], Any], str], ...] = ()
    default: Any = None
    graph: Literal["", "part", "implied"] = ""
    unsaid: Any = None
    values: Callable[[Any], tuple] | None = None
    clash: Callable[[Any, Any], str] = lambda row, options: ""
    is_field: bool = False
    name: str = ""
    type: Any = None

    @property
    def optional(self) -> bool:
        """Whether None leaves the choice to the weights or to the paper."""
        return type(None) in get_args(self.type)

    def lacks(self, row) -> str:
        """Why a network does not have the option; empty if it does."""
        return next((why.format(row=row) for applies, why in self.only if not applies(row)), "")

    def default_of(self, row) -> Any:
        return self.default(row) if callable(self.default) else self.default

    def values_of(self, row) -> tuple:
        """What the option accepts for a network; empty where that cannot be listed."""
        if self.values is not None:
            return self.values(row)
        found = [part for part in (self.type, *get_args(self.type)) if get_origin(part) is Literal]
        return get_args(found[0]) if found else ()

    def type_of(self, row) -> Any:
        """The type of the argument for a network: a Literal where the values can be listed."""
        values = self.values_of(row)
        return Literal[(*values, None) if self.optional else values] if values else self.type

    def checked(self, value, row) -> Any:
        """The value as Python's own type.

        Raises:
            ValueError: the network has no such option, or the value is not accepted.
        """
        if reason := self.lacks(row):
            if not self.optional and isinstance(value, Real | str) and value == self.default:
                return self.default  # the network is built without it anyway
            names = [name for name, other in NETWORKS.items() if not self.lacks(other)]
            raise ValueError(
                f"`{self.name}` does not apply: {reason}. Received: {self.name}={value!r}; leave "
                f"it out for this network. Networks that have it: {in_short(names)}"
            )
        if self.type is bool:
            is_flag(self.name, value)
            return bool(value)
        if self.type is float:
            return checked_rate(self.name, value)
        one_of(self.name, as_integer(value), self.values_of(row))
        return as_integer(value)


def check_name(name) -> None:
    """Keras checks it too, but only after all layers are made."""
    if name is not None and (not isinstance(name, str) or "/" in name):
        raise ValueError(f"`name` must be a string without '/'. Received: name={name!r}")


def is_flag(argument: str, value) -> None:
    if not isinstance(value, int) or value not in (0, 1):
        raise ValueError(f"`{argument}` must be True or False. Received: {argument}={value!r}")


def checked_rate(argument: str, rate) -> float:
    number = isinstance(rate, Real) and not isinstance(rate, bool)
    if not number or not math.isfinite(rate) or not 0 <= rate < 1:
        raise ValueError(
            f"`{argument}` must be a number from 0 up to, not including, 1. "
            f"Received: {argument}={rate!r}"
        )
    return float(rate)


def checked_classes(classes) -> int:
    """`classes` as an integer of at least one, and not more than any set of images has."""
    try:
        count = operator.index(classes)
    except TypeError:
        count = 0
    if isinstance(classes, bool) or not 1 <= count <= MOST_CLASSES:
        raise ValueError(
            f"`classes` must be a positive integer of at most {MOST_CLASSES:,}. "
            f"Received: classes={classes!r}"
        )
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
    """NumPy's integers as Python's; everything else unchanged."""
    try:
        return side if isinstance(side, bool) else operator.index(side)
    except TypeError:
        return side
