"""How other libraries spell our layers: names, layouts and conventions, both ways.

A dialect is a row: where a convolution stands in the paper's networks goes in, the
library's names come out. Layouts and small differences in arithmetic are folded in
`convert`, so that one graph takes them all.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from keras_resnet.networks.paper import Stem

OWN_NAME = re.compile(r"conv(\d+)_(\d+)_(a|b|c|shortcut|preact)")


@dataclass(frozen=True)
class Place:
    """Where a convolution stands: stage 3, block 1, part "a" is `conv3_1_a`; stage 1 is conv1.

    The parts of a deep conv1 are "a", "b" and ""; "preact" is a block's own normalization.
    """

    stage: int
    block: int = 0
    part: str = ""

    @property
    def number(self) -> int:
        """1, 2, 3 for the parts a, b, c of a block."""
        return "abc".index(self.part) + 1

    @property
    def is_shortcut(self) -> bool:
        return self.part == "shortcut"


@dataclass(frozen=True)
class Layout:
    """What the names of a network's layers say about it.

    Args:
        stem: of a residual or plain network.
        blocks: of each stage; of a VGG, the convolutions of each group.
        bottleneck: whether blocks have three convolutions.
        family: as rows have it, and `"preact"` for residual networks of another order.
        average: whether projections follow an average pool.
    """

    stem: Stem
    blocks: tuple[int, ...]
    bottleneck: bool
    family: str = "resnet"
    average: bool = False


def place_of(layer_name: str) -> Place | None:
    """Where one of our convolutions stands; None for a layer that is not one of them."""
    if layer_name in ("conv1", "conv1_a", "conv1_b"):
        return Place(1, part=layer_name[6:])
    match = OWN_NAME.fullmatch(layer_name)
    return Place(int(match[1]), int(match[2]), match[3]) if match else None


def place_of_layer(layer_name: str) -> Place | None:
    """The place of one of our convolutions, or of the one that a batch normalization follows."""
    return place_of(layer_name.removesuffix("_bn"))


# What only one family's layers are called; the first that is found decides.
SIGNS = {
    "conv2_1_preact_bn": "preact",
    "conv2_2_preact_bn": "preact",
    "post_bn": "preact",
    "inception_3a_5x5": "googlenet",
    "inception_3a_double_3x3_1": "bn_inception",
    "conv1_prelu": "prelu_net",
    "conv1_1": "vgg",
}


def layout_of(layer_names: Iterable[str]) -> Layout:
    """The family, the stem, the blocks of each stage and their kind, read off layers' names."""
    names = set(layer_names)
    family = next((family for sign, family in SIGNS.items() if sign in names), "resnet")
    if family == "vgg":
        return Layout("imagenet", groups_of(names), False, family)
    places = [place for name in names if (place := place_of(name)) and place.stage > 1]
    stages = range(2, 1 + max((place.stage for place in places), default=1))
    blocks = tuple(max((p.block for p in places if p.stage == s), default=0) for s in stages)
    bottleneck = any(place.part == "c" for place in places)
    stem: Stem = "deep" if "conv1_a" in names else "imagenet" if "pool1" in names else "cifar"
    average = any(name.endswith("_shortcut_pool") for name in names)
    return Layout(stem, blocks, bottleneck, family, average)


def groups_of(names: Iterable[str]) -> tuple[int, ...]:
    """How many convolutions each group of a VGG has."""
    found = [match for name in names if (match := re.fullmatch(r"conv(\d)_(\d)", name))]
    groups = sorted({int(match[1]) for match in found})
    return tuple(sum(int(match[1]) == group for match in found) for group in groups)


Spelling = Callable[[Place, Layout], tuple[str, str]]
Words = Callable[[str, Layout], str | None]


@dataclass(frozen=True)
class Dialect:
    """One library's way of writing down a residual network.

    Args:
        name: of the dialect.
        spell: from a place to the names of the convolution and its batch normalization.
        fc: name of the fully connected layer.
        variables: `"torch"` is conv.weight (out, in, height, width), `"keras"` is
            conv/kernel (height, width, in, out).
        epsilon: that its batch normalization adds to the variance.
        bgr: conv1 reads blue, green, red.
        conv_bias: writes a bias with every convolution.
        optional: its names may begin with this, or not.
        fc_is_1x1: the fully connected layer is a 1x1 convolution.
    """

    name: str
    spell: Spelling | Words
    fc: str
    variables: Literal["torch", "keras"]
    epsilon: float = 1e-5
    bgr: bool = False
    conv_bias: bool = False
    optional: str = ""
    fc_is_1x1: bool = False

    def layer(self, name: str, layout: Layout) -> str | None:
        """What our layer is called; None for one there is no word for."""
        if name == "fc":
            return self.fc
        if layout.family != "resnet":
            return self.spell(name, layout)  # type: ignore[arg-type,return-value]
        place = place_of_layer(name)
        return place and self.spell(place, layout)[name.endswith("_bn")]  # type: ignore

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


def own(place: Place, layout: Layout):
    name = "conv1" if place.stage == 1 else f"conv{place.stage}_{place.block}_{place.part}"
    return name, f"{name}_bn"


