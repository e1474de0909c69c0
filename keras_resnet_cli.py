"""The program `keras-resnet`.

`keras-resnet --help` and `list` answer in a fifth of a second, and importing `keras_resnet`
takes Keras' seconds. So the package is put in place here without its public names; a command
imports the modules that it needs.
"""

import importlib.util
import sys
import types
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line. Returns the exit status."""
    if "keras_resnet" not in sys.modules:
        spec = importlib.util.find_spec("keras_resnet")
        assert spec is not None
        package = types.ModuleType("keras_resnet", __doc__)
        package.__path__, package.__spec__ = spec.submodule_search_locations or [], spec
        package.__file__ = spec.origin
        sys.modules["keras_resnet"] = package
    from keras_resnet.commands import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
