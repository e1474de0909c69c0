"""The networks by name, with the arguments of keras.applications."""

from typing import Any, Protocol

import keras

from keras_resnet.models import Weights, build
from keras_resnet.networks.options import Pooling
from keras_resnet.networks.systems import NETWORKS
from keras_resnet.weights.find import has_imagenet_weights


class Builder(Protocol):
    """A network by name, called as its namesake in keras.applications.

    The options of `build` follow as keyword arguments.
    """

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = ...,
        input_tensor: Any = None,
        input_shape: tuple[int | None, ...] | None = None,
        pooling: Pooling | None = None,
        classes: int = ...,
        classifier_activation: Any = "softmax",
        name: str = ...,
        **options: Any,
    ) -> keras.Model: ...


def named(function_name: str, network: str) -> Builder:
    """A builder whose defaults and help come from its row."""
    row = NETWORKS[network]
    best = "imagenet" if has_imagenet_weights(network) else None

    def builder(
        include_top=True,
        weights=best,
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=row.classes,
        classifier_activation="softmax",
        name=network,
        **options,
    ):
        return build(
            network,
            include_top,
            weights,
            input_tensor,
            input_shape,
            pooling,
            classes,
            classifier_activation,
            name,
            **options,
        )

    builder.__name__ = builder.__qualname__ = function_name
    builder.network = network  # type: ignore[attr-defined]
    builder.__doc__ = f"{described(row)}\n\nArguments, errors and what is returned: see `build`."
    return builder


def described(row) -> str:
    """The first line of a builder's help."""
    if row.family != "resnet":
        return f"{PAPERS[row.family]}: {row.depth} layers, {row.kind}."
    kind = f"residual network, shortcut option {row.shortcut}" if row.shortcut else "plain network"
    blocks = f"{' + '.join(map(str, row.blocks))} {row.block} blocks"
    if row.order == "v2":
        return f"The V2 of keras.applications, a {row.depth}-layer {kind}: {blocks}."
    return f"The paper's {row.depth}-layer {kind}: {blocks}."


PAPERS = {
    "vgg": "VGG (arXiv:1409.1556)",
    "googlenet": "GoogLeNet (arXiv:1409.4842)",
    "prelu_net": "PReLU-net (arXiv:1502.01852)",
    "bn_inception": "BN-Inception (arXiv:1502.03167)",
}

ResNet18 = named("ResNet18", "resnet18")
ResNet34 = named("ResNet34", "resnet34")
ResNet50 = named("ResNet50", "resnet50")
ResNet101 = named("ResNet101", "resnet101")
ResNet152 = named("ResNet152", "resnet152")
Plain18 = named("Plain18", "plain18")
Plain34 = named("Plain34", "plain34")
ResNet20 = named("ResNet20", "cifar_resnet20")
ResNet32 = named("ResNet32", "cifar_resnet32")
ResNet44 = named("ResNet44", "cifar_resnet44")
ResNet56 = named("ResNet56", "cifar_resnet56")
ResNet110 = named("ResNet110", "cifar_resnet110")
ResNet1202 = named("ResNet1202", "cifar_resnet1202")
Plain20 = named("Plain20", "cifar_plain20")
Plain32 = named("Plain32", "cifar_plain32")
Plain44 = named("Plain44", "cifar_plain44")
Plain56 = named("Plain56", "cifar_plain56")
Plain110 = named("Plain110", "cifar_plain110")
ResNet50V2 = named("ResNet50V2", "resnet50v2")
ResNet101V2 = named("ResNet101V2", "resnet101v2")
ResNet152V2 = named("ResNet152V2", "resnet152v2")
VGG11 = named("VGG11", "vgg11")
VGG13 = named("VGG13", "vgg13")
VGG16 = named("VGG16", "vgg16")
VGG19 = named("VGG19", "vgg19")
GoogLeNet = named("GoogLeNet", "googlenet")
PReLUNetA = named("PReLUNetA", "prelu_net_a")
PReLUNetB = named("PReLUNetB", "prelu_net_b")
PReLUNetC = named("PReLUNetC", "prelu_net_c")
BNInception = named("BNInception", "bn_inception")
