"""Keras' HDF5 files: `.weights.h5` of Keras 3 and the older `.h5` of Keras 2."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_resnet.weights.stored import Arrays, Stored, WeightsFileError

VARIABLES = {1: ("kernel",), 2: ("kernel", "bias")}
BATCH_NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")


@contextlib.contextmanager
def hdf5(path: Path) -> Iterator[Arrays]:
    """The arrays of a Keras file as layer/variable. Links out of the file are refused."""
    from keras_resnet.common.hdf5 import open_hdf5  # late, as h5py

    with open_hdf5(path) as file:
        groups: dict[str, Any] = dict(walk(file, path))
        within = "model_weights/" if "model_weights" in groups else ""
        root = groups.get("model_weights", file)
        if "layer_names" in root.attrs:
            yield keras_2({k: v for k, v in groups.items() if k.startswith(within)}, path)
        else:
            yield keras_3(groups, path)


def walk(file, path: Path) -> Iterator[tuple[str, object]]:
    """Every group and array of the file, by path, entered only through plain links."""
    import h5py

    waiting = [("", file)]
    seen = set()
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            full = f"{prefix}{name}"
            if not isinstance(link, h5py.HardLink):
                raise WeightsFileError(
                    f"{full} in {path} is a {type(link).__name__}; links are not followed"
                )
            item = group[name]
            yield full, item
            if isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address in seen:
                    raise WeightsFileError(f"{full} in {path} is a group within itself")
                seen.add(address)
                waiting.append((f"{full}/", item))


def stored(item, name: str, path: Path) -> Stored:
    """An array of the file, which must be in the file itself."""
    import h5py

    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
        raise WeightsFileError(f"{name} in {path} is not an array of numbers")
    if item.external or item.is_virtual:
        raise WeightsFileError(f"{name} in {path} is in another file, which is not followed")
    return Stored(tuple(item.shape), lambda: item[()])


def text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def keras_2(groups, path: Path) -> Arrays:
    """layer_names and weight_names say what is what; `conv1/conv1/kernel:0` is conv1/kernel."""
    arrays: Arrays = {}
    for prefix, group in groups.items():
        if "weight_names" not in group.attrs:
            continue
        layer = prefix.rsplit("/", 1)[-1]
        for weight_name in map(text, group.attrs["weight_names"]):
            at = f"{prefix}/{weight_name}"
            if at not in groups:
                raise WeightsFileError(f"{path} lists {weight_name} and does not hold it")
            parts = weight_name.removesuffix(":0").split("/")
            # A layer's own weights go by its name in this file; in nested layers the path counts.
            name = f"{layer}/{parts[-1]}" if len(parts) <= 2 else nested(layer, parts)
            if prefix.split("/") == parts[:-1]:  # of one of two networks in a model
                name = "/".join(parts)
            if name in arrays:
                raise WeightsFileError(f"{path} holds {name} twice")
            arrays[name] = stored(groups[at], at, path)
    return arrays


def nested(layer: str, parts: list[str]) -> str:
    """The path from `layer` on, whatever the model around it was called."""
    start = parts.index(layer) if layer in parts else 0
    return "/".join([layer, *parts[start + (layer in parts) :]])


def keras_3(groups, path: Path) -> Arrays:
    """Numbered variables in groups that carry the layer's name, or its class and number."""
    arrays: Arrays = {}
    held = [
        prefix.removesuffix("/vars")
        for prefix, group in groups.items()
        if prefix.endswith("/vars") and not prefix.startswith("optimizer/") and len(group)
    ]
    names = {at: name_of(groups, at) for at in held}
    if len(set(names.values())) < len(held):  # two networks in one model: by their paths
        names = {at: "/".join(name_of(groups, outer) for outer in models_around(at)) for at in held}
    for at, layer in names.items():
        group = groups[f"{at}/vars"]
        items = [groups[key] for i in range(len(group)) if (key := f"{at}/vars/{i}") in groups]
        kinds = BATCH_NORMALIZATION if len(items) == 4 else VARIABLES.get(len(items), ())
        kinds = ("alpha",) if layer.endswith("_prelu") else kinds
        if len(kinds) != len(group):
            kinds = tuple(map(str, range(len(items))))
        for kind, item in zip(kinds, items, strict=True):
            full = f"{layer}/{kind}"
            if full in arrays:
                raise WeightsFileError(f"{path} holds {full} twice")
            arrays[full] = stored(item, full, path)
    return arrays


def name_of(groups, at: str) -> str:
    """The name of the layer whose variables lie in this group."""
    group = groups.get(f"{at}/vars")
    attributes = getattr(group, "attrs", {})
    return text(attributes["name"]) if "name" in attributes else at.rsplit("/", 1)[-1]


def models_around(at: str) -> list[str]:
    """The groups of the models around a layer, the outermost first, and its own."""
    parts = at.split("/")
    return ["/".join(parts[: end + 1]) for end in range(1, len(parts), 2)]
