"""The systems the paper compares with, as data: the rows beside the ResNets in Tables 3 to 5.

VGG is arXiv:1409.1556, GoogLeNet arXiv:1409.4842, PReLU-net arXiv:1502.01852, BN-Inception
arXiv:1502.03167. No Keras in this file: importing it costs nothing.
"""

from dataclasses import dataclass
from typing import ClassVar

from keras_resnet.networks.paper import is_count


class System:
    """What the rows below have in common with an `Architecture`."""

    size: ClassVar[int] = 224
    classes: ClassVar[int] = 1000
    stride: ClassVar[int] = 32
    shortcut: ClassVar[None] = None
    stride_on: ClassVar[None] = None
    order: ClassVar[str] = "original"
    preactivated: ClassVar[bool] = False
    # Whether a fully connected layer reads the last map, so that its size is part of the network.
    flattens: ClassVar[bool] = False
    family: ClassVar[str]

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.family

    @property
    def own_layers(self) -> str:
        """Layers the network needs that Keras does not have, in words; empty if there are none."""
        return ""


def check_counts(**values) -> None:
    """Raises where a value is neither a positive integer nor a tuple of them."""
    for name, value in values.items():
        given = value if isinstance(value, tuple) else (value,)
        if not given or not all(map(is_count, given)):
            kind = "a tuple of positive integers" if isinstance(value, tuple) else "an integer > 0"
            raise ValueError(f"`{name}` must be {kind}. Received: {name}={value!r}")


@dataclass(frozen=True)
class VGG(System):
    """A column of VGG's Table 1.

    Args:
        convolutions: how many each of the groups has; a max pool follows each.
        width: filters of the first group; a group has twice those of the one before, at most
            eight times these.
        units: of fc6 and fc7.
        last_is_1x1: the third convolution of a group is 1x1 (configuration C).
        lrn: local response normalization after the first convolution (A-LRN).
        dropout: rate after fc6 and fc7 (Sec. 3.1).

    Example:

    >>> VGG((2, 2, 3, 3, 3)).depth
    16
    """

    convolutions: tuple[int, ...]
    width: int = 64
    units: int = 4096
    last_is_1x1: bool = False
    lrn: bool = False
    dropout: float = 0.5

    flattens: ClassVar[bool] = True
    family: ClassVar[str] = "vgg"

    def __post_init__(self):
        check_counts(convolutions=self.convolutions, width=self.width, units=self.units)

    @property
    def own_layers(self) -> str:
        return "local response normalization" if self.lrn else ""

    @property
    def depth(self) -> int:
        """Weighted layers: the convolutions and three fully connected layers."""
        return sum(self.convolutions) + 3

    @property
    def stride(self) -> int:  # type: ignore[override]
        """The stride of the last map: input pixels along a side to one of its pixels."""
        return 2 ** len(self.convolutions)

    @property
    def kind(self) -> str:
        """What the network is made of, in few words."""
        return f"{'+'.join(map(str, self.convolutions))} convolutions"


@dataclass(frozen=True)
class GoogLeNet(System):
    """GoogLeNet's Table 1.

    Args:
        width: filters of conv1; those of all other layers are in proportion.
        units: of the fully connected layer of an auxiliary head.
        dropout: rate before the classifier.
        auxiliary_dropout: rate before the classifier of an auxiliary head (Sec. 5).
    """

    width: int = 64
    units: int = 1024
    dropout: float = 0.4
    auxiliary_dropout: float = 0.7

    depth: ClassVar[int] = 22
    kind: ClassVar[str] = "9 Inception modules"
    family: ClassVar[str] = "googlenet"

    def __post_init__(self):
        check_counts(width=self.width, units=self.units)

    @property
    def own_layers(self) -> str:
        return "local response normalization"


@dataclass(frozen=True)
class PReLUNet(System):
    """A column of PReLU-net's Table 3.

    Args:
        convolutions: how many each of the stages has; the map halves before each.
        filters: of each stage.
        conv1: filters of the first convolution, 7x7 and of stride 2.
        units: of fc1 and fc2.
        levels: of the spatial pyramid: n stands for n x n bins.
        slope: that every PReLU starts from (Sec. 2.1).
        dropout: rate after fc1 and fc2 (Sec. 3).
    """

    convolutions: tuple[int, ...]
    filters: tuple[int, ...]
    conv1: int = 96
    units: int = 4096
    levels: tuple[int, ...] = (7, 3, 2, 1)
    slope: float = 0.25
    dropout: float = 0.5

    family: ClassVar[str] = "prelu_net"

    def __post_init__(self):
        check_counts(
            convolutions=self.convolutions,
            filters=self.filters,
            conv1=self.conv1,
            units=self.units,
            levels=self.levels,
        )
        if len(self.filters) != len(self.convolutions):
            raise ValueError(
                f"`filters` must have one number for each of the {len(self.convolutions)} stages. "
                f"Received: filters={self.filters!r}"
            )

    @property
    def own_layers(self) -> str:
        return "spatial pyramid pooling"

    @property
    def depth(self) -> int:
        """Weighted layers: conv1, the stages and three fully connected layers."""
        return 1 + sum(self.convolutions) + 3

    @property
    def stride(self) -> int:  # type: ignore[override]
        """The stride of the last map: input pixels along a side to one of its pixels."""
        return 2 ** (1 + len(self.convolutions))

    @property
    def kind(self) -> str:
        """What the network is made of, in few words."""
        return f"1+{'+'.join(map(str, self.convolutions))} convolutions"


@dataclass(frozen=True)
class BNInception(System):
    """BN-Inception's Figure 5.

    Args:
        width: filters of conv1; those of all other layers are in proportion.
        conv_bias: a bias with every convolution. Batch normalization takes it away again, but
            public weights have it.
    """

    width: int = 64
    conv_bias: bool = False

    depth: ClassVar[int] = 34
    kind: ClassVar[str] = "10 Inception modules"
    family: ClassVar[str] = "bn_inception"

    def __post_init__(self):
        check_counts(width=self.width)


# fmt: off
# Filters of GoogLeNet's Table 1, for a conv1 of 64.
#      1x1  3x3 reduce  3x3  5x5 reduce  5x5  pool proj
INCEPTION = {
    "3a": (64,   96, 128, 16,  32,  32),
    "3b": (128, 128, 192, 32,  96,  64),
    "4a": (192,  96, 208, 16,  48,  64),
    "4b": (160, 112, 224, 24,  64,  64),
    "4c": (128, 128, 256, 24,  64,  64),
    "4d": (112, 144, 288, 32,  64,  64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# Filters of BN-Inception's Figure 5; a module without a 1x1 branch has stride 2. The projections
# of 4c and 4d, None here, are what `pool_proj` asks for.
#      1x1  3x3 reduce  3x3  double reduce  double  pool   proj
BN_INCEPTION: dict[str, tuple[int, int, int, int, int, str, int | None]] = {
    "3a": (64,   64,  64,  64,  96, "avg",  32),
    "3b": (64,   64,  96,  64,  96, "avg",  64),
    "3c": (0,   128, 160,  64,  96, "max",  0),
    "4a": (224,  64,  96,  96, 128, "avg", 128),
    "4b": (192,  96, 128,  96, 128, "avg", 128),
    "4c": (160, 128, 160, 128, 160, "avg", None),
    "4d": (96,  128, 192, 160, 192, "avg", None),
    "4e": (0,   128, 192, 192, 256, "max",  0),
    "5a": (352, 192, 320, 160, 224, "avg", 128),
    "5b": (352, 192, 320, 192, 224, "max", 128),
}
# fmt: on
