"""What an exported file says of itself: where each format keeps it, written and read.

One JSON text, under the name `keras_resnet`: a property of the ONNX model, an attribute of
OpenVINO's `rt_info`, `assets.extra/keras_resnet.json` in a SavedModel, and a member of that name
in the zip that a .keras and a .pt2 are. A .tflite has one appended, as TensorFlow Lite's own
metadata has its files, with the names of the classes as `labels.txt`.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from keras_resnet.exporting.formats import format_of, reading

NAME = "keras_resnet"
FILE = f"{NAME}.json"


def write_metadata(path: Path, format: str, metadata: dict[str, Any]) -> None:
    """Adds the metadata to a file that has none."""
    text = json.dumps(metadata)
    if format == "onnx":
        import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, {NAME: text})
        onnx.save(model, path)
    elif format == "openvino":
        # As XML: importing OpenVINO starts a process, which others that run here may not bear.
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
    """The folder that everything in torch's zip lies in."""
    names = members.namelist()
    first = names[0].split("/")[0] if names else ""
    return f"{first}/extra/" if names and all(n.startswith(f"{first}/") for n in names) else ""


def read_metadata(path: str | os.PathLike, format: str | None = None) -> dict[str, Any]:
    """What `export` wrote into a file about it.

    Args:
        path: of the file, or the folder of a SavedModel.
        format: a name of `FORMATS`; told from the suffix by default.

    Returns:
        A dict: `input` and `outputs` (names, shapes, dtypes), `class_names`, `preprocessing`,
        `dtype`, `verification`, `versions`.

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
    with zipfile.ZipFile(path) as members:
        found = [name for name in members.namelist() if name.split("/")[-1] == FILE]
        return members.read(found[-1]).decode() if found else None
