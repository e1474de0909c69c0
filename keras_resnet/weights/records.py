"""What a set of public weights is, and what it expects of an image. Data, without Keras."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from keras_resnet.networks.options import MEAN, STD
from keras_resnet.networks.systems import network_row

Interpolation = Literal["bilinear", "bicubic"]


@dataclass(frozen=True)
class ImageRule:
    """What a network was given in place of an image file.

    Args:
        mean: of red, green and blue on the scale of 0 to 255, which is taken off.
        std: of red, green and blue on that scale, which is divided by.
        size: side of the square that is cut from the middle; None leaves the image as it is.
        crop_pct: part of the shorter side that the square covers: the image is first resized
            so that its shorter side is floor(size / crop_pct).
        interpolation: of the resizing.
        antialias: whether shrinking averages over all pixels it leaves out, as PIL does.
        channels: the order in which the source's own code fed them. Here a network always
            takes RGB: a kernel for BGR is turned round when it is loaded.
    """

    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD
    size: int | None = 224
    crop_pct: float = 0.875
    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    channels: Literal["RGB", "BGR"] = "RGB"

    @property
    def resize(self) -> int | None:
        """Length the shorter side is brought to, in pixels."""
        return self.size and math.floor(self.size / self.crop_pct)


@dataclass(frozen=True)
class Result:
    """An accuracy as published, in percent, with the protocol it was measured by."""

    top1: float | None
    top5: float | None
    protocol: str


@dataclass(frozen=True)
class Record:
    """One set of public weights.

    Args:
        network: a name of `list_models()`.
        name: of the set, such as `"tv"`; `resnet50.tv` names one record.
        source: who trained or published it.
        url: of the file, or `hf://owner/repository/file` on the Hugging Face hub.
        hash: as published, `"sha256:..."`, `"sha1:..."` or `"md5:..."`, a prefix where only
            that is; empty where the hub states the file's sha256 with every download.
        licence: SPDX identifier.
        dialect: how the file spells our layers.
        options: arguments of the builder that the weights imply.
        image: what they expect of an image.
        results: published accuracies on the ImageNet validation set or the CIFAR-10 test set.
    """

    network: str
    name: str
    source: str
    url: str
    hash: str
    licence: str
    dialect: str
    options: Mapping[str, Any]
    image: ImageRule = ImageRule()
    results: tuple[Result, ...] = field(default=())

    def __post_init__(self):
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    @property
    def id(self) -> str:
        return f"{self.network}.{self.name}"

    @property
    def classes(self) -> int:
        return self.architecture.classes

    @property
    def architecture(self) -> Any:
        return network_row(self.network)

    def __str__(self) -> str:
        return self.id
