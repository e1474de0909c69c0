"""Files and folders that come into place whole, over what was there, or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path of the same name in a temporary folder on the same disk.

    Raises:
        OSError: the folder of `path` cannot be written to, or something else stands there.
    """
    path = path.absolute()
    saved = path / "saved_model.pb"
    if path.is_dir() and (path.suffix or not saved.exists()) and any(path.iterdir()):
        raise FileExistsError(f"Something else than an exported model is there: {path}")
    if path.is_file() and not path.suffix:
        raise FileExistsError(f"A file stands where a SavedModel's folder would be: {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        yield Path(folder, path.name)


def members(path: Path) -> list[Path]:
    """A file and those that belong to it: OpenVINO's weights, large ONNX models' data."""
    return sorted(path.parent.glob(f"{path.stem}.*")) if path.is_file() else [path]


def size_of(path: Path) -> int:
    """Bytes of a file with those that belong to it, or of a folder."""
    files = [x for x in path.rglob("*") if x.is_file()] if path.is_dir() else members(path)
    return sum(file.stat().st_size for file in files)


def put(place: Path, path: Path) -> None:
    """Moves what `beside` gave a path for to where it belongs, over what is there.

    Of several files the one that names the others comes last; if a move fails, those before
    it are taken back.
    """
    path = path.absolute()
    new = sorted(members(place), key=lambda file: file.name == place.name)
    old = place.parent / "old"
    old.mkdir()
    done: list[Path] = []
    try:
        for file in new:
            on_disk(file)
            target = path.parent / file.name
            if target.exists() and (target.is_dir() or len(new) > 1):
                os.rename(target, old / file.name)
            done.append(target)
            os.replace(file, target)
    except BaseException:
        for target in done:
            if (old / target.name).exists():
                if target.exists():
                    os.rename(target, place.parent / f"failed_{target.name}")
                os.rename(old / target.name, target)
        raise
    on_disk(path.parent)


def on_disk(path: Path) -> None:
    """Waits until a file, or all that is in a folder, is on the disk."""
    inside = path.rglob("*") if path.is_dir() else ()
    for one in (path, *inside):
        if os.name != "posix" and one.is_dir():
            continue
        handle = os.open(one, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
