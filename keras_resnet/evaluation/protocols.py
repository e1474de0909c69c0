"""The paper's ways of looking at an image, as data. Needs neither Keras nor Pillow."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from keras_resnet.common.arguments import checked
from keras_resnet.networks.paper import one_of

Views = Literal["center", "ten", "144", "dense"]
CENTER: dict[Any, Views] = {"centre": "center"}  # as version 0.1 spells it
VIEWS: tuple[Views, ...] = ("center", "ten", "144", "dense")
CROP = 224  # what lengths in pixels are for; a network of another size has them in proportion


@checked(scales=(1, math.inf), multiple=(1, math.inf))
@dataclass(frozen=True)
class Protocol:
    """Which parts of an image a network sees, and at which sizes.

    Args:
        name: as results are labeled.
        views: `"center"`, the square in the middle; `"ten"`, four corners and the middle, and
            the same of the mirrored image; `"144"`, GoogLeNet's 144 crops; `"dense"`, the
            network slides over the whole image and its mirror image.
        scales: lengths of the image's shorter side in pixels, for a network of 224; empty
            takes the length from the weights' record.
        source: where the protocol is described.
        multiple: dense views are cut in the middle so that both sides are a multiple of this
            many pixels. 1 leaves images whole; 32 leaves fewer sizes to compile for.

    Raises:
        ValueError: a value is none of these.

    Example:

    >>> dataclasses.replace(PROTOCOLS["dense"], scales=(384,)).scales
    (384,)
    """

    name: str
    views: str
    scales: Sequence[int]
    source: str
    multiple: int = 1

    def __post_init__(self):
        object.__setattr__(self, "views", CENTER.get(self.views, self.views))
        one_of("views", self.views, VIEWS)
        object.__setattr__(self, "scales", tuple(self.scales))
        if not self.scales and self.views != "center":
            raise ValueError(
                f"`scales` may be empty with views='center' only. Received: views={self.views!r}"
            )
        shorter = [scale for scale in self.scales if scale < CROP]
        if shorter:
            raise ValueError(
                f"`scales` must be at least {CROP}, the side of a crop. Received: {shorter}"
            )


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "1-crop",
            "center",
            (),
            "Fig. 4; the square in the middle, as the weights' record resizes and crops",
        ),
        Protocol("10-crop", "ten", (256,), 'Sec. 3.4: "the standard 10-crop testing"; Tables 2, 3'),
        Protocol(
            "dense", "dense", (256,), "fully convolutional at one scale: arXiv:1409.1556, 3.2"
        ),
        Protocol(
            "multi-scale",
            "dense",
            (224, 256, 384, 480, 640),
            'Sec. 3.4: "the fully-convolutional form [...] average the scores at multiple scales"; '
            "Tables 4, 5",
        ),
        Protocol("144-crop", "144", (256, 288, 320, 352), "GoogLeNet: arXiv:1409.4842, Sec. 7"),
    )
}


@checked()
def protocol_named(protocol: str | Protocol, scales: Sequence[int] = ()) -> Protocol:
    """One of `PROTOCOLS` by name, or the user's own as it is.

    Args:
        protocol: a name or a `Protocol`.
        scales: lengths of the shorter side in place of the protocol's own, where there are any.

    Raises:
        ValueError: an unknown name, or scales that cannot be.

    Example:

    >>> protocol_named("dense", (256, 384, 512)).scales
    (256, 384, 512)
    """
    if not isinstance(protocol, Protocol):
        one_of("protocol", protocol, tuple(PROTOCOLS))
        protocol = PROTOCOLS[protocol]
    return dataclasses.replace(protocol, scales=tuple(scales)) if scales else protocol


def renamed(saved: dict[str, Any]) -> dict[str, Any]:
    """A protocol as a file holds it, with the values of today."""
    return saved | {"views": CENTER.get(saved.get("views"), saved.get("views"))}


def as_dict(protocol: Protocol) -> dict[str, Any]:
    return dataclasses.asdict(protocol) | {"scales": list(protocol.scales)}
