"""What the names of our own layers say: where a convolution is, and what network they are of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from keras_resnet.networks.paper import Stem

CONVOLUTION = re.compile(r"conv(\d+)_(\d+)_(a|b|c|shortcut|preact)")


@dataclass(frozen=True)
class Place:
    """Where a convolution is: stage 3, block 1, part "a" is `conv3_1_a`; stage 1 is conv1.

    The parts of a deep conv1 are "a", "b" and ""; "preact" is a block's own normalization.
    """

    stage: int
    block: int = 0
    part: str = ""

    @property
    def number(self) -> int:
        """1, 2, 3 for the parts a, b, c of a block, and 0 for a shortcut."""
        return 0 if self.is_shortcut else "abc".index(self.part) + 1

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
        family: as rows have it, and `"preact"` for pre-activation residual networks.
        average: whether projections follow an average pool.
    """

    stem: Stem
    blocks: tuple[int, ...]
    bottleneck: bool
    family: str = "resnet"
    average: bool = False


def place_of(layer_name: str) -> Place | None:
    """The place of one of our convolutions, or of the one that a batch normalization follows.

    Example:

    >>> place_of("conv3_1_a_bn")
    Place(stage=3, block=1, part='a')
    """
    name = layer_name.removesuffix("_bn")
    if name in ("conv1", "conv1_a", "conv1_b"):
        return Place(1, part=name[6:])
    match = CONVOLUTION.fullmatch(name)
    return Place(int(match[1]), int(match[2]), match[3]) if match else None


# Names of layers that only one family has; the first that is found decides.
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
    """The family, the stem, the blocks of each stage and their kind, by the names of layers."""
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
    groups = [int(match[1]) for name in names if (match := re.fullmatch(r"conv(\d)_\d", name))]
    return tuple(groups.count(group) for group in sorted(set(groups)))
