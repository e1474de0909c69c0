"""Says in one line what `import keras_resnet` lacks: a backend, or newer versions.

The oldest versions are those that docs/reliability.md lists; pip asks for no older ones either.
"""

import re
import sys
import warnings

OLDEST_KERAS = "3.10"
# By the names of the modules. Older ones may work: nobody has tried.
OLDEST = {"torch": "2.13", "jax": "0.10", "tensorflow": "2.18"}


def numbers(version: str) -> tuple[int, ...]:
    """Of a version, for comparison.

    >>> numbers("3.16.0.dev2026") > numbers("3.10") > numbers("3.9.2")
    True
    """
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def check_keras() -> None:
    """Raises where Keras or its backend cannot be used.

    Raises:
        ModuleNotFoundError: the backend is not installed; the message names the extra that is.
        ImportError: Keras is older than this package can work with.
    """
    try:
        import keras
    except ModuleNotFoundError as error:
        if error.name not in OLDEST:
            raise
        raise ModuleNotFoundError(
            f"Keras is to run on {error.name}, which is not installed: pip install "
            f'"keras3-resnet[{error.name}]", or name another backend in KERAS_BACKEND',
            name=error.name,
        ) from error
    if numbers(keras.__version__) < numbers(OLDEST_KERAS):
        raise ImportError(
            f"keras_resnet needs Keras {OLDEST_KERAS} or later: pip install --upgrade keras. "
            f"Received: Keras {keras.__version__}"
        )
    backend = keras.backend.backend()
    found = getattr(sys.modules.get(backend), "__version__", None)
    if backend in OLDEST and found and numbers(found) < numbers(OLDEST[backend]):
        warnings.warn(
            f"keras_resnet was tried with {backend} {OLDEST[backend]} and later. "
            f"Received: {backend} {found}",
            stacklevel=2,
        )


check_keras()
