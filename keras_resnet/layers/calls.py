"""What Keras does around the call of a layer and the writing of its weights, by private names.

Each is used in one function here; where a Keras lacks one, a warning says so.
"""

import functools
from typing import Any

import keras
from keras.src.backend.common import global_state

from keras_resnet.graph import warn_of


def lacks_names(model) -> bool:
    """Whether Keras lacks a name by which a model is run node by node; warns once if so."""
    read = ("_nodes_by_depth", "_standardize_inputs", "_call_context_args")
    missing = [name for name in read if not hasattr(model, name)]
    missing += [] if marks_masks() else ["_keras_mask"]
    if missing:
        warn_of(tuple(missing), "Models run as Keras runs them, slower")
    return bool(missing)


@functools.cache
def marks_masks() -> bool:
    """Whether `has_mask` sees a mask."""
    with keras.device("cpu"):
        return has_mask(keras.layers.Masking(name="masking")(keras.ops.zeros((1, 1, 1))))


def standardized_inputs(model, inputs: Any) -> list[Any]:
    """The flat list of tensors that a functional model makes of its argument."""
    return model._standardize_inputs(inputs)


def has_mask(tensor) -> bool:
    """Whether Keras passes a mask along with the tensor."""
    return hasattr(tensor, "_keras_mask")


def training_of_caller() -> bool | None:
    """The `training` argument of the layer that is running; None where none is."""
    context = global_state.get_global_attribute("current_call_ctx")
    return None if context is None else context.get_value("training")


def training_kwargs(operation, training: bool | None) -> dict[str, bool]:
    """`training` for a layer; operations of keras.ops do not take it."""
    takes_it = "training" in getattr(operation, "_call_context_args", ())
    return {"training": training} if takes_it and training is not None else {}


def stored_attributes(store: Any) -> Any:
    """The attributes beside a layer's own variables in a file; an empty dict if it has none."""
    if not isinstance(store, dict) and not hasattr(store, "_h5_entry_group"):
        warn_of(("_h5_entry_group",), "Files of weights do not say what network they are of")
    return getattr(getattr(store, "_h5_entry_group", None), "attrs", {})
