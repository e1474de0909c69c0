"""How other libraries spell the layers of networks that are no ResNets of the paper's order.

A spelling here is a function from our layer's name to theirs, or None where there is no word.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from keras_resnet.networks.paper import one_of
from keras_resnet.weights.dialects import DIALECTS, Dialect, Layout, place_of_layer


def own(name: str, layout: Layout) -> str | None:
    return name


def keras_v2(name, layout: Layout) -> str | None:
    """keras/src/applications/resnet_v2.py."""
    if name in ("conv1", "conv1_bn"):
        return {"conv1": "conv1_conv", "conv1_bn": "conv1_bn"}[name]
    place = place_of_layer(name)
    if place is None:
        return name if name == "post_bn" else None
    number = {"shortcut": 0, "preact": "preact"}.get(place.part) or (
        0 if place.is_shortcut else place.number
    )
    kind = "bn" if name.endswith("_bn") else "conv"
    return f"conv{place.stage}_block{place.block}_{number}_{kind}"


def timm_v2(name, layout: Layout) -> str | None:
    """timm/models/resnetv2.py: a block's norm1 is its own, norm2 and norm3 follow conv1, conv2."""
    if name in ("conv1", "post_bn"):
        return {"conv1": "stem.conv", "post_bn": "norm"}[name]
    place = place_of_layer(name)
    if place is None or place.stage == 1:
        return None
    block = f"stages.{place.stage - 2}.blocks.{place.block - 1}"
    if place.part == "preact":
        return f"{block}.norm1"
    if place.is_shortcut:
        return f"{block}.downsample.conv"
    return (
        f"{block}.norm{place.number + 1}" if name.endswith("_bn") else f"{block}.conv{place.number}"
    )


def keras_vgg(name: str, layout: Layout) -> str | None:
    """keras/src/applications/vgg16.py."""
    if match := re.fullmatch(r"conv(\d)_(\d)", name):
        return f"block{match[1]}_conv{match[2]}"
    return {"fc6": "fc1", "fc7": "fc2"}.get(name)


def torchvision_vgg(name: str, layout: Layout) -> str | None:
    """torchvision/models/vgg.py numbers convolutions, ReLUs and pools in one row."""
    if match := re.fullmatch(r"conv(\d)_(\d)", name):
        group, number = int(match[1]), int(match[2])
        before = sum(layout.blocks[: group - 1])
        return f"features.{2 * (before + number - 1) + group - 1}"
    return {"fc6": "classifier.0", "fc7": "classifier.3"}.get(name)


def cadene(name: str, layout: Layout) -> str | None:
    """pretrainedmodels/models/bninception.py."""
    start, *rest = name.partition("_bn")
    spelt = {
        "conv1": "conv1_7x7_s2",
        "conv2_reduce": "conv2_3x3_reduce",
        "conv2": "conv2_3x3",
    }.get(start)
    if spelt:
        return "".join((spelt, *rest))
    return name if start.startswith("inception_") else None


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
    """tensorflow2/tf2cv/models/bninception.py of imgclsmob."""
    start = name.removesuffix("_bn")
    block = {
        "conv1": "features/init_block/conv1",
        "conv2_reduce": "features/init_block/conv2/conv1",
        "conv2": "features/init_block/conv2/conv2",
    }.get(start)
    if match := re.fullmatch(r"inception_(\d[a-e])_(\w+)", start):
        module, branch = match.groups()
        stage = next(n for n, names in enumerate(OSMR_STAGES) if module in names.split())
        unit = OSMR_STAGES[stage].split().index(module)
        path = OSMR_BRANCHES[branch]
        if module in ("3c", "4e"):  # without the branch of a 1x1
            path = path.replace("branch2", "branch1").replace("branch3", "branch2")
        block = f"features/stage{stage + 1}/unit{unit + 1}/branches/{path}"
    if block is None:
        return None
    return f"{block}/bn" if name.endswith("_bn") else f"{block}/conv/conv"


OWN = replace(DIALECTS["keras_resnet"], spell=own)
FAMILIES: Mapping[str, Mapping[str, Dialect]] = {
    family: {dialect.name: dialect for dialect in (OWN, *dialects)}
    for family, dialects in {
        "preact": (
            Dialect("keras", keras_v2, "predictions", "keras", epsilon=1.001e-5),
            Dialect("timm", timm_v2, "head.fc", "torch", fc_is_1x1=True),
        ),
        "vgg": (
            Dialect("torchvision", torchvision_vgg, "classifier.6", "torch"),
            Dialect("keras", keras_vgg, "predictions", "keras", bgr=True),
        ),
        "bn_inception": (
            Dialect("cadene", cadene, "last_linear", "torch", bgr=True, conv_bias=True),
            Dialect("osmr", osmr_bn_inception, "output1", "keras", conv_bias=True),
        ),
        "googlenet": (),
        "prelu_net": (),
    }.items()
}
# All names there are, whatever the network.
NAMES = tuple(dict.fromkeys([*DIALECTS, *(n for known in FAMILIES.values() for n in known)]))


def dialects_of(layout: Layout) -> Mapping[str, Dialect]:
    """The dialects that have words for a network."""
    return DIALECTS if layout.family == "resnet" else FAMILIES[layout.family]


def dialect_of(layout: Layout, name: str) -> Dialect:
    """The dialect of this name for a network.

    Raises:
        ValueError: there is none, or none that knows such networks.
    """
    one_of("dialect", name, NAMES)
    one_of("dialect", name, dialects_of(layout))
    return dialects_of(layout)[name]
