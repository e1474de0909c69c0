"""The networks by name, with the arguments of keras.applications.

Each is `build` with its row of the table of networks. `named.pyi`, which `python tools/builders.py`
writes, spells their signatures for editors and type checkers.
"""

import inspect
from collections.abc import Callable

import keras

from keras_resnet.models import HELP, SIGNATURE, build, default_weights
from keras_resnet.networks.family import BUILDERS, TABLE
from keras_resnet.networks.options import ARGUMENTS, described, parameters


def named(name: str, network: str) -> Callable[..., keras.Model]:
    """A builder whose defaults, options and help come from its row.

    Args:
        name: of the function.
        network: the name that `build` knows it by.
    """
    entry = TABLE[network]
    best = default_weights(network)

    def builder(*args, **keywords):
        if len(args) <= ARGUMENTS.index("weights"):
            keywords.setdefault("weights", best)
        return build(network, *args, **keywords)

    defaults = {"weights": best, "classes": entry.row.classes, "name": network}
    arguments = [
        argument.replace(default=defaults.get(argument.name, argument.default))
        for argument in map(SIGNATURE.parameters.__getitem__, ARGUMENTS)
    ]
    builder.__name__ = builder.__qualname__ = name
    builder.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*arguments, *parameters(entry.row)], return_annotation=keras.Model
    )
    arguments_help = HELP[HELP.find("    include_top:") : HELP.find("Example:")].rstrip()
    filled = arguments_help.replace("    OPTIONS", described(entry.row))
    builder.__doc__ = f"{entry.blurb}\n\nArgs:\n{filled}"
    builder.network = network  # type: ignore[attr-defined]
    return builder


__all__ = list(BUILDERS)
globals().update({name: named(name, network) for name, network in BUILDERS.items()})
