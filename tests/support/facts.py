"""What tests ask of a network of full size: built once a process, and only its facts are kept."""

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

import keras
import pytest

import keras_resnet
from keras_resnet.networks.family import LATER_DEPTHS, RESNET_CD, RESNEXT, TABLE, WIDE
from support import BACKEND, without_values


@dataclasses.dataclass(frozen=True)
class Facts:
    """A network at its own size, without its values.

    Args:
        name: of the model.
        costs: of `keras_resnet.count`.
        output: shape of the output, of the first where there are several.
        variables: path and shape of every variable, in order.
        ends: shape of every endpoint by name.
        layers: by name, in order: class, shape of its kernel or None, names of the layers read.
        last: name of the layer that makes the output.
    """

    name: str
    costs: Any
    output: tuple[int | None, ...]
    variables: list[tuple[str, tuple[int, ...]]]
    ends: dict[str, tuple[int | None, ...]]
    layers: dict[str, tuple[type, tuple[int, ...] | None, list[str]]]
    last: str

    @property
    def kernels(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the kernels by the name of the layer."""
        return {name: kernel for name, (_, kernel, _) in self.layers.items() if kernel}


# One of every kind, the smallest.
KINDS = {
    *("resnet18", "resnet50", "plain18", "cifar_resnet20", "cifar_plain20", "resnext50_32x4d"),
    *("preact_resnet18", "preact_resnet50", "resnet50v2", "googlenet", "bn_inception"),
    *("cifar_wide_resnet16_8", "wide_resnet50_2", "resnet18d", "cifar_resnext29_8x64d"),
}
LATER = {RESNEXT, WIDE, RESNET_CD, LATER_DEPTHS}
DEEPEST = {"cifar_resnet1202", "preact_resnet1001"}  # tests/networks/test_deep.py builds such


def is_later(name: str) -> bool:
    """Whether a network came after the paper and its tables: ResNeXt, Wide ResNet, ResNet-D."""
    return TABLE[name].source in LATER


def all_kinds(cases: Iterable[Any]) -> list[Any]:
    """Names or rows of networks, those that `make test` leaves to `make test-all` marked slow.

    On torch's meta device the paper's own and those it compares with, but for the deepest, are
    built in seconds; elsewhere one of every kind is.
    """
    names = [getattr(case, "network", case) for case in cases]
    own = {name for name in names if BACKEND == "torch" and not is_later(name)} - DEEPEST
    chosen = [name in KINDS | own for name in names]
    return [
        case if quick else pytest.param(case, marks=pytest.mark.slow)
        for case, quick in zip(cases, chosen, strict=True)
    ]


def facts(network: str, **options) -> Facts:
    """Of `keras_resnet.build(network, **options)`; options are plain values."""
    return kept(network, tuple(sorted(options.items())))


@functools.cache
def kept(network: str, options: tuple[tuple[str, Any], ...]) -> Facts:
    with without_values():
        model = keras_resnet.build(network, **dict(options))
    output = next(iter(keras.tree.flatten(model.output)))
    return Facts(
        name=model.name,
        costs=keras_resnet.count(model),
        output=output.shape,
        variables=[(v.path, tuple(v.shape)) for v in model.weights],
        ends={name: end.shape for name, end in keras_resnet.endpoints(model).items()},
        layers={layer.name: described(layer) for layer in model.layers},
        last=output._keras_history.operation.name,
    )


def described(layer) -> tuple[type, tuple[int, ...] | None, list[str]]:
    kernel = tuple(layer.kernel.shape) if hasattr(layer, "kernel") else None
    sources = [] if isinstance(layer, keras.layers.InputLayer) else keras.tree.flatten(layer.input)
    return type(layer), kernel, [source._keras_history.operation.name for source in sources]
