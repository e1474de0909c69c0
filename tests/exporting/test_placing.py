"""Exported files come into place whole, over what was there, or not at all."""

import contextlib
import os
import pathlib
import resource
import sys

import keras
import numpy as np
import pytest
from support import BACKEND, fill

from keras_resnet.exporting import FORMATS, ExportError, export, open_exported, placing, writers

pytestmark = pytest.mark.portable

# What this backend writes itself.
WRITTEN = [name for name, row in FORMATS.items() if not row.writers or BACKEND in row.writers]


def small(features: int = 4) -> keras.Model:
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(features, 3, activation="relu")(image)
    return fill(keras.Model(image, keras.layers.GlobalAveragePooling2D()(x)))


def names_in(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", [name for name in WRITTEN if FORMATS[name].suffix])
def test_a_name_may_have_characters_of_patterns(format, tmp_path):
    suffix = FORMATS[format].suffix
    other, path = tmp_path / f"net1{suffix}", tmp_path / f"net[1]*?{suffix}"
    other.write_text("of another network")
    report = export(small(), path)
    files = {*tmp_path.iterdir()} - {other}
    assert files == {path} | ({path.with_suffix(".bin")} if format == "openvino" else set())
    assert report.bytes == sum(file.stat().st_size for file in files)
    assert other.read_text() == "of another network"


@pytest.mark.parametrize("name", ["net[1]", "net*", "net?", "net\\1"])
def test_a_folder_that_tensorflow_takes_for_a_pattern_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"has one of \* \? \[ \\ in it. Received: '.*net"):
        export(small(), tmp_path / name)
    assert not names_in(tmp_path)


@pytest.mark.once
def test_where_nothing_was_written_nothing_is_reported(tmp_path, monkeypatch):
    with pytest.raises(ExportError, match=r"Nothing was written for .*net.onnx"):
        placing.put(tmp_path / "net.onnx", tmp_path / "there" / "net.onnx")
    monkeypatch.setitem(writers.WRITERS, "keras", lambda *arguments: None)
    with pytest.raises(ExportError, match="The tool for keras wrote nothing"):
        export(small(), tmp_path / "net.keras", verify=False)
    assert not names_in(tmp_path)


@contextlib.contextmanager
def files_of_at_most(size: int):
    """Where a write past that ends in an error, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(BACKEND == "jax", reason="what it has compiled would be cut short as well")
@pytest.mark.parametrize("format", WRITTEN)
def test_a_full_disk_leaves_what_was_there(format, tmp_path):
    path, model = tmp_path / f"net{FORMATS[format].suffix}", small(features=512)
    export(model, path, verify=False)
    there = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    model.set_weights([2 * values for values in model.get_weights()])
    with (
        files_of_at_most(20_000),
        pytest.raises((ExportError, OSError), match=rf"{format} file could not be|File too large"),
    ):
        export(model, path, verify=False)
    left = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert left == there


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no folder of this kind here")
@pytest.mark.parametrize("format", FORMATS)
def test_a_path_that_cannot_be_written_to_is_an_oserror(format):
    with pytest.raises(OSError, match="/proc"):
        export(small(), f"/proc/net{FORMATS[format].suffix}")


def test_what_goes_wrong_in_the_tools_of_a_format_is_an_export_error(tmp_path, monkeypatch):
    def broken(*arguments):
        raise KeyError("of some library")

    monkeypatch.setitem(writers.WRITERS, "keras", broken)
    with pytest.raises(ExportError, match="keras file could not be written and run: KeyError: 'of"):
        export(small(), tmp_path / "net.keras")
    assert not names_in(tmp_path)


# Of what stands at a path and what takes its place: names and contents.
PAIR, FOLDER = ("net.xml", "net.bin"), ("net/saved_model.pb", "net/variables/index")


def written(folder: pathlib.Path, names: tuple[str, ...], content: str) -> pathlib.Path:
    """The path of a file or a folder with such members."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder / names[0].split("/")[0]


def contents(folder: pathlib.Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in files}


@pytest.mark.once
@pytest.mark.parametrize("names", [("net.onnx",), PAIR, FOLDER])
def test_what_else_is_in_the_folder_is_not_waited_for(names, tmp_path, monkeypatch):
    """Opening a pipe would hang, and a link to nothing fail; thousands of files take seconds."""
    os.mkfifo(tmp_path / "net.pipe")
    (tmp_path / "net.link").symlink_to("nothing")
    written(tmp_path, tuple(f"others/{number}" for number in range(30)), "")
    flushed, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(handle) or fsync(handle))
    with placing.beside(tmp_path / names[0].split("/")[0], names is FOLDER) as temporary:
        written(temporary.parent, names, "new")
        placing.put(temporary, tmp_path / temporary.name)
    assert len(flushed) <= 5
    assert contents(tmp_path).items() >= dict.fromkeys(names, "new").items()


@pytest.mark.once
@pytest.mark.parametrize("names", [("net.onnx",), PAIR, FOLDER])
@pytest.mark.parametrize("moves", range(5))
def test_a_move_that_fails_is_taken_back(names, moves, tmp_path, monkeypatch):
    """As where folders cannot change places at once."""
    path = written(tmp_path, names, "old")
    left = iter([True] * moves + [False])
    replace = os.replace

    def fails_once(before, after):
        if not next(left, True):
            raise OSError("no space left")
        replace(before, after)

    monkeypatch.setattr(placing, "exchanged", lambda one, other: False)
    monkeypatch.setattr(os, "replace", fails_once)
    needed = {1: 1, 2: 4}[len(names)] if names is not FOLDER else 2
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(placing.beside(path, names is FOLDER))
        written(place.parent, names, "new")
        if moves < needed:
            stack.enter_context(pytest.raises(OSError, match="no space left"))
        placing.put(place, path)
    assert contents(tmp_path) == dict.fromkeys(names, "old" if moves < needed else "new")
    assert names_in(tmp_path) == sorted({name.split("/")[0] for name in names})


@pytest.mark.once
def test_weights_are_never_beside_the_network_of_others(tmp_path, monkeypatch):
    path = written(tmp_path, PAIR, "old")
    replace, seen = os.replace, []

    def watched(before, after):
        replace(before, after)
        seen.append({name: text for name, text in contents(tmp_path).items() if "/" not in name})

    monkeypatch.setattr(os, "replace", watched)
    with placing.beside(path) as place:
        written(place.parent, PAIR, "new")
        placing.put(place, path)
    assert len(seen) == 4
    assert all(len(set(files.values())) < 2 for files in seen if "net.xml" in files)


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders at once")
def test_folders_change_places_at_once(tmp_path, monkeypatch):
    path = written(tmp_path, FOLDER, "old")
    monkeypatch.setattr(os, "replace", None)
    monkeypatch.setattr(os, "rename", None)
    with placing.beside(path, True) as place:
        written(place.parent, FOLDER, "new")
        placing.put(place, path)
    assert contents(tmp_path) == dict.fromkeys(FOLDER, "new")
    assert names_in(tmp_path) == ["net"]
    assert not placing.exchanged(tmp_path / "missing", path)


def test_a_folder_of_any_name_is_written_over(tmp_path):
    if "tf_saved_model" not in WRITTEN:
        pytest.skip("another backend writes it")
    for _ in range(2):
        export(small(), tmp_path / "net.v2", "tf_saved_model", verify=False)
    (found,) = open_exported(tmp_path / "net.v2", "tf_saved_model")(np.zeros((1, 8, 8, 3), "f"))
    assert found.shape == (1, 4)
