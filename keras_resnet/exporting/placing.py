"""Exported files and folders that replace what was at their path completely, or not at all."""

import contextlib
import ctypes
import glob
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from keras_resnet.common.files import flush, temporary_beside
from keras_resnet.exporting.formats import ExportError

PATTERN = set("*?[\\")
# Of Linux: linux/fcntl.h and linux/fs.h.
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextlib.contextmanager
def beside(path: Path, is_folder: bool = False) -> Iterator[Path]:
    """A path of the same name in a temporary folder on the same disk.

    Args:
        path: of a file, or of a SavedModel's folder.
        is_folder: which of the two.

    Raises:
        ValueError: TensorFlow would take the path for a pattern.
        OSError: the folder of `path` cannot be written to, or something else is at `path`.
    """
    path = path.absolute()
    ours = is_folder and Path(path, "saved_model.pb").exists()
    if path.is_dir() and not ours and any(path.iterdir()):
        raise FileExistsError(f"Something else than an exported model is there: {path}")
    if path.is_file() and is_folder:
        raise FileExistsError(f"There is a file where a SavedModel's folder would be: {path}")
    if is_folder and PATTERN & set(path.as_posix()):
        raise ValueError(
            "TensorFlow loads no SavedModel whose path has one of * ? [ \\ in it. "
            f"Received: {str(path)!r}"
        )
    with temporary_beside(path) as temporary:
        yield temporary


def members(path: Path) -> list[Path]:
    """A file and those that belong to it: OpenVINO's weights, large ONNX models' data."""
    same_stem = f"{glob.escape(path.stem)}.*"
    return sorted(path.parent.glob(same_stem)) if path.is_file() else [path]


def size_of(path: Path) -> int:
    """Bytes of a file with those that belong to it, or of a folder."""
    files = [x for x in path.rglob("*") if x.is_file()] if path.is_dir() else members(path)
    return sum(file.stat().st_size for file in files)


def put(temporary: Path, path: Path) -> None:
    """Moves what was written to a path of `beside` to `path`, over what is there.

    A file replaces a file at once, and so does a folder a folder on Linux. Of several files the
    one that names the others is removed first and comes last: there is none, rather than one beside
    the weights of another network. If a move fails, those before it are undone.

    Raises:
        ExportError: there is nothing at `temporary`.
        OSError: a move failed.
    """
    path = path.absolute()
    if not temporary.exists():
        raise ExportError(f"Nothing was written for {path}")
    new = sorted(members(temporary), key=lambda file: file.name == temporary.name)
    for file in new:
        flush(file)
    if not (path.is_dir() and exchanged(temporary, path)):
        move(new, path.parent, temporary.parent / "old")
    flush(path.parent, recursive=False)


def exchanged(one: Path, other: Path) -> bool:
    """Whether two paths could change places at once: not every system or disk has that."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    names = (AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other))
    return rename is not None and rename(*names, RENAME_EXCHANGE) == 0


def move(new: list[Path], folder: Path, old: Path) -> None:
    """Moves files into a folder, and those of their names into `old`, all or none."""
    old.mkdir()
    moved: list[tuple[Path, Path]] = []

    def replace(before: Path, after: Path) -> None:
        os.replace(before, after)
        moved.append((before, after))

    try:
        for file in reversed(new):
            target = folder / file.name
            if target.exists() and (target.is_dir() or len(new) > 1):
                replace(target, old / file.name)
        for file in new:
            replace(file, folder / file.name)
    except BaseException:
        for before, after in reversed(moved):
            os.replace(after, before)
        raise
