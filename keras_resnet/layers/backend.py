"""Where the code of the active backend is found: the only place that looks a backend up."""

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
