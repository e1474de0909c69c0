"""The paper's tables, as data. No Keras in this file: importing it costs nothing.

"Table n", "Fig. n" and "Sec. n" always mean He, Zhang, Ren, Sun: "Deep Residual
Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

Block = Literal["basic", "bottleneck"]
Stem = Literal["imagenet", "deep", "cifar"]
Shortcut = Literal["A", "B", "C"]
Order = Literal["original", "preactivation", "v2"]
Downsample = Literal["conv", "avg"]
StrideOn = Literal["1x1", "3x3"]

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
# The pre-activation networks of arXiv:1603.05027 that Table 1 has no column for.
#                   block         blocks            width  stem
PREACTIVATION: dict[int, tuple[Block, tuple[int, ...], int, Stem]] = {
    110:  ("basic",      (18, 18, 18),     16,    "cifar"),
    164:  ("bottleneck", (18, 18, 18),     16,    "cifar"),
    200:  ("bottleneck", (3, 24, 36, 3),   64,    "imagenet"),
    1001: ("bottleneck", (111, 111, 111),  16,    "cifar"),
}
# fmt: on


@dataclass(frozen=True)
class Architecture:
    """A column of Table 1, a network of Sec. 4.2, or a row of your own.

    Args:
        block: `"basic"` (Fig. 5, left) or `"bottleneck"` (Fig. 5, right).
        blocks: how many blocks conv2_x, conv3_x, ... have.
        width: filters of conv1 and conv2_x; a stage that halves the map doubles them.
        stem: `"imagenet"` is a 7x7 convolution and a max pool, both of stride 2; `"deep"`
            has three 3x3 convolutions in place of the 7x7 (ResNet-C of arXiv:1812.01187);
            `"cifar"` is one 3x3 convolution.
        shortcut: option `"A"`, `"B"` or `"C"` of Sec. 3.3; `None` is a plain net.
        order: `"original"` normalizes after each convolution; `"preactivation"` normalizes and
            applies ReLU before it (arXiv:1603.05027); `"v2"` is keras.applications' variant,
            which downsamples at the end of a stage and has some biases.
        groups: of the 3x3 convolution of a bottleneck, ResNeXt's "cardinality"
            (arXiv:1611.05431).
        width_per_group: filters of each group in conv2_x, twice as many in each stage after it;
            by default the groups share `width`. More than that is a wide network.
        stride_on: the default of the option of that name; None is `"3x3"` for `"v2"` and
            `"1x1"`, the paper's, for the others.
        downsample: what halves the map in a projection, its `"conv"` or an `"avg"` pool before it
            (ResNet-D of arXiv:1812.01187).
        widening: the filters of conv2_x are `width` times this, those of conv1 `width` (the
            networks for CIFAR of arXiv:1605.07146).

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
    order: Order = "original"
    groups: int = 1
    width_per_group: int | None = None
    stride_on: StrideOn | None = None
    downsample: Downsample = "conv"
    widening: int = 1

    flattens: ClassVar[bool] = False
    own_layers: ClassVar[str] = ""
    family: ClassVar[str] = "resnet"

    def __post_init__(self):
        one_of("block", self.block, get_args(Block))
        one_of("stem", self.stem, get_args(Stem))
        one_of("shortcut", self.shortcut, (*get_args(Shortcut), None))
        one_of("order", self.order, get_args(Order))
        if self.preactivated and self.shortcut is None:
            raise ValueError(
                f"`shortcut` must be one of 'A', 'B', 'C' where order={self.order!r}. "
                "Received: shortcut=None"
            )
        blocks = self.blocks
        if not isinstance(blocks, tuple) or not blocks or not all(map(is_count, blocks)):
            raise ValueError(
                f"`blocks` must be a tuple of positive integers. Received: blocks={blocks!r}"
            )
        one_of("stride_on", self.stride_on, (*get_args(StrideOn), None))
        one_of("downsample", self.downsample, get_args(Downsample))
        for name in ("width", "groups", "width_per_group", "widening"):
            value = getattr(self, name)
            if not is_count(value) and (name != "width_per_group" or value is not None):
                raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
        if self.block == "basic" and (self.groups, self.width_per_group) != (1, None):
            raise ValueError(
                "`groups` and `width_per_group` are of bottlenecks. Received: block='basic', "
                f"groups={self.groups}, width_per_group={self.width_per_group}"
            )
        if self.convolved % self.groups:
            raise ValueError(
                f"`groups` must divide the filters of conv2_x, {self.convolved}, where "
                f"width_per_group=None. Received: groups={self.groups}"
            )

    @property
    def depth(self) -> int:
        """Weighted layers on the main path: conv1, the blocks, the classifier.

        Of a widened one the convolutions, a projection a stage among them, as its paper counts.
        """
        layers = 2 + {"basic": 2, "bottleneck": 3}[self.block] * sum(self.blocks)
        return layers if self.widening == 1 else layers - 1 + len(self.blocks)

    @property
    def stem_stride(self) -> int:
        """The stride of conv2_x: input pixels along a side to one of its pixels."""
        return 1 if self.stem == "cifar" else 4

    @property
    def stride(self) -> int:
        """The stride of the last map: input pixels along a side to one of its pixels."""
        return self.stem_stride * 2 ** (len(self.blocks) - 1)

    @property
    def size(self) -> int:
        """Side of the images the paper trains on (Sec. 3.4 and 4.2)."""
        return 32 if self.stem == "cifar" else 224

    @property
    def classes(self) -> int:
        """Classes of the data set the paper trains on."""
        return 10 if self.stem == "cifar" else 1000

    @property
    def preactivated(self) -> bool:
        """Whether BN and ReLU come before the convolutions, and nothing after the addition."""
        return self.order != "original"

    @property
    def convolved(self) -> int:
        """Filters of the convolutions inside a block of conv2_x; the last 1x1 has 4 x `width`."""
        per_group = self.width_per_group
        return self.width * self.widening if per_group is None else self.groups * per_group

    @property
    def kind(self) -> str:
        """What the network is made of, in few words."""
        split = f" {self.groups}x{self.convolved // self.groups}d" if self.groups > 1 else ""
        return f"{'+'.join(map(str, self.blocks))} {self.block}{split}"

    @property
    def name(self) -> str:
        """What the network is called: the key of a row of the paper's, and of one like it."""
        prefix = "cifar_" if self.stem == "cifar" else ""
        if self.order == "preactivation" and self.widening == 1:
            prefix = "preact_"
        kind = "resnet" if self.shortcut else "plain"
        suffix = ("d" if self.downsample == "avg" else "c") if self.stem == "deep" else ""
        suffix += "v2" if self.order == "v2" else ""
        if self.groups > 1:
            kind, suffix = "resnext", f"{suffix}_{self.groups}x{self.convolved // self.groups}d"
        elif self.convolved != self.width:
            kind, suffix = f"wide_{kind}", f"{suffix}_{self.convolved / self.width:g}"
        return f"{prefix}{kind}{self.depth}{suffix}"


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


