"""The public sets of weights: what each is, and what it expects of an image. No Keras here."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from keras_resnet.common.arguments import checked
from keras_resnet.networks.family import network_row
from keras_resnet.networks.options import FIELDS, MEAN, STD

Interpolation = Literal["bilinear", "bicubic"]


@checked(std=(1e-6, math.inf), size=(1, math.inf), crop_pct=(0.01, 100))
@dataclass(frozen=True)
class ImageRule:
    """How an image file becomes the input of a network.

    Args:
        mean: of red, green and blue, on the scale of 0 to 255; it is subtracted.
        std: of red, green and blue, on that scale; it divides.
        size: side of the center crop; None leaves the image as it is.
        crop_pct: part of the shorter side that the crop covers: the image is first resized
            so that its shorter side is floor(size / crop_pct).
        interpolation: of the resizing.
        antialias: whether shrinking averages over all pixels that it leaves out, as PIL does.
        channels: the order in which the source's own code fed them. Here a network always
            takes RGB: a kernel for BGR is reversed when it is loaded.
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
        """Length that the shorter side is resized to, in pixels."""
        return self.size and math.floor(self.size / self.crop_pct)


@checked()
@dataclass(frozen=True)
class Result:
    """An accuracy as published.

    Attributes:
        top1, top5: in percent; None where the publisher does not state it.
        protocol: that it was measured by.
    """

    top1: float | None
    top5: float | None
    protocol: str


@checked()
@dataclass(frozen=True)
class Record:
    """One set of public weights: a table of records.toml.

    Args:
        network: a name of `list_models()`.
        name: of the set, such as `"tv"`; `resnet50.tv` names one record.
        source: who trained or published it.
        url: of the file, or `hf://owner/repository/file` on the Hugging Face hub.
        hash: as published, `"sha256:..."`, `"sha1:..."` or `"md5:..."`, a prefix where only
            that is; empty where the hub's own sha256 at the first download counts.
        license: SPDX identifier.
        dialect: how the file names our layers.
        options: arguments of the builder that the weights imply.
        image: what they expect of an image.
        results: published accuracies on the ImageNet validation set or the CIFAR-10 test set.
        page: address of the page on which the publisher describes the set and its results.
        imagenet: whether `weights="imagenet"` stands for this set of its network.
        revision: commit of the hub's repository; empty for the newest at the first download,
            which is then kept to.
        loss: that it was trained with, `"softmax"` or `"BCE"`, a logistic loss of every class,
            after which a softmax is no calibrated probability; empty where it is not stated.
        units: of the head, where they are other than the network's usual number of classes.
    """

    network: str
    name: str
    source: str
    url: str
    hash: str
    license: str
    dialect: str
    options: Mapping[str, Any]
    image: ImageRule = ImageRule()
    results: tuple[Result, ...] = ()
    page: str = ""
    imagenet: bool = False
    revision: str = ""
    loss: Literal["softmax", "BCE", ""] = ""
    units: int = 0

    def __post_init__(self):
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    @property
    def id(self) -> str:
        return f"{self.network}.{self.name}"

    @property
    def commercial(self) -> bool:
        """Whether the license lets the weights be used commercially."""
        return "-NC-" not in self.license

    @property
    def classes(self) -> int:
        return self.units or self.architecture.classes

    @property
    def architecture(self) -> Any:
        """The row of the network."""
        return network_row(self.network)

    @property
    def row(self) -> Any:
        """The row of the network with the fields that the weights imply."""
        fields = {name: self.options[name] for name in FIELDS if name in self.options}
        return replace(self.architecture, **fields)

    def __str__(self) -> str:
        return self.id


def read_records(path: Path) -> tuple[Record, ...]:
    """The records of a TOML file of tables `[network.set]`, whose keys are the fields of `Record`.

    Raises:
        ValueError: the file is no TOML, a table is defined twice, or a field is missing or
            unknown; the message names the table.
    """
    networks = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        record_of(network, name, row)
        for network, sets in networks.items()
        for name, row in sets.items()
    )


def record_of(network: str, name: str, row: Mapping[str, Any]) -> Record:
    """One table of the file as a record; what the table leaves out has its default."""
    fields = {"hash": "", "options": {}, **row}
    try:
        fields["image"] = image_rule(**fields.pop("image", {}))
        fields["results"] = tuple(
            Result(**{"top1": None, "top5": None, **result}) for result in fields.pop("results", ())
        )
        return Record(network, name, **fields)
    except (TypeError, KeyError) as error:
        raise ValueError(f"[{network}.{name}] is no record: {error}") from error


def image_rule(**fields: Any) -> ImageRule:
    """An `ImageRule` of values that TOML has: lists for tuples, and a size of 0 for None."""
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return ImageRule(**(values | {"size": values["size"] or None} if "size" in values else values))


RECORDS = read_records(Path(__file__).with_name("records.toml"))
