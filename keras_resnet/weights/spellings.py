"""The names that other libraries give to our layers, as functions of our own names."""

import re
from collections.abc import Callable

from keras_resnet.weights.layout import Layout, Place, place_of

# From the name of our layer to the library's, or None where it has no name for the layer.
Spelling = Callable[[str, Layout], str | None]
# The library's names of the convolution at a place and of its batch normalization.
Pair = tuple[str | None, str | None]


def own(name: str, layout: Layout) -> str:
    return name


def by_place(pair: Callable[[Place, Layout], Pair], **others: str) -> Spelling:
    """A spelling from a function of places; `others` are layers that have no place, by name."""

    def spell(name: str, layout: Layout) -> str | None:
        place = place_of(name)
        return pair(place, layout)[name.endswith("_bn")] if place else others.get(name)

    return spell


def torchvision(place: Place, layout: Layout, shortcut: str = "downsample") -> Pair:
    """torchvision/models/resnet.py; timm's ResNets have the same names."""
    if place.stage == 1:
        if layout.stem != "deep":
            return "conv1", "bn1"
        # timm counts convolutions, normalizations and ReLUs of a deep stem.
        deep = {"a": ("conv1.0", "conv1.1"), "b": ("conv1.3", "conv1.4"), "": ("conv1.6", "bn1")}
        return deep[place.part]
    block = f"layer{place.stage - 1}.{place.block - 1}"
    if place.is_shortcut:
        first = int(layout.average)  # timm's average pool is number 0
        return f"{block}.{shortcut}.{first}", f"{block}.{shortcut}.{first + 1}"
    return f"{block}.conv{place.number}", f"{block}.bn{place.number}"


def akamaster(place: Place, layout: Layout) -> Pair:
    return torchvision(place, layout, shortcut="shortcut")


def mmpretrain(place: Place, layout: Layout) -> Pair:
    conv, bn = torchvision(place, layout)
    return f"backbone.{conv}", f"backbone.{bn}"


def transformers(place: Place, layout: Layout) -> Pair:
    """transformers/models/resnet/modeling_resnet.py"""
    block = "resnet.embedder.embedder"
    if place.stage > 1:
        block = f"resnet.encoder.stages.{place.stage - 2}.layers.{place.block - 1}"
        block += ".shortcut" if place.is_shortcut else f".layer.{place.number - 1}"
    return f"{block}.convolution", f"{block}.normalization"


def keras_applications(place: Place, layout: Layout) -> Pair:
    """keras/src/applications/resnet.py and resnet_v2.py"""
    block = "conv1"
    if place.stage > 1:
        number = "preact" if place.part == "preact" else place.number
        block = f"conv{place.stage}_block{place.block}_{number}"
    return f"{block}_conv", f"{block}_bn"


def caffe(place: Place, layout: Layout) -> Pair:
    """MSRA's prototxt: res2a_branch2a, ...; long stages count 4a, 4b1, 4b2, ... instead."""
    if place.stage == 1:
        return "conv1", "bn_conv1"
    # ResNet-50 has letters only; 101 and 152 number the blocks of conv3_x and conv4_x.
    numbered = sum(layout.blocks) > 16 and place.stage in (3, 4) and place.block > 1
    block = f"b{place.block - 1}" if numbered else "abcdefghijklmnopqrstuvwxyz"[place.block - 1]
    branch = "1" if place.is_shortcut else f"2{place.part}"
    unit = f"{place.stage}{block}_branch{branch}"
    return f"res{unit}", f"bn{unit}"


def osmr(place: Place, layout: Layout) -> Pair:
    """tensorflow2/tf2cv/models/resnet.py and resnet_cifar.py of imgclsmob"""
    block = "features/init_block" + ("/conv" if layout.stem == "imagenet" else "")
    if place.stage > 1:
        block = f"features/stage{place.stage - 1}/unit{place.block}/"
        block += "identity_conv" if place.is_shortcut else f"body/conv{place.number}"
    return f"{block}/conv/conv", f"{block}/bn"


def keras_hub(place: Place, layout: Layout) -> Pair:
    """keras_hub/src/models/resnet/resnet_backbone.py"""
    block = "conv1"
    if place.stage > 1:
        block = f"stack{place.stage - 2}_block{place.block - 1}_{place.number}"
    return f"{block}_conv", f"{block}_bn"


