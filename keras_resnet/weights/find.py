"""Finding a record: by network, by name, by what a user wrote."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from keras_resnet.common.arguments import checked
from keras_resnet.networks.family import network_row
from keras_resnet.networks.options import OPTIONS, meant_by
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.systems import System
from keras_resnet.weights.matching import applicable, graph_in, options_in
from keras_resnet.weights.pretrained import hub_record
from keras_resnet.weights.records import RECORDS, Record

# The network whose images and set `"imagenet"` means where no network is named.
IMAGENET_NETWORK = "resnet50"


def list_weights(model: Any = None) -> list[Record]:
    """The public weights that are known, or those for one network.

    Args:
        model: a name of `list_models()`, a builder such as `ResNet50`, an `Architecture`, or a
            model of this package; None lists all.

    Returns:
        Records: the address of the file, its hash and license, the graph that it is for, what
        it expects of an image and the accuracy published for it.

    Raises:
        ValueError: an unknown network.

    Example:

    >>> [record.name for record in list_weights("resnet18")]
    ['tv', 'a1', 'a2', 'a3', 'gluon', 'microsoft', 'osmr', 'd_ra2', 'd_ra4', 'fb_swsl', 'fb_ssl']
    """
    if model is None:
        return list(RECORDS)
    network = str(getattr(model, "network", None) or getattr(model, "name", None) or model)
    row = model if isinstance(model, Architecture | System) else network_row(network)
    return [record for record in RECORDS if fits(record, row)]


def fits(record: Record, row: Any) -> bool:
    """Whether the record is for this network, whatever its shortcuts and strides.

    Those of ResNet-C and -D are for the network of the paper too, which they make into one.
    """
    return any(is_for(other, row) for other in (record.row, record.architecture))


def is_for(other: Any, row: Any) -> bool:
    if isinstance(row, System) or isinstance(other, System):
        return row == other
    choices = {"shortcut": other.shortcut, "stride_on": other.stride_on}
    return bool(row.shortcut) and replace(row, **choices) == other


def find(weights: Any, row: Any) -> Record | Path | None:
    """What `weights=` of a builder means for a network: a record, a file, or nothing.

    Raises:
        ValueError: neither a record of this network nor a file.
    """
    if weights is None or isinstance(weights, Record):
        if weights is not None and not fits(weights, row):
            raise ValueError(
                f"Other weights than this network's: they are of {weights.network}. "
                f"Received: weights={weights.id}"
            )
        return weights
    if not isinstance(weights, str | os.PathLike):
        raise ValueError(
            "`weights` must be None, a name, a record of list_weights() or a path. "
            f"Received: weights={weights!r}"
        )
    records = {record.name: record for record in RECORDS if fits(record, row)}
    named = {record.id: record for record in records.values()}
    text = os.fspath(weights)
    if text == "imagenet" and (usual := imagenet_set(row)):
        return usual
    if text in records or text in named:
        return records.get(text) or named[text]
    if text.startswith("hf://"):
        return find(hub_record(text), row)
    if Path(text).exists():
        return Path(text)
    known = ", ".join(map(repr, records)) or "none: there are no public weights of this network"
    near = difflib.get_close_matches(text, records, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"`weights` must be None, the path of a file, or one of the network's own: {known}."
        f"{hint} Received: weights={weights!r}, which is no file either"
    )


@checked()
def record_named(weights: str | Record) -> Record:
    """The record called `resnet50.tv2`, or any one called `tv2` if all expect the same images.

    Args:
        weights: the name, or a record, which is returned.

    Raises:
        ValueError: no such record, or several that differ.
    """
    if isinstance(weights, Record):
        return weights
    name = weights
    if str(weights).startswith("hf://"):
        return hub_record(weights)
    if weights == "imagenet" and (usual := imagenet_set(network_row(IMAGENET_NETWORK))):
        name = usual.name
    found = [record for record in RECORDS if name in (record.id, record.name)]
    if not found:
        names = ", ".join(repr(name) for name in dict.fromkeys(record.name for record in RECORDS))
        raise ValueError(
            f"`weights` must be a record of list_weights(), its id such as 'resnet50.tv', or one "
            f"of {names}. Received: weights={weights!r}"
        )
    if len({record.image for record in found}) > 1:
        raise ValueError(
            f"The sets called {name!r} expect different images: pass one of "
            f"{', '.join(repr(record.id) for record in found)}. "
            f"Received: weights={weights!r}"
        )
    return found[0]


def has_imagenet_weights(network: str) -> bool:
    """Whether the network has a set that `weights="imagenet"` loads."""
    return imagenet_set(network_row(network)) is not None


def imagenet_set(row: Any) -> Record | None:
    """The set that `weights="imagenet"` stands for."""
    return next((r for r in RECORDS if r.imagenet and is_for(r.row, row)), None)


def implied(
    pretrained: Record | Path | None, given: Mapping[str, Any], row: Any, own: bool
) -> dict[str, Any]:
    """The options that the weights imply.

    Args:
        pretrained: what `find` returned.
        given: options of a builder by name, None where the user left them out.
        row: of the network.
        own: whether the row is the user's, whose shortcut and stride are choices too.

    Raises:
        ValueError: an option contradicts the weights.
    """
    said = options_said(pretrained, row)
    meant = meant_by(row, said) if said else {}
    asked = {name: getattr(row, name, None) for name in ("shortcut", "stride_on") if own}
    asked |= {name: value for name, value in given.items() if value is not None}
    wrong = [
        name
        for name, value in meant.items()
        if OPTIONS[name].graph == "implied" and asked.get(name) not in (None, value)
    ]
    if wrong:
        raise ValueError(contradiction(pretrained, meant, asked, wrong))
    return said


def options_said(pretrained: Record | Path | None, row: Any) -> dict[str, Any]:
    """The options that weights name, in a record or in a file, as far as the network has them."""
    if isinstance(pretrained, Record):
        return dict(pretrained.options)
    graph = graph_in(pretrained) if pretrained else None
    return applicable(row, options_in(graph)) if graph else {}


def contradiction(pretrained, meant, asked, wrong) -> str:
    """What is wrong where options contradict the weights, and what to do."""
    made_for = ", ".join(f"{name}={meant[name]!r}" for name in wrong)
    others = [
        record.name
        for record in RECORDS
        if record.network == getattr(pretrained, "network", None)
        and all(record.options.get(name) == asked[name] for name in wrong)
    ]
    instead = f", or weights={' or '.join(map(repr, others))}" if others else ""
    return (
        f"The weights {pretrained} are for {made_for}; leave that out, or pass "
        f"weights=None{instead}. "
        f"Received: {', '.join(f'{name}={asked[name]!r}' for name in wrong)}"
    )
