"""The program `keras-resnet`.

Importing `keras_resnet` loads Keras, which takes seconds; `keras-resnet --help`, `list`, `weights`
and `completion` do without. So the package is first entered into `sys.modules` without running
its `__init__`, which lets the modules of the package be imported one by one. Before a command that
needs Keras, the `__init__` runs in the same module object: the package is then as after
`import keras_resnet`, with its public names, and Keras knows the classes of saved models.
"""

import importlib.util
import sys
from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line. Returns the exit status."""
    import_package = enter_package()
    from keras_resnet.commands import main as run

    return run(arguments, import_package)


def enter_package() -> Callable[[], object]:
    """Makes modules of keras_resnet importable, and returns what runs the package's `__init__`."""
    if "keras_resnet" in sys.modules:
        return lambda: None
    spec = importlib.util.find_spec("keras_resnet")
    if spec is None or spec.loader is None:
        raise ImportError("keras_resnet is not installed beside keras_resnet_cli")
    package = sys.modules["keras_resnet"] = importlib.util.module_from_spec(spec)
    run_module = spec.loader.exec_module
    return lambda: run_module(package)


if __name__ == "__main__":
    sys.exit(main())
