"""The metadata of an exported file: what it holds, and where each format keeps it.

One JSON text, under the name `keras_resnet`: a property of the ONNX model, an attribute of
OpenVINO's `rt_info`, `assets.extra/keras_resnet.json` in a SavedModel, and a member of that name
in the zip that a .keras and a .pt2 are. A .tflite has one appended, as TensorFlow Lite's own
metadata has its files, with the names of the classes as `labels.txt`.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.common.zips import open_zip, read_member
from keras_resnet.exporting.formats import format_of, reading
from keras_resnet.exporting.verification import Report
from keras_resnet.graph import all_layers
from keras_resnet.images.classification import CIFAR10, imagenet_classes
from keras_resnet.weights.find import record_named
from keras_resnet.weights.records import ImageRule, Record

NAME = "keras_resnet"
FILE = f"{NAME}.json"
LARGEST = 2**24  # of it, in bytes


def rule_and_names(
    preprocessing: str | Record | ImageRule | None,
    class_names: Sequence[str] | None,
    model: keras.Model,
) -> tuple[ImageRule | None, list[str] | None]:
    """How an image is preprocessed, and the names of the classes.

    The mean and deviation are left to a model that has them itself (`include_preprocessing=True`).

    Raises:
        ValueError: an unknown record, or another number of names than the model has classes.
    """
    rule, names, classes = None, class_names, model.outputs[0].shape[-1]
    if isinstance(preprocessing, ImageRule):
        rule = preprocessing
    elif preprocessing is not None:
        record = record_named(preprocessing)
        rule = record.image
        if names is None and record.classes == classes:
            names = CIFAR10 if classes == 10 else [name for _, name in imagenet_classes()]
    if rule and any(isinstance(layer, keras.layers.Normalization) for layer in all_layers(model)):
        rule = dataclasses.replace(rule, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    if names is not None and len(names) != classes:
        raise ValueError(
            f"`class_names` must be as many as the model has classes, {classes}. "
            f"Received: {len(names)} names"
        )
    return rule, None if names is None else list(map(str, names))


def metadata_of(
    model: keras.Model,
    report: Report,
    names: list[str] | None,
    rule: ImageRule | None,
    batch: int | None,
) -> dict[str, Any]:
    """The metadata of the file that `model` was written to."""
    import keras_resnet

    image = model.inputs[0]
    figures = ("difference", "relative", "top1_agreement", "images", "compared_on", "batches")
    verification = {figure: getattr(report, figure) for figure in figures}
    return {
        "model": model.name,
        "input": {"name": image.name, "shape": [batch, *image.shape[1:]], "dtype": image.dtype},
        "outputs": [
            {"name": f"output_{number}", "shape": [batch, *output.shape[1:]], "dtype": "float32"}
            for number, output in enumerate(model.outputs)
        ],
        "class_names": names,
        "preprocessing": None if rule is None else dataclasses.asdict(rule),
        "dtype": report.dtype,
        "kept_batch_norms": report.kept_batch_norms,
        "verification": verification if report.images else None,
        "versions": {
            "keras_resnet": keras_resnet.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
    }


def write_metadata(path: Path, format: str, metadata: dict[str, Any]) -> None:
    """Adds the metadata to a file that has none."""
    text = json.dumps(metadata)
    if format == "onnx":
        import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, {NAME: text})
        onnx.save(model, path)
    elif format == "openvino":
        # As XML: importing OpenVINO starts a process, which can disturb other runtimes here.
        tree = ElementTree.parse(path)
        root = tree.getroot()
        info = root.find("rt_info")
        info = ElementTree.SubElement(root, "rt_info") if info is None else info
        ElementTree.SubElement(info, NAME, value=text)
        tree.write(path, encoding="utf-8", xml_declaration=True)
    elif format == "tf_saved_model":
        folder = path / "assets.extra"
        folder.mkdir(exist_ok=True)
        (folder / FILE).write_text(text, encoding="utf-8")
    else:
        with zipfile.ZipFile(path, "a") as members:
            members.writestr(f"{prefix(members)}{FILE}", text)
            if format == "litert" and metadata.get("class_names"):
                members.writestr("labels.txt", "\n".join(metadata["class_names"]))


def prefix(members: zipfile.ZipFile) -> str:
    """The folder inside of torch's zip that its reader leaves alone; others have none."""
    names = members.namelist()
    first = names[0].split("/")[0] if names else ""
    return f"{first}/extra/" if names and all(n.startswith(f"{first}/") for n in names) else ""


@checked()
def read_metadata(path: str | os.PathLike, format: str | None = None) -> dict[str, Any]:
    """Reads the metadata that `export` wrote into a file.

    Args:
        path: of the file, or the folder of a SavedModel.
        format: a name of `FORMATS`; by default, the one that the suffix belongs to.

    Returns:
        A dict: `model`, `input` and `outputs` (names, shapes, dtypes), `class_names`,
        `preprocessing`, `dtype`, `kept_batch_norms`, `verification`, `versions`.

    Raises:
        ValueError: the file was not written by `export`.
    """
    path = Path(path)
    format = format_of(path, format)
    with reading(path, format):
        text = text_in(path, format)
    if text is None:
        raise ValueError(f"{path} holds no metadata of keras_resnet.export")
    return json.loads(text)


def text_in(path: Path, format: str) -> str | None:
    """The metadata as it is written, if there is any."""
    if format == "onnx":
        import onnx

        model = onnx.load(path, load_external_data=False)
        return {entry.key: entry.value for entry in model.metadata_props}.get(NAME)
    if format == "openvino":
        entry = ElementTree.parse(path).getroot().find(f"rt_info/{NAME}")
        return None if entry is None else entry.get("value")
    if format == "tf_saved_model":
        file = path / "assets.extra" / FILE
        return file.read_text(encoding="utf-8") if file.exists() else None
    if not zipfile.is_zipfile(path):
        return None
    with open_zip(path) as members:
        found = [name for name in members.namelist() if name.split("/")[-1] == FILE]
        return read_member(members, found[-1], LARGEST).decode() if found else None
