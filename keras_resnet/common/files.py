"""Files that are written completely or not at all, and what network a file says it is of."""

import contextlib
import dataclasses
import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# What numpy.load raises for a file that was cut or altered: each array is stored with its CRC-32.
# RuntimeError and NotImplementedError: a zip file that says it is encrypted, or of another kind.
DAMAGE = (
    ValueError,
    KeyError,
    EOFError,
    OSError,
    RuntimeError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


@contextlib.contextmanager
def temporary_beside(path: str | os.PathLike) -> Iterator[Path]:
    """A path with the same file name in a temporary folder on the same disk as `path`.

    On the same disk, `os.replace` moves a file in one step. The temporary folder and all files
    in it are deleted at the end. The parent folders of `path` are created.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        yield Path(folder, path.name)


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path to write to; the file is renamed to `path` when the block ends.

    Guarantees:

    * Another process sees the complete old file or the complete new one at every moment.
    * The content is flushed to the disk before the rename, and the folder after it. A power cut
      therefore leaves the old file or the new one, and after the block it is the new one.
    * An exception in the block (a full disk, for example) leaves the old file as it was and
      deletes the temporary one.

    Args:
        path: of a file. Its parent folders are created.

    Yields:
        A path with the same file name, in a temporary folder beside `path`.

    Raises:
        OSError: the folder cannot be written to, or the block has not written the file.

    Example:

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_write(Path(folder, "deep", "error.txt")) as temporary:
    ...         _ = temporary.write_text("6.97 %")
    ...     Path(folder, "deep", "error.txt").read_text()
    '6.97 %'
    """
    path = Path(path)
    with temporary_beside(path) as temporary:
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
        flush(path.parent, recursive=False)


def flush(path: Path, recursive: bool = True) -> None:
    """Waits until a file, or a folder (with its content if `recursive`), is on the disk."""
    inside = path.rglob("*") if recursive and path.is_dir() else ()
    windows = os.name != "posix"
    for one in (path, *inside):
        if windows and one.is_dir():  # Windows has no descriptors of folders,
            continue
        handle = os.open(one, os.O_RDWR if windows else os.O_RDONLY)  # nor flushes read-only ones
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def printable(name: str) -> str:
    """A name for a terminal: what would move its cursor is written as an escape.

    >>> printable("cat" + chr(27) + "[2J.jpg")
    'cat\\\\x1b[2J.jpg'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def write_json(path: str | os.PathLike, record: Any) -> None:
    """Writes a JSON file atomically; `record` may also contain dataclasses and paths."""
    text = json.dumps(record, indent=2, default=to_json)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def to_json(value: Any) -> Any:
    """What `json.dumps(default=)` writes of a dataclass (its fields) or a path (its text)."""
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
    wanted = json.loads(json.dumps(wanted, default=to_json))
    differ = [
        f"{name}: {saved.get(name)!r} before, {wanted.get(name)!r} now"
        for name in sorted(saved.keys() | wanted.keys())
        if saved.get(name) != wanted.get(name)
    ]
    if differ:
        raise ValueError(
            f"{path} holds {what} of another configuration. {'; '.join(differ)}. {remedy}"
        )


# ---- what a network was built as ----------------------------------------------------------

# The name of the record in files and configurations.
GRAPH = "keras_resnet"


def parsed(text: str | bytes, what: str) -> dict[str, Any]:
    """The record in a file.

    Raises:
        ValueError: it is damaged.
    """
    try:
        graph = json.loads(text)
        return {**graph, "row": dict(graph["row"]), "options": dict(graph["options"])}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{what} says in a damaged way what network it is of: {error}") from error


def graph_in_hdf5(path: str | os.PathLike) -> dict[str, Any] | None:
    """What the weights in a file of Keras are of; None where it does not say so."""
    import h5py

    from keras_resnet.common.hdf5 import open_hdf5  # late: most files are of other kinds

    if not os.path.isfile(path) or not h5py.is_hdf5(path):
        return None
    inside: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        if name.endswith("vars") and GRAPH in item.attrs:
            inside[name] = item.attrs[GRAPH]

    with open_hdf5(path) as file:
        file.visititems(look)
        one = inside.popitem()[1] if len(set(inside.values())) == 1 else None
        found = file.attrs.get(GRAPH) or inside.get("vars", one)
        if found is None and "model_config" in file.attrs:
            config = json.loads(file.attrs["model_config"]).get("config", {})
            found = json.dumps(config[GRAPH]) if GRAPH in config else None
    return None if found is None else parsed(found, str(path))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The choices by which two networks compute something else, with the value of each."""
    choices = [{**graph["row"], **graph["options"]} for graph in (one, other)]
    if one.get("pixels") and other.get("pixels"):  # those of one that normalizes outside fit both
        for choice, graph in zip(choices, (one, other), strict=True):
            choice["mean and std"] = graph["pixels"]
    return {
        name: (choices[0][name], choices[1][name])
        for name in choices[0]
        if name in choices[1] and choices[0][name] != choices[1][name]
    }


def check_same(
    graph: Mapping[str, Any],
    mine: Mapping[str, Any],
    what: str,
    received: str,
    meant: Iterable[str] = (),
    loaded: str = "",
) -> None:
    """Raises where weights are of a network that computes something else than another.

    Args:
        graph: what the weights are of.
        mine: the other network.
        what: holds the weights, for the message.
        received: is to take them.
        meant: differences that are asked for.
        loaded: what is true of the other layers, for the message.
    """
    wrong = {name: pair for name, pair in differences(graph, mine).items() if name not in meant}
    if wrong:
        raise ValueError(
            f"{what} holds the weights of a network with "
            f"{', '.join(f'{name}={theirs!r}' for name, (theirs, _) in wrong.items())}. "
            f"Received: {received} with "
            f"{', '.join(f'{name}={its!r}' for name, (_, its) in wrong.items())}, which computes "
            f"something else{loaded}. {graph.get('call', 'Another network')} fits"
        )
