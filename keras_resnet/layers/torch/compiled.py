"""PyTorch: a network under torch.compile is one call, inside which the compiler sees tensors only.

What Keras does around a layer dynamo cannot read in one piece, so it does not look: the compiler
behind it runs the call on tensors without data, and gets every operation of the plan.
"""

import contextlib
import threading

import keras
import numpy as np
import torch

from keras_resnet.layers.calls import training_of_caller
from keras_resnet.layers.torch.internals import is_dynamo_at_work, opaque_to_dynamo

_thread = threading.local()


def is_compiled() -> bool:
    """Whether what runs is recorded for a compiler: nothing may depend on an object's users."""
    return getattr(_thread, "compiled", False)


@contextlib.contextmanager
def compiling():
    _thread.compiled = True
    try:
        yield
    finally:
        _thread.compiled = False


def run_compiled(model, args, kwargs):
    if not is_dynamo_at_work():
        return NotImplemented
    training = training_of_caller()
    if training is not None:
        kwargs = {"training": training, **kwargs}
    args = [torch.as_tensor(x) if isinstance(x, np.ndarray) else x for x in args]
    return traced(model, args, kwargs)


@opaque_to_dynamo
def traced(model, args, kwargs):
    return called(model, args, kwargs)


@torch.compiler.disable  # where dynamo cannot pass the arguments on, it is not to look inside
def called(model, args, kwargs):
    """Calls a network with the parameters that torch puts in the place of its own."""
    values = {id(v): model.torch_params[v.path] for v in model.variables}
    given = [(v, values[id(v)]) for v in model.variables]
    with compiling(), keras.StatelessScope(given) as scope:
        outputs = keras.Model.__call__(model, *args, **kwargs)
    with torch.no_grad():
        for variable in model.non_trainable_variables:
            after, before = scope.get_current_value(variable), values[id(variable)]
            if after is not before:
                before.copy_(after)
    return outputs
