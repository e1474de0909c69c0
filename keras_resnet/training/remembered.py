"""What callbacks remember, kept with the state of a run and given back."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

PLAIN = (bool, int, float, str, type(None))
# Of every callback: what Keras sets, and not what the callback has found.
SET_BY_KERAS = frozenset(vars(keras.callbacks.Callback()))
ARRAY, TUPLE = "an array", "a tuple"


def begun(callbacks: Sequence[keras.callbacks.Callback]) -> list[dict[str, Any]]:
    """What each callback holds as a run begins, to know later what has changed since."""
    return [dict(vars(callback)) for callback in callbacks]


def read_callbacks(
    callbacks: Sequence[keras.callbacks.Callback],
    before: Sequence[dict[str, Any]],
    arrays: dict[str, np.ndarray],
) -> list[tuple[str, dict]]:
    """The class of each callback and its state: that of `get_state()`, or its attributes.

    The second covers Keras' own: the best value so far, the patience spent and the best weights
    of ReduceLROnPlateau, EarlyStopping and ModelCheckpoint.

    Args:
        before: what `begun` gave.
        arrays: gets the arrays of the states.

    Returns:
        For `json`, each class with its state. What a callback has changed and what cannot be
        kept, such as an open file, is named in `"not kept"`.
    """
    return [
        (type(callback).__name__, state_of(callback, then, f"callbacks/{number}", arrays))
        for number, (callback, then) in enumerate(zip(callbacks, before, strict=True))
    ]


def state_of(callback, then, place, arrays) -> dict[str, Any]:
    if hasattr(callback, "get_state"):
        return {"given": encoded(callback.get_state(), f"{place}/state", arrays)}
    kept: dict[str, Any] = {}
    lost = []
    for name, value in vars(callback).items():
        if name in SET_BY_KERAS:
            continue
        try:
            kept[name] = encoded(value, f"{place}/{name}", arrays)
        except TypeError:
            if then.get(name) is not value:
                lost.append(name)
    return {"kept": kept, "not kept": lost}


def encoded(value: Any, place: str, arrays: dict[str, np.ndarray]) -> Any:
    """A value for `json`; arrays go to `arrays` under names that begin with `place`.

    Raises:
        TypeError: it is, or holds, something else than numbers, strings, arrays, lists, tuples
            and dicts of strings.
    """
    if isinstance(value, np.generic) and value.dtype.kind in "bif":
        return value.item()
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[place] = value
        return {ARRAY: place}
    if isinstance(value, (list, tuple)):
        parts = [encoded(part, f"{place}/{n}", arrays) for n, part in enumerate(value)]
        return parts if isinstance(value, list) else {TUPLE: parts}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: encoded(part, f"{place}/{key}", arrays) for key, part in value.items()}
    raise TypeError(f"A state of {type(value).__name__} cannot be kept")


def decoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `encoded` was given."""
    if isinstance(value, list):
        return [decoded(part, arrays) for part in value]
    if isinstance(value, dict):
        if value.keys() == {ARRAY}:
            return arrays[value[ARRAY]]
        parts = {key: decoded(part, arrays) for key, part in value.items()}
        return tuple(parts[TUPLE]) if parts.keys() == {TUPLE} else parts
    return value


def restore_callbacks(
    callbacks: Sequence[keras.callbacks.Callback],
    saved: Sequence[tuple[str, dict[str, Any]]],
    arrays: dict[str, np.ndarray],
) -> None:
    """Gives the callbacks of each class the states that those of the class had, in their order.

    A callback that was not there before keeps the state it has. The saved state of one that is
    not there any more is dropped.
    """
    states: dict[str, list[dict[str, Any]]] = {}
    for name, state in saved:
        states.setdefault(name, []).append(state)
    for callback in callbacks:
        if not (left := states.get(type(callback).__name__)):
            continue
        state = decoded(left.pop(0), arrays)
        if hasattr(callback, "set_state"):
            callback.set_state(state["given"])
            continue
        if state["not kept"]:
            print(f"{type(callback).__name__} goes on without its {', '.join(state['not kept'])}")
        kept = state["kept"]
        if "monitor_op" not in kept and getattr(callback, "monitor_op", 0) is None:
            # It was a function: Keras chooses it late, and turns the sign of min_delta as it does.
            callback._set_monitor_op()
        vars(callback).update(kept)
