"""Collections of encoded images: folders and their archives hold the same."""

import multiprocessing
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from support import at_once
from support.data import FILES, content_of, tar_of, write

from keras_resnet.data import archives, open_images, open_splits

pytestmark = pytest.mark.once


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
    found = at_once(lambda: [content_of(images) for _ in range(50)])
    assert found == [[expected] * 50] * 4


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
    index = tmp_path / "photos.tar.index.npz"
    sound = index.read_bytes()
    for damaged in (b"", b"half of it", sound[:60], sound[: len(sound) // 2], sound[:-1]):
        index.write_bytes(damaged)
        assert len(open_images(path)) == 3
        assert zipfile.is_zipfile(index)


@pytest.mark.parametrize(("one", "other"), [("train", "validation"), ("validation", "train")])
def test_parts_of_other_classes_are_refused_and_the_classes_listed(tmp_path, one, other):
    folder = {"train": "train", "validation": "val"}
    root = write(tmp_path, FILES | {f"{folder[one]}/bird/f.jpg": b""})
    with pytest.raises(ValueError, match=f"in their classes: bird is in {one} and not in {other}"):
        open_splits(root, "train", "validation")
    (root / folder[other] / "bird").mkdir()
    with pytest.warns(UserWarning, match=r"Class folders without images in .*: bird"):
        parts = open_splits(root, "train", "validation")
    assert [images.class_names for images in parts] == [("bird", "cat", "dog")] * 2


@pytest.mark.once
def test_what_may_be_an_image_and_is_not_read_is_counted_and_named(tmp_path):
    for name in ("a.jpg", "b.tiff", "c.jfif", "d", "e.AVIF", "f.txt"):
        (tmp_path / "cat").mkdir(exist_ok=True)
        (tmp_path / "cat" / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"3 files .* passed over, such as 'cat/b.tiff'"):
        assert len(open_images(tmp_path)) == 2


@pytest.mark.once
def test_folders_that_link_to_each_other_are_each_read_once(tmp_path):
    names = "abcdef"
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.jpg").write_bytes(b"")
    for name in names:
        for other in set(names) - {name}:
            (tmp_path / name / other).symlink_to(tmp_path / other)
    assert len(open_images(tmp_path)) == 6


@pytest.mark.once
def test_a_pipe_among_the_images_is_passed_over(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(b"")
    os.mkfifo(tmp_path / "cat" / "b.jpg")
    with pytest.warns(UserWarning, match="b.jpg is no regular file"):
        assert len(open_images(tmp_path)) == 1