def torchvision(place: Place, layout: Layout, shortcut: str = "downsample"):
    """torchvision/models/resnet.py; timm's ResNets are spelled alike."""
    if place.stage == 1:
        return torchvision_conv1(place, layout)
    block = f"layer{place.stage - 1}.{place.block - 1}"
    if place.is_shortcut:
        first = 1 if layout.average else 0  # timm's average pool is number 0
        return f"{block}.{shortcut}.{first}", f"{block}.{shortcut}.{first + 1}"
    return f"{block}.conv{place.number}", f"{block}.bn{place.number}"


def torchvision_conv1(place: Place, layout: Layout):
    if layout.stem != "deep":
        return "conv1", "bn1"
    # timm counts convolutions, normalizations and ReLUs of a deep stem.
    return {
        "a": ("conv1.0", "conv1.1"),
        "b": ("conv1.3", "conv1.4"),
        "": ("conv1.6", "bn1"),
    }[place.part]


def akamaster(place: Place, layout: Layout):
    return torchvision(place, layout, shortcut="shortcut")


def mmpretrain(place: Place, layout: Layout):
    conv, bn = torchvision(place, layout)
    return f"backbone.{conv}", f"backbone.{bn}"


def transformers(place: Place, layout: Layout):
    """transformers/models/resnet/modeling_resnet.py."""
    if place.stage == 1:
        block = "resnet.embedder.embedder"
    else:
        block = f"resnet.encoder.stages.{place.stage - 2}.layers.{place.block - 1}"
        block += ".shortcut" if place.is_shortcut else f".layer.{place.number - 1}"
    return f"{block}.convolution", f"{block}.normalization"


def keras_applications(place: Place, layout: Layout):
    if place.stage == 1:
        return "conv1_conv", "conv1_bn"
    number = 0 if place.is_shortcut else place.number
    block = f"conv{place.stage}_block{place.block}_{number}"
    return f"{block}_conv", f"{block}_bn"


def caffe(place: Place, layout: Layout):
    """MSRA's prototxt: res2a_branch2a, ...; long stages count 4a, 4b1, 4b2, ... instead."""
    if place.stage == 1:
        return "conv1", "bn_conv1"
    # ResNet-50 has letters throughout; 101 and 152 number the blocks of conv3_x and conv4_x.
    numbered = sum(layout.blocks) > 16 and place.stage in (3, 4) and place.block > 1
    block = f"b{place.block - 1}" if numbered else "abcdefghijklmnopqrstuvwxyz"[place.block - 1]
    branch = "1" if place.is_shortcut else f"2{place.part}"
    unit = f"{place.stage}{block}_branch{branch}"
    return f"res{unit}", f"bn{unit}"


def osmr(place: Place, layout: Layout):
    """tensorflow2/tf2cv/models/resnet.py and resnet_cifar.py of imgclsmob."""
    if place.stage == 1:
        block = "features/init_block" + ("/conv" if layout.stem == "imagenet" else "")
    else:
        block = f"features/stage{place.stage - 1}/unit{place.block}/"
        block += "identity_conv" if place.is_shortcut else f"body/conv{place.number}"
    return f"{block}/conv/conv", f"{block}/bn"


def keras_hub(place: Place, layout: Layout):
    """keras_hub/src/models/resnet/resnet_backbone.py."""
    if place.stage == 1:
        return "conv1_conv", "conv1_bn"
    number = 0 if place.is_shortcut else place.number
    block = f"stack{place.stage - 2}_block{place.block - 1}_{number}"
    return f"{block}_conv", f"{block}_bn"


def keras_hub_ordinal(place: Place, layout: Layout):
    """The same network in a file that numbers layers of a class instead of naming them.

    Keras sorts a graph by depth, so that a projection comes just before the last
    convolution of its block.
    """
    number = 0
    parts = 3 if layout.bottleneck else 2
    for stage, blocks in enumerate(layout.blocks[: max(0, place.stage - 1)], start=2):
        before = min(blocks, place.block - 1) if stage == place.stage else blocks
        projects = before > 0 and (layout.bottleneck or stage > 2)
        number += before * parts + projects
    if place.stage > 1:
        projects = place.block == 1 and (layout.bottleneck or place.stage > 2)
        last = not place.is_shortcut and place.number == parts
        number += parts if place.is_shortcut else place.number + (projects and last)
    suffix = f"_{number}" if number else ""
    return f"conv2d{suffix}", f"batch_normalization{suffix}"


DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Dialect("keras_resnet", own, "fc", "keras"),
        Dialect("torchvision", torchvision, "fc", "torch"),
        Dialect("timm", torchvision, "fc", "torch"),
        Dialect("transformers", transformers, "classifier.1", "torch", optional="resnet."),
        Dialect(
            "keras",
            keras_applications,
            "predictions",
            "keras",
            epsilon=1.001e-5,
            bgr=True,
            conv_bias=True,
        ),
        Dialect("caffe", caffe, "fc1000", "keras", bgr=True),
        Dialect("akamaster", akamaster, "linear", "torch"),
        Dialect("mmpretrain", mmpretrain, "head.fc", "torch"),
        Dialect("osmr", osmr, "output1", "keras"),
        Dialect("keras_hub", keras_hub, "predictions", "keras"),
        Dialect("keras_hub_ordinal", keras_hub_ordinal, "dense", "keras"),
    )
}
