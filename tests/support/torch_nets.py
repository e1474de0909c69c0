"""What the tests of the layers on PyTorch share."""

import keras
from torch.utils._python_dispatch import TorchDispatchMode

from support import filled


class Dispatched(TorchDispatchMode):
    """The names of the operations that torch runs."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(function.__name__.split(".")[0])
        return function(*args, **(kwargs or {}))


def small(**options):
    last = keras.config.image_data_format() == "channels_last"
    shape = (64, 64, 3) if last else (3, 64, 64)
    return filled("resnet50", input_shape=shape, classes=5, **options)


def reference(model):
    """The same layers, called one by one."""
    return keras.Model(model.input, model.output)