def keras_hub_ordinal(place: Place, layout: Layout) -> Pair:
    """The same network in a file that numbers layers of a class instead of naming them.

    Keras sorts a graph by depth, so that a projection comes just before the last
    convolution of its block.
    """
    parts = 3 if layout.bottleneck else 2
    number = 0
    for stage, blocks in enumerate(layout.blocks[: max(0, place.stage - 1)], start=2):
        before = min(blocks, place.block - 1) if stage == place.stage else blocks
        projects = before > 0 and (layout.bottleneck or stage > 2)
        number += before * parts + projects
    if place.stage > 1:
        projects = place.block == 1 and (layout.bottleneck or place.stage > 2)
        last = place.number == parts
        number += parts if place.is_shortcut else place.number + (projects and last)
    suffix = f"_{number}" if number else ""
    return f"conv2d{suffix}", f"batch_normalization{suffix}"


def timm_v2(place: Place, layout: Layout) -> Pair:
    """timm/models/resnetv2.py: norm1 is a block's own, norm2 and norm3 follow conv1 and conv2."""
    if place.stage == 1:
        if layout.stem != "deep":
            return "stem.conv", None
        number = {"a": 1, "b": 2, "": 3}[place.part]
        return f"stem.conv{number}", f"stem.norm{number}" if place.part else None
    block = f"stages.{place.stage - 2}.blocks.{place.block - 1}"
    if place.part == "preact":
        return None, f"{block}.norm1"
    if place.is_shortcut:
        return f"{block}.downsample.conv", None
    return f"{block}.conv{place.number}", f"{block}.norm{place.number + 1}"


def keras_vgg(name: str, layout: Layout) -> str | None:
    """keras/src/applications/vgg16.py"""
    if match := re.fullmatch(r"conv(\d)_(\d)", name):
        return f"block{match[1]}_conv{match[2]}"
    return {"fc6": "fc1", "fc7": "fc2"}.get(name)


def torchvision_vgg(name: str, layout: Layout) -> str | None:
    """torchvision/models/vgg.py counts convolutions, ReLUs and pools together."""
    if match := re.fullmatch(r"conv(\d)_(\d)", name):
        group, number = int(match[1]), int(match[2])
        before = sum(layout.blocks[: group - 1])
        return f"features.{2 * (before + number - 1) + group - 1}"
    return {"fc6": "classifier.0", "fc7": "classifier.3"}.get(name)


def cadene(name: str, layout: Layout) -> str | None:
    """pretrainedmodels/models/bninception.py"""
    first = {"conv1": "conv1_7x7_s2", "conv2_reduce": "conv2_3x3_reduce", "conv2": "conv2_3x3"}
    start = name.removesuffix("_bn")
    if start in first:
        return first[start] + name.removeprefix(start)
    return name if start.startswith("inception_") else None


OSMR_FIRST = {"conv1": "conv1", "conv2_reduce": "conv2/conv1", "conv2": "conv2/conv2"}
OSMR_STAGES = ("3a 3b", "3c 4a 4b 4c 4d", "4e 5a 5b")
OSMR_BRANCHES = {
    "1x1": "branch1",
    "3x3_reduce": "branch2/conv1",
    "3x3": "branch2/conv2",
    "double_3x3_reduce": "branch3/conv1",
    "double_3x3_1": "branch3/conv2",
    "double_3x3_2": "branch3/conv3",
    "pool_proj": "branch4/conv",
}


def osmr_bn_inception(name: str, layout: Layout) -> str | None:
    """tensorflow2/tf2cv/models/bninception.py of imgclsmob"""
    start = name.removesuffix("_bn")
    if match := re.fullmatch(r"inception_(\d[a-e])_(\w+)", start):
        module, path = match[1], OSMR_BRANCHES[match[2]]
        stage = next(n for n, modules in enumerate(OSMR_STAGES, 1) if module in modules)
        unit = OSMR_STAGES[stage - 1].split().index(module) + 1
        if module in ("3c", "4e"):  # without the branch of a 1x1
            path = path.replace("branch2", "branch1").replace("branch3", "branch2")
        block = f"features/stage{stage}/unit{unit}/branches/{path}"
    elif start in OSMR_FIRST:
        block = f"features/init_block/{OSMR_FIRST[start]}"
    else:
        return None
    return f"{block}/bn" if name.endswith("_bn") else f"{block}/conv/conv"
