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


def refuse_other_settings(
    path: str | os.PathLike,
    saved: dict[str, Any],
    wanted: dict[str, Any],
    *,
    what: str,
    remedy: str,
) -> None:
    """Raises where what a file holds was made with other settings than those asked for.

    Args:
        path: of the file or folder, for the message.
        saved: the settings that it was made with, as `json` read them.
        wanted: the settings of now, which are compared as `json` would read them.
        what: what the file holds, such as `"a run"`.
        remedy: a sentence that says what the user can do.

    Raises:
        ValueError: naming each setting that differs, with both values.

    Example:

    >>> refuse_other_settings("run", {"crops": [1]}, {"crops": (1,)}, what="a run", remedy="")
    """
    wanted = json.loads(json.dumps(wanted, default=plainly))
    differ = [
        f"{name}: {saved.get(name)!r} before, {wanted.get(name)!r} now"
        for name in sorted(saved.keys() | wanted.keys())
        if saved.get(name) != wanted.get(name)
    ]
    if differ:
        raise ValueError(
            f"{path} holds {what} of another configuration. {'; '.join(differ)}. {remedy}"
        )
