"""How other libraries name our layers: one table of dialects, by the family of a network.

A dialect is a row: the name of one of our layers goes in, the library's name comes out. Layouts
of arrays and small differences in arithmetic are handled in `convert`, so that one graph takes
the weights of all dialects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from keras_resnet.networks.paper import one_of
from keras_resnet.weights import spellings as names
from keras_resnet.weights.layout import Layout
from keras_resnet.weights.spellings import by_place


@dataclass(frozen=True)
class Dialect:
    """One library's names and conventions for a network.

    Args:
        name: of the dialect.
        spell: from the name of our layer, other than `fc`, to the library's.
        fc: name of the fully connected layer.
        variables: `"torch"` is conv.weight (out, in, height, width), `"keras"` is
            conv/kernel (height, width, in, out).
        epsilon: that its batch normalization adds to the variance.
        bgr: conv1 reads blue, green, red.
        conv_bias: writes a bias with every convolution.
        optional: a prefix that its names may have or not.
        fc_is_1x1: the fully connected layer is a 1x1 convolution.
    """

    name: str
    spell: names.Spelling
    fc: str
    variables: Literal["torch", "keras"]
    epsilon: float = 1e-5
    bgr: bool = False
    conv_bias: bool = False
    optional: str = ""
    fc_is_1x1: bool = False

    def layer(self, name: str, layout: Layout) -> str | None:
        """The library's name of our layer; None where it has none."""
        return self.fc if name == "fc" else self.spell(name, layout)

    def variable(self, layer: str, variable: str) -> str:
        """The full name of a layer's variable, ours being kernel, bias, gamma, beta, ..."""
        if self.variables == "keras":
            return f"{layer}/{variable}"
        return f"{layer}.{TORCH_VARIABLES[variable]}"


TORCH_VARIABLES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "batches": "num_batches_tracked",
}


# keras.applications' batch normalization adds another epsilon than the paper's networks.
KERAS_EPSILON = 1.001e-5
OWN = Dialect("keras_resnet", names.own, "fc", "keras")
RESNET = (
    Dialect("torchvision", by_place(names.torchvision), "fc", "torch"),
    Dialect("timm", by_place(names.torchvision), "fc", "torch"),
    Dialect(
        "transformers", by_place(names.transformers), "classifier.1", "torch", optional="resnet."
    ),
    Dialect(
        "keras",
        by_place(names.keras_applications),
        "predictions",
        "keras",
        epsilon=KERAS_EPSILON,
        bgr=True,
        conv_bias=True,
    ),
    Dialect("caffe", by_place(names.caffe), "fc1000", "keras", bgr=True),
    Dialect("akamaster", by_place(names.akamaster), "linear", "torch"),
    Dialect("mmpretrain", by_place(names.mmpretrain), "head.fc", "torch"),
    Dialect("osmr", by_place(names.osmr), "output1", "keras"),
    Dialect("keras_hub", by_place(names.keras_hub), "predictions", "keras"),
    Dialect("keras_hub_ordinal", by_place(names.keras_hub_ordinal), "dense", "keras"),
)
KERAS_V2 = by_place(names.keras_applications, post_bn="post_bn")
TIMM_V2 = by_place(names.timm_v2, post_bn="norm")
PREACT = (
    Dialect("keras", KERAS_V2, "predictions", "keras", epsilon=KERAS_EPSILON),
    Dialect("timm", TIMM_V2, "head.fc", "torch", fc_is_1x1=True),
)
VGG = (
    Dialect("torchvision", names.torchvision_vgg, "classifier.6", "torch"),
    Dialect("keras", names.keras_vgg, "predictions", "keras", bgr=True),
)
BN_INCEPTION = (
    Dialect("cadene", names.cadene, "last_linear", "torch", bgr=True, conv_bias=True),
    Dialect("osmr", names.osmr_bn_inception, "output1", "keras", conv_bias=True),
)
# By the family of a network and the name of the dialect.
BY_FAMILY: Mapping[str, Mapping[str, Dialect]] = {
    family: {dialect.name: dialect for dialect in (OWN, *dialects)}
    for family, dialects in {
        "resnet": RESNET,
        "preact": PREACT,
        "vgg": VGG,
        "bn_inception": BN_INCEPTION,
        "googlenet": (),
        "prelu_net": (),
    }.items()
}
# Those of ResNets of the paper's order.
DIALECTS = BY_FAMILY["resnet"]
# All names there are, whatever the network.
NAMES = tuple(dict.fromkeys(name for known in BY_FAMILY.values() for name in known))


def dialect_of(layout: Layout, name: str) -> Dialect:
    """The dialect of this name for a network.

    Raises:
        ValueError: there is none, or none that has names for such a network.
    """
    one_of("dialect", name, NAMES)
    one_of("dialect", name, BY_FAMILY[layout.family])
    return BY_FAMILY[layout.family][name]
