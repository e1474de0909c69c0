"""A device that PyTorch believes in, without one: operators and bytes of a step, and no data.

Run as a program, as PyTorch counts devices at its first backward pass: prints what a step of each
case costs, as JSON.
"""

import contextlib
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

DEVICE = "pretended"
BATCH = 256
_setup_privateuseone_for_python_backend(DEVICE)
# What makes another view of a tensor, and moves nothing.
VIEWS = {"view", "_unsafe_view", "permute", "transpose", "t", "expand", "slice", "select", "alias"}
VIEWS |= {"detach", "as_strided", "squeeze", "unsqueeze", "split", "split_with_sizes", "unbind"}
COPIES = {"clone", "copy_", "constant_pad_nd", "replication_pad2d"}
# Kernels of CUDA that torch knows no shapes of.
CHANNELS = {"batch_norm_stats": 2, "batch_norm_backward_reduce": 4}
MAPS = ("batch_norm_elemt", "batch_norm_backward_elemt")
# Arguments that are only written to.
WRITTEN = {"out", "grad_input"}


class Counted(TorchDispatchMode):
    """What runs inside.

    Attributes:
        operators: how many, views left out.
        bytes: that they read and write.
        copies: of maps of a whole batch, gathering the branches of a module left out.
        waits: how often the host waits for a number of the device, or sends it one of its own.
    """

    def __init__(self):
        super().__init__()
        self.operators = self.bytes = self.copies = self.waits = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        outputs = function(*args, **kwargs)
        name = function.__name__.split(".")[0]
        places = devices((args, kwargs)), devices(outputs)
        crosses = name == "_to_copy" and len(set.union(*places)) > 1
        self.waits += name == "_local_scalar_dense" or crosses
        self.copies += name in COPIES and any(map(is_map, tree_leaves(outputs)))
        if name not in VIEWS and function.namespace == "aten":
            read = {key: value for key, value in kwargs.items() if key not in WRITTEN}
            self.operators += 1
            self.bytes += sum(map(bytes_of, tree_leaves((args, read, outputs))))
        return outputs


def devices(tensors):
    return {x.device.type for x in tree_leaves(tensors) if isinstance(x, torch.Tensor)}


def is_map(x):
    return x.ndim == 4 and x.shape[0] == BATCH and x.numel() > BATCH * max(x.shape[1:])


def bytes_of(x):
    return x.numel() * x.element_size() if isinstance(x, torch.Tensor) else 0


def shapes_of_kernels():
    """Teaches torch the outputs of kernels that only CUDA has, for as long as it is kept."""

    def vectors(count):
        return lambda x, *_: (x.new_empty(x.shape[1], dtype=torch.float32),) * count

    library = torch.library.Library("aten", "IMPL")
    for name, count in CHANNELS.items():
        library.impl(name, vectors(count), "Meta")
    for name in MAPS:
        library.impl(name, lambda x, *_: torch.empty_like(x), "Meta")
    return library


@contextlib.contextmanager
def pretended(model):
    """Within, the variables of a Keras model are on the pretended device, and so is all it makes.

    The model cannot be used afterwards.
    """
    with FakeTensorMode(allow_non_fake_inputs=True), keras.device(DEVICE):
        for variable in model.variables:
            old = variable._value
            new = torch.empty(old.shape, dtype=old.dtype, device=DEVICE)
            new = out_first(new) if new.ndim == 4 else new
            variable._value = torch.nn.Parameter(new, requires_grad=old.requires_grad)
        yield


def counted_step(name, policy="float32", synchronized=False, **options):
    """The forward and the backward pass of a step of training, counted."""
    keras.config.set_dtype_policy(policy)
    with keras.device("meta"):
        model = keras_resnet.build(name, weights=None, classifier_activation=None, **options)
    replicas.sum_over_replicas = torch.clone if synchronized else None
    with pretended(model):
        x = torch.empty(BATCH, *model.input_shape[1:], device=DEVICE)
        labels = torch.zeros(BATCH, dtype=torch.long, device=DEVICE)
        with Counted() as counted:
            outputs = tree_leaves(model(x, training=True))  # GoogLeNet may have three
            sum(torch.nn.functional.cross_entropy(y, labels) for y in outputs).backward()
    names = "operators", "bytes", "copies", "waits"
    return {name: getattr(counted, name) for name in names}


def main():
    internals.STATISTICS_DEVICES.add(DEVICE)
    library = shapes_of_kernels()
    cases = json.loads(sys.argv[1])
    print(json.dumps([counted_step(**case) for case in cases]))
    del library


if __name__ == "__main__":
    import keras

    import keras_resnet
    from keras_resnet.layers import replicas
    from keras_resnet.layers.torch import internals
    from keras_resnet.layers.torch.kernels import out_first

    main()
