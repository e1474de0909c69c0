"""The folder of a run, which belongs to one process at a time.

| state | what the folder holds | what the next call of `fit` does |
|---|---|---|
| new | no checkpoint | trains from the first step |
| running | a checkpoint, and a lock that a living process has | is refused |
| running | a checkpoint, and no such process: it was killed | goes on after the checkpoint |
| interrupted | a checkpoint of the step that a signal came in | goes on after it |
| ended early | a checkpoint: a callback has set `model.stop_training` | trains no more |
| ended | a checkpoint of the last step | trains no more, unless more steps are asked for |

A call is refused, and the folder stays as it is, where the configuration, the model or the
optimizer is another, or where the folder cannot be written to.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RUNNING, INTERRUPTED, ENDED_EARLY, ENDED = "running", "interrupted", "ended early", "ended"
LOCK = ".lock"


@contextlib.contextmanager
def held(folder: Path | None) -> Iterator[None]:
    """Makes the folder of a run and keeps others out of it; the system lets go of a dead process.

    Args:
        folder: of the run; None for a run that saves nothing.

    Raises:
        ValueError: it cannot be written to, or another process trains in it.
    """
    if folder is None:
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            file = stack.enter_context((folder / LOCK).open("a+"))
            file.flush()
        except OSError as error:
            raise ValueError(
                f"`out` must be a folder that can be written to. Received: out={str(folder)!r} "
                f"({error.strerror})"
            ) from error
        if not lock(file):
            file.seek(0)
            raise ValueError(
                f"Another process trains in this folder: wait until it ends, or give another "
                f"`out`. Received: out={str(folder)!r}, in use by process {file.read().strip()}"
            )
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        remove_halves(folder)
        remove_halves(folder / "checkpoints")
        yield


def lock(file: Any) -> bool:
    """Locks an open file until it is closed; False if another process has. Not all disks can."""
    try:
        import fcntl
    except ImportError:
        return lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"This disk has no locks ({error.strerror}): let no other process train in its place")
    return True


def lock_on_windows(file: Any) -> bool:
    import msvcrt

    file.seek(0)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def remove_halves(folder: Path) -> None:
    """Removes what a process that was killed while it wrote has left: see `atomic_write`."""
    for path in folder.glob(".*"):
        if path.is_dir() and all(is_ours(inside) for inside in path.iterdir()):
            shutil.rmtree(path, ignore_errors=True)


def is_ours(path: Path) -> bool:
    return path.name == "log.csv" or (path.name.startswith("step-") and path.suffix == ".npz")
