"""Data sets that TFDS has prepared, read at random: TFRecord by offset, or ArrayRecord."""

import os
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.archives import RandomAccessFile
from keras_resnet.data.folders import split_called
from keras_resnet.layers.backend import tensorflow

ARCHIVES = {"train": "ILSVRC2012_img_train.tar", "validation": "ILSVRC2012_img_val.tar"}


def tensorflow_datasets():
    try:
        tensorflow()
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError(
            'TFDS is needed for prepared data sets: pip install "keras3-resnet[recipes]"'
        ) from error
    return tfds


@checked()
def prepare_imagenet(
    data_dir: str | os.PathLike, manual_dir: str | os.PathLike, file_format: str = "tfrecord"
) -> Path:
    """Prepares TFDS' `imagenet2012` from the official archives, about 150 GB.

    Args:
        data_dir: folder for prepared data sets.
        manual_dir: the folder with `ILSVRC2012_img_train.tar` and `ILSVRC2012_img_val.tar`.
        file_format: `"tfrecord"` or `"array_record"`.

    Returns:
        The folder of the data set, for `open_images`. If it is already prepared, nothing is done.

    Raises:
        ImportError: TFDS is not installed.
        FileNotFoundError: an archive is missing.
    """
    tfds = tensorflow_datasets()
    for name in ARCHIVES.values():
        if not Path(manual_dir, name).is_file():
            raise FileNotFoundError(
                f"{Path(manual_dir, name)} is missing. To download ImageNet's archives, register "
                "at https://image-net.org/download"
            )
    builder = tfds.builder("imagenet2012", data_dir=os.fspath(data_dir), file_format=file_format)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=os.fspath(manual_dir))
    )
    return Path(builder.data_path)


def prepared_folder(path: Path) -> Path | None:
    """The folder with `dataset_info.json` of the newest version below, or None."""
    for pattern in ("", "*/", "imagenet2012/*/"):
        if found := [file.parent for file in path.glob(f"{pattern}dataset_info.json")]:
            return max(found, key=lambda folder: version(folder.name))
    return None


def version(name: str) -> tuple[int, ...]:
    parts = name.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else ()


class PreparedImages:
    """A split of a data set that TFDS has prepared; see `open_images`.

    TFDS parses the records; images stay encoded. The last record is cached, so that `read(i)` and
    then `label(i)` read it once.
    """

    def __init__(self, folder: str | os.PathLike, split: str | None = None):
        tfds = tensorflow_datasets()
        builder = tfds.builder_from_directory(os.fspath(folder))
        self.folder, self.split = Path(folder), called(split, builder.info.splits, folder)
        features = builder.info.features
        keys = builder.info.supervised_keys
        if not keys or not isinstance(features[keys[0]], tfds.features.Image):
            raise ValueError(f"{folder} is not of images and labels. Its features: {features}")
        self.image_key, self.label_key = keys
        self.class_names = tuple(features[self.label_key].names)
        self.decoders = {self.image_key: tfds.decode.SkipDecoding()}
        self.features = features
        part, file_format = builder.info.splits[self.split], builder.info.file_format.value
        if file_format not in FORMATS:
            raise ValueError(
                f"{folder} is in the format {file_format}. Expected: tfrecord or array_record, "
                "a file_format of tfds"
            )
        self.records = FORMATS[file_format]([os.fspath(path) for path in part.filepaths])
        if len(self.records) != part.num_examples:
            raise ValueError(
                f"{folder}: the files of {self.split} have {len(self.records)} records. "
                f"Expected: {part.num_examples}, by dataset_info.json"
            )
        self.last = threading.local()

    def __len__(self) -> int:
        return len(self.records)

    def example(self, i: int) -> dict[str, Any]:
        """The features of record i, with the image still encoded."""
        if getattr(self.last, "i", None) != i:
            record = self.records[int(i)]
            self.last.example = self.features.deserialize_example_np(record, decoders=self.decoders)
            self.last.i = i
        return self.last.example

    def label(self, i: int) -> int:
        return int(self.example(i)[self.label_key])

    def name(self, i: int) -> str:
        name = self.example(i).get("file_name", b"")
        name = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
        return f"{self.split}[{i}] {name}".rstrip()

    def read(self, i: int) -> bytes:
        return self.example(i)[self.image_key]

    def __reduce__(self):
        return PreparedImages, (self.folder, self.split)


def called(split: str | None, splits, folder) -> str:
    """The data set's own name of a split."""
    for name in splits:
        if name == split or (split and split_called(name) == split_called(split) is not None):
            return name
    raise ValueError(
        f"`split` must be one of {', '.join(splits)} for {folder}. Received: split={split!r}"
    )


class TFRecords:
    """TFRecord files as one sequence. A record is a length, its checksum, the data, its checksum.

    https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
    """

    def __init__(self, paths: list[str]):
        self.files = [RandomAccessFile(Path(path)) for path in paths]
        places = []
        for number, file in enumerate(self.files):
            at, size = 0, file.path.stat().st_size
            while at < size:
                (length,) = struct.unpack("<Q", file.read(at, 8))
                if at + length + 16 > size:
                    raise EOFError(f"{file.path} ends within a record at byte {at}: it is cut off")
                places.append((number, at + 12, length))
                at += length + 16
        self.index = np.array(places, "int64").reshape(-1, 3)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> bytes:
        number, offset, length = map(int, self.index[i])
        return self.files[number].read(offset, length)


def array_records(paths: list[str]) -> Any:
    """ArrayRecord files as one sequence."""
    try:
        from array_record.python.array_record_data_source import ArrayRecordDataSource
    except ImportError as error:
        raise ImportError("These files need a reader: pip install array_record") from error
    return ArrayRecordDataSource(paths)


FORMATS: dict[str, Any] = {"tfrecord": TFRecords, "array_record": array_records}
