"""Arguments of public functions, checked against their annotations before anything is done."""

import collections.abc
import contextlib
import functools
import inspect
import math
import numbers
import os
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, Literal, TypeVar, Union

Function = TypeVar("Function", bound=Callable)
# What stands for a type: NumPy's numbers are numbers, and True is none.
ABSTRACT = {int: numbers.Integral, float: numbers.Real}
Fault = tuple[type[Exception], str] | None


def checked(**bounds: tuple[float, float]) -> Callable[[Function], Function]:
    """Has a function or class check its arguments by annotations, and by bounds where it has any.

    A wrong type is a TypeError; another choice than a Literal's, a number that is not finite, or
    one out of bounds, a ValueError. What an annotation says nothing of is not looked at.

    Args:
        bounds: the smallest and the largest number that an argument, or a member, may be.

    Example:

    >>> @checked(side=(1, math.inf))
    ... def square(side: float): return side**2
    >>> square(0)
    Traceback (most recent call last):
    ValueError: `side` must be at least 1. Received: side=0
    """

    def wrap(function: Function) -> Function:
        if isinstance(function, type):  # a data class: what its fields are given
            kind: Any = function
            kind.__init__ = wrap(kind.__init__)
            return kind
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args, **kwargs):
            hints = hints_of(call)
            try:
                given = signature.bind_partial(*args, **kwargs).arguments
            except TypeError:
                return function(*args, **kwargs)  # which raises Python's own error
            for name, value in given.items():
                if name in hints and signature.parameters[name].kind not in VARIABLE:
                    check(name, value, hints[name], bounds.get(name))
            return function(*args, **kwargs)

        # Keras asks for a layer's arguments in a way that does not look through `wraps`.
        call.__dict__.update(bounds=bounds, __signature__=signature)
        return typing.cast(Function, call)

    return wrap


VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@functools.cache
def hints_of(function: Callable) -> dict[str, Any]:
    """The annotations that can be resolved: not those that only a type checker imports."""
    function = inspect.unwrap(function)
    # A file that does not import Keras may name it: a caller with a model has imported it.
    known = {**function.__globals__, "keras": sys.modules.get("keras")}
    hints: dict[str, Any] = {}
    for name, hint in function.__annotations__.items():
        one = types.SimpleNamespace(__annotations__={name: hint})
        with contextlib.suppress(NameError, AttributeError):
            hints |= typing.get_type_hints(one, known)
    return hints


def check(name: str, value: Any, hint: Any, bound: tuple[float, float] | None = None) -> None:
    """Raises where a value is not what an annotation says, or out of bounds."""
    fault = fault_of(value, hint)
    if fault is None and bound and outside(value, bound):
        low, high = (f"{end:,}" for end in bound)
        wanted = f"at least {low}" if bound[1] == math.inf else f"from {low} to {high}"
        if hint in (int, int | None) and bound == (1, math.inf):
            wanted = "a positive integer"
        fault = ValueError, wanted
    if fault is not None:
        error, wanted = fault
        shown = repr(value)
        shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
        raise error(f"`{name}` must be {wanted}. Received: {name}={shown}")


def outside(value: Any, bound: tuple[float, float]) -> bool:
    """Whether a number, or one of several, is out of bounds."""
    if isinstance(value, list | tuple):
        return any(outside(member, bound) for member in value)
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_number and not bound[0] <= value <= bound[1]


def fault_of(value: Any, hint: Any) -> Fault:
    """The error of a value, and what is accepted; None of one that is."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        faults = [fault_of(value, part) for part in parts]
        if None in faults:
            return None
        kinds = {fault[0] for fault in faults if fault}
        wanted = " or ".join(dict.fromkeys(fault[1] for fault in faults if fault))
        return ValueError if ValueError in kinds else TypeError, wanted
    if origin is Literal:
        good = any(value is part or (type(value) is type(part) and value == part) for part in parts)
        return None if good else (ValueError, f"one of {', '.join(map(repr, parts))}")
    if hint is None or hint is type(None):
        return None if value is None else (TypeError, "None")
    kind = origin or hint
    if not isinstance(kind, type):
        return None
    if kind in ABSTRACT:
        return fault_of_number(value, kind)
    if kind is os.PathLike:
        return None if isinstance(value, os.PathLike) else (TypeError, "a path")
    if kind is collections.abc.Callable:
        return None if callable(value) else (TypeError, "a function")
    try:
        good = isinstance(value, kind)
    except TypeError:  # Any, or a Protocol, of which nobody can say
        return None
    if not good:
        if kind.__module__ == "collections.abc":
            return (
                TypeError,
                f"{'an' if kind.__name__ == 'Iterable' else 'a'} {kind.__name__.lower()}",
            )
        package = "keras." if kind.__module__.startswith("keras.") else ""
        return TypeError, f"a {package}{kind.__name__}"
    return fault_of_parts(value, kind, parts)


def fault_of_number(value: Any, kind: type) -> Fault:
    wanted = {int: "an integer", float: "a finite number"}[kind]
    if isinstance(value, bool) or not isinstance(value, ABSTRACT[kind]):
        return TypeError, wanted
    return None if math.isfinite(value) else (ValueError, wanted)


def fault_of_parts(value: Any, kind: type, parts: tuple) -> Fault:
    """That of the first bad member of a list or tuple, or of letters that are given for numbers."""
    if isinstance(value, str | bytes) and kind not in (str, bytes) and parts:
        good = parts[0] in (Any, type(value))
        return (
            None
            if good
            else (TypeError, f"a {kind.__name__.lower()} and no {type(value).__name__}")
        )
    if kind not in (list, tuple, collections.abc.Sequence) or not isinstance(value, list | tuple):
        return None
    one_for_all = len(parts) == 1 or (len(parts) == 2 and parts[1] is ...)
    hints = parts[:1] * len(value) if one_for_all else parts
    if parts and len(hints) != len(value):
        return ValueError, f"a {kind.__name__} of {len(parts)} members"
    for part, hint in zip(value, hints, strict=False):
        if fault := fault_of(part, hint):
            return fault[0], f"a {kind.__name__.lower()} of what is {fault[1]}"
    return None
