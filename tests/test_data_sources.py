"""Collections of encoded images: folders, archives and prepared data sets hold the same."""

import io
import multiprocessing
import os
import pickle
import struct
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_resnet.data import archives, cifar10, folders, open_images
from keras_resnet.data.prepared import prepare_imagenet

pytestmark = pytest.mark.once

FILES = {
    "train/cat/b.jpg": b"cat b",
    "train/cat/a.JPEG": b"cat a",
    "train/dog/nested/c.png": b"dog c",
    "val/cat/d.jpg": b"cat d",
    "val/dog/e.jpg": b"dog e",
}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def tar_of(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


def content_of(images) -> list[tuple[str, bytes]]:
    return [(images.class_names[images.label(i)], images.read(i)) for i in range(len(images))]


@pytest.fixture(params=["folder", "zip", "deflated", "tar", "zip of one folder"])
def collection(request, tmp_path) -> Path:
    if request.param == "folder":
        return write(tmp_path / "photos", FILES)
    if request.param == "tar":
        path = tmp_path / "photos.tar"
        path.write_bytes(tar_of(FILES))
        return path
    path = tmp_path / "photos.zip"
    method = zipfile.ZIP_DEFLATED if request.param == "deflated" else zipfile.ZIP_STORED
    within = "photos/" if request.param == "zip of one folder" else ""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(within + name, content)
    return path


def test_a_folder_and_its_archives_hold_the_same(collection):
    train = open_images(collection, "train")
    assert train.class_names == ("cat", "dog")
    assert content_of(train) == [("cat", b"cat a"), ("cat", b"cat b"), ("dog", b"dog c")]
    assert content_of(open_images(collection, "validation")) == [
        ("cat", b"cat d"),
        ("dog", b"dog e"),
    ]
    assert train.name(2).endswith("train/dog/nested/c.png")


def test_a_collection_of_several_parts_asks_which(collection):
    with pytest.raises(ValueError, match=r"one of train, val\. Received: split=None"):
        open_images(collection)
    with pytest.raises(ValueError, match=r"no part called 'test'\. Found: train, val"):
        open_images(collection, "test")


def test_a_collection_survives_pickling_threads_and_forks(collection):
    images = open_images(collection, "train")
    expected = content_of(images)
    assert content_of(pickle.loads(pickle.dumps(images))) == expected
    found: list = []
    threads = [
        threading.Thread(target=lambda: found.extend(content_of(images) for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 200


def test_another_process_reads_what_this_one_opened(tmp_path):
    path = tmp_path / "photos.tar"
    path.write_bytes(tar_of(FILES))
    images = open_images(path, "train")
    images.read(0)  # the file is open
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(images.read, range(3)) == [images.read(i) for i in range(3)]


def test_hidden_files_and_those_that_are_no_images_are_passed_over(tmp_path):
    noise = ("cat/.DS_Store", "cat/notes.txt", ".git/x.jpg", "__MACOSX/cat/a.jpg", "README.md")
    root = write(tmp_path, {"cat/a.jpg": b"a", "dog/b.webp": b"b", **dict.fromkeys(noise, b"")})
    assert content_of(open_images(root)) == [("cat", b"a"), ("dog", b"b")]


def test_a_class_without_images_keeps_its_number(tmp_path):
    root = write(tmp_path, {"cat/a.jpg": b"a", "bird/notes.txt": b"", "dog/b.jpg": b"b"})
    with pytest.warns(UserWarning, match="Class folders without images in .*: bird"):
        images = open_images(root)
    assert images.class_names == ("bird", "cat", "dog")
    assert [images.label(i) for i in range(2)] == [1, 2]


def test_images_outside_the_class_folders_are_named(tmp_path):
    root = write(tmp_path, {"cat/a.jpg": b"a", "stray.jpg": b"", "dog/b.jpg": b"b"})
    with pytest.warns(UserWarning, match=r"1 images in .* no class folder, such as 'stray.jpg'"):
        assert len(open_images(root)) == 2


def test_odd_names_are_read_and_can_be_printed(tmp_path):
    root = write(tmp_path, {"chat noir/ü\n'\".jpg": b"a", "犬/100%.jpg": b"b", "x/#?.jpg": b"c"})
    name = os.fsdecode(b"x/\xff.jpg")  # is not UTF-8
    write(root, {name: b"d"})
    images = open_images(root)
    assert images.class_names == ("chat noir", "x", "犬")
    assert [content for _, content in content_of(images)] == [b"a", b"c", b"d", b"b"]
    assert images.name(2) == r"x/\xff.jpg"
    images.name(2).encode()


def test_links_are_followed_once(tmp_path):
    root = write(tmp_path / "photos", {"cat/a.jpg": b"a", "dog/b.jpg": b"b"})
    write(tmp_path / "elsewhere", {"c.jpg": b"c"})
    (root / "fox").symlink_to(tmp_path / "elsewhere")
    (root / "dog" / "again").symlink_to(root)
    write(tmp_path / "p", {"readme.txt": b""})
    (root / "fox" / "p").symlink_to(tmp_path / "p")
    (tmp_path / "p" / "back").symlink_to(tmp_path / "elsewhere")
    assert [content for _, content in content_of(open_images(root))] == [b"a", b"b", b"c"]
    (root / "cat" / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(FileNotFoundError, match=r"lost.jpg is a link to a file that is not there"):
        open_images(root)


def test_nothing_to_open_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file or folder .*absent"):
        open_images(tmp_path / "absent")
    with pytest.raises(ValueError, match="No images"):
        open_images(tmp_path)
    (tmp_path / "notes.zip").write_text("not a zip")
    with pytest.raises(ValueError, match=r"notes.zip is neither a zip nor an uncompressed tar"):
        open_images(tmp_path / "notes.zip")
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as tar:
        tar.add(write(tmp_path / "a", {"cat/1.jpg": b""}), "a")
    with pytest.raises(ValueError, match="A compressed tar cannot be read in random order"):
        open_images(tmp_path / "photos.tar.gz")
    write(tmp_path / "loose", {"IMG_1.jpg": b"", "IMG_2.jpg": b""})
    with pytest.raises(ValueError, match=r"'IMG_1.jpg' in .* is in no class folder"):
        open_images(tmp_path / "loose")


def test_a_damaged_zip_is_an_error_that_names_the_member(tmp_path):
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat/a.jpg", b"all of it")
        archive.writestr("dog/b.jpg", b"b")
    path.write_bytes(path.read_bytes().replace(b"all of it", b"some of it"[:9]))
    with pytest.raises(ValueError, match=r"cat/a.jpg in .*photos.zip is damaged"):
        open_images(path).read(0)


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
    with pytest.raises(ValueError, match="one of train, validation, val for the archives"):
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


def test_the_index_of_a_large_tar_is_kept_and_made_anew_where_the_tar_has_changed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(archives, "LARGE", 1)
    path = tmp_path / "photos.tar"
    path.write_bytes(tar_of({"cat/a.jpg": b"a", "dog/b.jpg": b"b"}))
    assert content_of(open_images(path)) == [("cat", b"a"), ("dog", b"b")]
    assert (tmp_path / "photos.tar.index.npz").exists()
    with monkeypatch.context() as patch:
        patch.setattr(archives, "members", lambda path: pytest.fail("indexed again"))
        assert content_of(open_images(path)) == [("cat", b"a"), ("dog", b"b")]
    path.write_bytes(tar_of({"cat/a.jpg": b"new", "dog/b.jpg": b"b", "dog/c.jpg": b"c"}))
    assert content_of(open_images(path))[0] == ("cat", b"new")
    (tmp_path / "photos.tar.index.npz").write_bytes(b"half of it")
    assert len(open_images(path)) == 3


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


def jpeg(pixels: np.ndarray) -> bytes:
    from PIL import Image

    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "jpeg", quality=100)
    return packed.getvalue()


def cifar_files(size=32) -> dict[str, bytes]:
    grey = np.full((size, size, 3), 128, "uint8")
    return {f"{part}/{name}/{n}.jpg": jpeg(grey + n)
            for part in ("train", "test") for name in cifar10.CLASSES for n in (0, 1)}  # fmt: skip


def test_cifar10_comes_from_a_folder_of_images(tmp_path):
    (x, y), (x_test, y_test) = cifar10.load_data(write(tmp_path, cifar_files()))
    assert x.shape == x_test.shape == (20, 32, 32, 3)
    assert x.dtype == "uint8"
    assert y.tolist() == y_test.tolist() == np.repeat(range(10), 2).tolist()
    assert y.dtype == "int64"
    assert x[0].max() == 128
    assert x[1].max() == 129
    mean = cifar10.mean_image(x)
    assert mean.shape == (32, 32, 3)
    assert mean.dtype == "float32"
    assert (mean == 128.5).all()


def test_what_is_not_cifar10_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"0.jpg is not of 32x32 pixels. Received: \(8, 8\)"):
        cifar10.load_data(write(tmp_path / "small", cifar_files(8)))
    bad = cifar_files() | {"train/bird/0.jpg": b"no image"}
    with pytest.raises(ValueError, match=r"train/bird/0.jpg cannot be read as an image"):
        cifar10.load_data(write(tmp_path / "bad", bad))
    with pytest.raises(ValueError, match=r"expected the classes airplane, .* Received: cat, dog"):
        cifar10.load_data(write(tmp_path / "other", {
            f"{part}/{name}/1.jpg": b"" for part in ("train", "test") for name in ("cat", "dog")
        }))  # fmt: skip


def test_keras_download_has_the_same_form(monkeypatch):
    x, y = np.zeros((3, 32, 32, 3), "uint8"), np.array([[6], [9], [9]], "uint8")
    monkeypatch.setattr("keras.datasets.cifar10.load_data", lambda: ((x, y), (x[:1], y[:1])))
    (_, labels), (_, test_labels) = cifar10.load_data()
    assert labels.tolist() == [6, 9, 9]
    assert test_labels.dtype == "int64"


def test_the_jpegs_of_cifar10_are_read_from_their_zip(shared_data):
    test = open_images(shared_data / "cifar10-jpeg.zip", "test")
    assert len(test) == 10_000
    assert test.class_names == cifar10.CLASSES
    assert np.bincount([test.label(i) for i in range(len(test))]).tolist() == [1000] * 10