def preactivation(depth: int) -> Architecture:
    """The network of arXiv:1603.05027 with `depth` layers: a column of Table 1, or one of its own.

    Dimensions change by projections: https://github.com/KaimingHe/resnet-1k-layers.
    """
    if depth in TABLE_1:
        return replace(imagenet(depth), order="preactivation")
    return Architecture(*PREACTIVATION[depth], "B", "preactivation")


def resnext(depth: int, groups: int, width_per_group: int) -> Architecture:
    """The column of Table 1 with grouped convolutions (arXiv:1611.05431, Table 1).

    Its Sec. 4 leaves the halving to the 3x3, as fb.resnet.torch does. One group is a network of
    arXiv:1605.07146, "wide" within its bottlenecks.
    """
    row = replace(imagenet(depth), stride_on="3x3")
    return replace(row, groups=groups, width_per_group=width_per_group)


def deep(row: Architecture, downsample: Downsample) -> Architecture:
    """ResNet-C, whose stem is three 3x3, or -D, whose projections pool too (arXiv:1812.01187)."""
    stride_on: StrideOn | None = "3x3" if row.block == "bottleneck" else None
    return replace(row, stem="deep", downsample=downsample, stride_on=stride_on)


def wide(convolutions: int, widening: int) -> Architecture:
    """The pre-activation network for CIFAR with 6n+4 convolutions (arXiv:1605.07146, Table 1)."""
    n = (convolutions - 4) // 6
    return Architecture("basic", (n, n, n), 16, "cifar", "B", "preactivation", widening=widening)
