"""ImageNet as it comes: the official archives, loose images, and what TFDS makes of them."""

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from support.data import tar_of, write

from keras_resnet.data import folders, open_images
from keras_resnet.data.prepared import prepare_imagenet

pytestmark = pytest.mark.once

SYNSETS = ("n01440764", "n01443537", "n15075141")
LABELS = (0, 1, 999)


def official(folder: Path) -> Path:
    """ImageNet's archives, of three classes and three validation images."""
    inner = {f"{s}.tar": tar_of({f"{s}_{n}.JPEG": f"{s} {n}".encode() for n in (1, 2)})
             for s in SYNSETS}  # fmt: skip
    truth = "n15075141\nn01440764\nn01443537\n"
    validation = {f"ILSVRC2012_val_0000000{n}.JPEG": b"validation %d" % n for n in (1, 2, 3)}
    return write(
        folder,
        {
            "ILSVRC2012_img_train.tar": tar_of(inner),
            "ILSVRC2012_img_val.tar": tar_of(validation),
            "validation_labels.txt": truth.encode(),
        },
    )


def test_the_official_archives_are_read_as_they_are(tmp_path):
    folder = official(tmp_path)
    for path in (folder, folder / "ILSVRC2012_img_train.tar"):
        train = open_images(path, "train")
        assert train.class_names == folders.synsets()
        assert [train.label(i) for i in range(6)] == np.repeat(LABELS, 2).tolist()
        assert train.read(5) == b"n15075141 2"
        assert train.name(5) == "n15075141/n15075141_2.JPEG"
    validation = open_images(folder, "val")
    assert [validation.label(i) for i in range(3)] == [999, 0, 1]
    assert validation.read(2) == b"validation 3"
    with pytest.raises(ValueError, match="one of train, validation for the archives"):
        open_images(folder)


def test_labels_that_are_missing_are_asked_for(tmp_path, monkeypatch):
    folder = official(tmp_path)
    (folder / "validation_labels.txt").write_text("n15075141\n")
    with pytest.raises(ValueError, match=r"ILSVRC2012_val_00000002.JPEG' in .* has no label"):
        open_images(folder, "validation")
    (folder / "validation_labels.txt").unlink()
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match=r"Expected: .*validation_labels.txt with a synset a line"):
        open_images(folder, "validation")


def test_an_archive_that_is_cut_off_says_where(tmp_path):
    path = official(tmp_path) / "ILSVRC2012_img_train.tar"
    path.write_bytes(path.read_bytes()[:16_000])
    with pytest.raises(ValueError, match=r"ILSVRC2012_img_train.tar is cut off within n01443537"):
        open_images(path)


def test_loose_images_of_imagenet_say_their_class_by_their_names(tmp_path):
    root = write(tmp_path, {f"{s}_tench.JPEG": b"" for s in SYNSETS})
    images = open_images(root)
    assert [images.label(i) for i in range(3)] == list(LABELS)


@pytest.mark.parametrize("file_format", ["tfrecord", "array_record"])
def test_what_the_real_builder_prepares_is_read_back(tmp_path, shared_data, file_format):
    tfds = pytest.importorskip("tensorflow_datasets")
    if file_format == "array_record":
        pytest.importorskip("array_record")
    # One image and one class, under the names that the builder expects.
    sample = open_images(shared_data / "imagenet-sample.zip")
    jpegs = {f"n01440764_{n}.JPEG": sample.read(n) for n in range(5)}
    truth = tfds.core.tfds_path("datasets/imagenet2012/validation_labels.txt").read_text().split()
    validation = {f"ILSVRC2012_val_0000000{n}.JPEG": sample.read(n) for n in (1, 2)}
    folder = write(
        tmp_path / "archives",
        {
            "ILSVRC2012_img_train.tar": tar_of({"n01440764.tar": tar_of(jpegs)}),
            "ILSVRC2012_img_val.tar": tar_of(validation),
        },
    )
    prepared = prepare_imagenet(tmp_path / "data", folder, file_format)
    for path in (tmp_path / "data", prepared.parent, prepared):
        train = open_images(path, "train")
        assert train.class_names == folders.synsets()
        assert {train.label(i) for i in range(len(train))} == {0}
        assert {train.read(i) for i in range(len(train))} == set(jpegs.values())
        named = {train.name(i).split()[-1]: train.read(i) for i in range(len(train))}
        assert named == jpegs
    images = open_images(prepared, "val")
    expected = {(content, folders.synsets().index(truth[n - 1]))
                for n, content in enumerate(validation.values(), 1)}  # fmt: skip
    assert {(images.read(i), images.label(i)) for i in range(2)} == expected
    assert pickle.loads(pickle.dumps(images)).read(1) == images.read(1)
    with pytest.raises(ValueError, match="must be one of train, validation for"):
        open_images(prepared)
    if file_format == "tfrecord":
        (record,) = prepared.glob("*train*")
        record.write_bytes(record.read_bytes()[:-8])
        with pytest.raises(EOFError, match="ends within a record"):
            open_images(prepared, "train")
        length = struct.pack("<Q", 1 << 40)
        record.write_bytes(length + record.read_bytes()[8:])
        with pytest.raises(EOFError, match="ends within a record at byte 0"):
            open_images(prepared, "train")


def test_archives_that_are_missing_are_named(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    with pytest.raises(FileNotFoundError, match=r"ILSVRC2012_img_train.tar is missing"):
        prepare_imagenet(tmp_path, tmp_path)
