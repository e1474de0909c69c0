"""Files are written completely or not at all."""

import dataclasses
import json
import os
import stat
from pathlib import Path

import pytest

from keras_resnet.files import atomic_write, flush, temporary_beside, write_json

pytestmark = pytest.mark.once


def test_content_is_flushed_before_the_rename_and_the_folder_after_it(tmp_path, monkeypatch):
    """The order that a power cut cannot break: fsync of the file, rename, fsync of the folder."""
    events = []
    fsync, replace = os.fsync, os.replace

    def recorded_fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        content = sorted(os.listdir(tmp_path)) if is_folder else os.pread(descriptor, 100, 0)
        events.append(("fsync", os.readlink(f"/proc/self/fd/{descriptor}"), content))
        fsync(descriptor)

    def recorded_replace(before, after):
        events.append(("replace", str(before), str(after)))
        replace(before, after)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(os, "replace", recorded_replace)
    path = tmp_path / "log.csv"
    with atomic_write(path) as temporary:
        temporary.write_text("error,6.97\n")
    file, renamed, folder = events
    assert file == ("fsync", str(temporary), b"error,6.97\n")
    assert renamed == ("replace", str(temporary), str(path))
    assert folder[:2] == ("fsync", str(tmp_path))
    assert "log.csv" in folder[2]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("old")

    def interrupted():
        with atomic_write(path) as temporary:
            temporary.write_text("new")
            assert path.read_text() == "old"
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        interrupted()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("log.csv", "old")]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "deep" / "log.csv"):
        pass
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_folder_is_flushed_with_all_that_is_in_it(tmp_path, monkeypatch):
    with temporary_beside(tmp_path / "model") as folder:
        (folder / "variables").mkdir(parents=True)
        (folder / "variables" / "index").write_text("x")
        flushed = []
        monkeypatch.setattr(
            os, "fsync", lambda handle: flushed.append(os.readlink(f"/proc/self/fd/{handle}"))
        )
        flush(folder)
        expected = [folder, folder / "variables", folder / "variables" / "index"]
        assert sorted(flushed) == sorted(map(str, expected))
    assert list(tmp_path.iterdir()) == []


@dataclasses.dataclass
class Point:
    x: int
    where: Path


def test_dataclasses_and_paths_are_written_as_json(tmp_path):
    write_json(tmp_path / "point.json", {"points": [Point(1, Path("a", "b"))]})
    found = json.loads((tmp_path / "point.json").read_text())
    assert found == {"points": [{"x": 1, "where": str(Path("a", "b"))}]}
