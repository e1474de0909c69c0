"""Where the code of the active backend is found: the only place that looks a backend up."""

import contextlib
import importlib
from typing import Any

import keras

BACKENDS = ("tensorflow", "jax", "torch")


def backend_part(package: str, module: str = "") -> Any:
    """The package, or one of its modules, that is written for the active backend.

    Args:
        package: a package of keras_resnet that has a folder for each backend.
        module: of that folder; by default, the folder itself.

    Example:

    >>> backend_part("layers").__name__ == f"keras_resnet.layers.{keras.backend.backend()}"
    True
    """
    parts = ("keras_resnet", package, keras.backend.backend(), module)
    return importlib.import_module(".".join(filter(None, parts)))


def tensorflow() -> Any:
    """TensorFlow, which leaves the GPU to the active backend where that is another.

    Raises:
        ImportError: it is not installed.

    Example:

    >>> tensorflow().constant([1, 2]).shape.as_list()
    [2]
    """
    import tensorflow

    if keras.backend.backend() != "tensorflow":
        with contextlib.suppress(RuntimeError):  # somebody else has begun to use it
            tensorflow.config.set_visible_devices([], "GPU")
    return tensorflow
