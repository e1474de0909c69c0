"""Files that are there whole or not at all."""

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def whole(path: str | os.PathLike) -> Iterator[Path]:
    """A path to write to that becomes `path` once all is written: nobody sees half a file.

    What is written reaches the disk before the name does, so a power cut leaves the old file or
    the new one. An exception, a full disk among them, leaves the old one and nothing beside it.

    Args:
        path: of a file. Folders on the way to it are made.

    Example:

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole(Path(folder, "deep", "error.txt")) as beside:
    ...         _ = beside.write_text("6.97 %")
    ...     Path(folder, "deep", "error.txt").read_text()
    '6.97 %'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        temporary = Path(folder, path.name)
        yield temporary
        on_disk(temporary)
        os.replace(temporary, path)
    if os.name == "posix":
        on_disk(path.parent)


def on_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: str | os.PathLike, record: Any) -> None:
    """Writes what `json` can write, and dataclasses and paths, whole or not at all."""
    text = json.dumps(record, indent=2, default=plainly)
    with whole(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def plainly(value: Any) -> Any:
    return vars(value) if dataclasses.is_dataclass(value) else str(value)
