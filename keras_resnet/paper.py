"""The paper's tables, as data. No Keras in this file: importing it costs nothing.

"Table n", "Fig. n" and "Sec. n" always mean He, Zhang, Ren, Sun: "Deep Residual
Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385.
"""

import difflib
import re
from dataclasses import dataclass
from typing import Literal, get_args

Block = Literal["basic", "bottleneck"]
Stem = Literal["imagenet", "cifar"]
Shortcut = Literal["A", "B", "C"]

# fmt: off
#      block         conv2_x conv3_x conv4_x conv5_x  FLOPs (multiply-adds)
TABLE_1: dict[int, tuple[Block, tuple[int, ...], float]] = {
    18:  ("basic",      (2,      2,      2,      2),   1.8e9),
    34:  ("basic",      (3,      4,      6,      3),   3.6e9),
    50:  ("bottleneck", (3,      4,      6,      3),   3.8e9),
    101: ("bottleneck", (3,      4,     23,      3),   7.6e9),
    152: ("bottleneck", (3,      8,     36,      3),  11.3e9),
}
#             params  CIFAR-10 test error (%)
TABLE_6 = {
    20:   (0.27e6, 8.75),
    32:   (0.46e6, 7.51),
    44:   (0.66e6, 7.17),
    56:   (0.85e6, 6.97),
    110:  (1.7e6,  6.43),
    1202: (19.4e6, 7.93),
}
# fmt: on


@dataclass(frozen=True)
class Architecture:
    """A column of Table 1, a network of Sec. 4.2, or a row of your own.

    Args:
        block: `"basic"` (Fig. 5, left) or `"bottleneck"` (Fig. 5, right).
        blocks: how many blocks conv2_x, conv3_x, ... have.
        width: filters of conv1 and conv2_x; a stage that halves the map doubles them.
        stem: `"imagenet"` is a 7x7 convolution and a max pool, both of stride 2;
            `"cifar"` is one 3x3 convolution.
        shortcut: option `"A"`, `"B"` or `"C"` of Sec. 3.3; `None` is a plain net.

    Raises:
        ValueError: a value is none of these.

    Example:

    >>> Architecture("basic", (3, 4, 6, 3), 64, "imagenet", "B").depth
    34
    """

    block: Block
    blocks: tuple[int, ...]
    width: int
    stem: Stem
    shortcut: Shortcut | None

    def __post_init__(self):
        one_of("block", self.block, get_args(Block))
        one_of("stem", self.stem, get_args(Stem))
        one_of("shortcut", self.shortcut, (*get_args(Shortcut), None))
        blocks = self.blocks
        if not isinstance(blocks, tuple) or not blocks or not all(map(is_count, blocks)):
            raise ValueError(
                f"`blocks` must be a tuple of positive integers. Received: blocks={blocks!r}"
            )
        if not is_count(self.width):
            raise ValueError(f"`width` must be a positive integer. Received: width={self.width!r}")

    @property
    def depth(self) -> int:
        """Weighted layers on the main path: conv1, the blocks, the classifier."""
        return 2 + {"basic": 2, "bottleneck": 3}[self.block] * sum(self.blocks)

    @property
    def stem_stride(self) -> int:
        """How many input pixels one pixel of conv2_x stands for, along a side."""
        return {"imagenet": 4, "cifar": 1}[self.stem]

    @property
    def stride(self) -> int:
        """How many input pixels one pixel of the last map stands for, along a side."""
        return self.stem_stride * 2 ** (len(self.blocks) - 1)

    @property
    def size(self) -> int:
        """Side of the images the paper trains on (Sec. 3.4 and 4.2)."""
        return {"imagenet": 224, "cifar": 32}[self.stem]

    @property
    def classes(self) -> int:
        """Classes of the data set the paper trains on."""
        return {"imagenet": 1000, "cifar": 10}[self.stem]


def is_count(value) -> bool:
    """Whether `value` is an integer of at least one."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def one_of(argument: str, value, accepted) -> None:
    """Raises a ValueError that names `argument`, what it got and what it takes."""
    # True equals 1 and 32.0 equals 32, but neither was meant.
    known = any(isinstance(value, type(choice)) and value == choice for choice in accepted)
    if isinstance(value, bool) or not known:
        choices = ", ".join(map(repr, accepted))
        raise ValueError(f"`{argument}` must be one of {choices}. Received: {argument}={value!r}")


def imagenet(depth: int, shortcut: Shortcut | None = "B") -> Architecture:
    """The column of Table 1 with `depth` layers.

    Option B is what the paper uses for 50 layers and more, and the best of its
    34-layer nets that costs next to nothing (Table 3).
    """
    if not is_count(depth) or depth not in TABLE_1:
        depths = ", ".join(map(str, TABLE_1))
        raise ValueError(f"Table 1 has networks of {depths} layers. Received: {depth!r}")
    block, blocks, _ = TABLE_1[depth]
    return Architecture(block, blocks, 64, "imagenet", shortcut)


def cifar(depth: int, shortcut: Shortcut | None = "A") -> Architecture:
    """The network of Sec. 4.2 with `depth` = 6n+2 layers.

    "We use identity shortcuts in all cases (i.e., option A)".
    """
    n, remainder = divmod(depth - 2, 6) if is_count(depth) else (0, depth)
    if remainder or n < 1:
        near = 6 * max(1, n) + 2
        raise ValueError(
            f"CIFAR networks have 6n+2 layers (8, 14, 20, 32, 44, 56, 110, ...). "
            f"Received: {depth!r}; nearest are {near} and {near + 6}"
        )
    return Architecture("basic", (n, n, n), 16, "cifar", shortcut)


# Families of any depth: the prefix of a name, and the row of a depth.
FAMILIES = {"cifar_resnet": cifar, "cifar_plain": lambda depth: cifar(depth, None)}

ARCHITECTURES: dict[str, Architecture] = {
    **{f"resnet{depth}": imagenet(depth) for depth in TABLE_1},
    **{f"plain{depth}": imagenet(depth, None) for depth in TABLE_1},
    **{f"cifar_resnet{depth}": cifar(depth) for depth in TABLE_6},
    **{f"cifar_plain{depth}": cifar(depth, None) for depth in TABLE_6 if depth < 1202},
}


def architecture(name: str) -> Architecture:
    """The architecture called `name`: a key of `ARCHITECTURES` or any 6n+2 CIFAR depth.

    Example:

    >>> architecture("cifar_resnet98").blocks
    (16, 16, 16)
    """
    if isinstance(name, str) and name in ARCHITECTURES:
        return ARCHITECTURES[name]
    match = re.fullmatch(r"(cifar_\w+?)(\d{1,6})", str(name))
    if match and match[1] in FAMILIES:
        return FAMILIES[match[1]](int(match[2]))
    spelt = {known.replace("_", ""): known for known in ARCHITECTURES}
    asked = str(name).lower().replace("-", "").replace("_", "")
    near = [key for key in spelt if key in (asked, f"cifar{asked}")]
    near = near or difflib.get_close_matches(asked, spelt, 3, 0.75)
    hint = f"Did you mean {' or '.join(repr(spelt[key]) for key in near)}? " if near else ""
    raise ValueError(
        f"Unknown network. Received: {name!r}. {hint}Known: {', '.join(ARCHITECTURES)}, "
        "and any cifar_resnetN or cifar_plainN with N = 6n+2"
    )
