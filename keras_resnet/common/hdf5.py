"""HDF5 files that may be damaged. HDF5's own code is in C: it hangs, or takes gigabytes."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import h5py

SECONDS = 9
CPU_SECONDS = 3
MOST_MEMORY = 2**28  # that texts may take, in bytes


@contextlib.contextmanager
def open_hdf5(path: str | os.PathLike) -> Iterator[Any]:
    """A file, open to be read, of not too many entries, each of whose attributes can be read.

    Texts of any length lie in a heap of the file. Where that is damaged, HDF5 1.14 follows it in a
    circle, or clears as many bytes as a length of 32 bits says. A file that has such texts is read
    in a process of its own first, which takes a quarter of a second.

    Raises:
        ValueError: there are too many groups, arrays and attributes, or texts cannot be read in
            3 s of a CPU's time and 256 MB.
        OSError: it is no HDF5 file.
    """
    from keras_resnet.common.zips import check_count  # late: this file is a program, too

    with h5py.File(path, "r") as file:
        count_entries(file, lambda found: check_count(found, path))
        if texts_of(file, first=True) and sys.executable and not getattr(sys, "frozen", False):
            about = os.stat(path)
            check_texts(os.path.abspath(path), about.st_ino, about.st_size, about.st_mtime_ns)
        yield file


def count_entries(file: Any, check: Callable[[int], None]) -> None:
    """Counts groups, arrays and attributes, and checks the sum before those of a group are read."""
    found = 0

    def visit(name: str, item: Any = file) -> None:
        nonlocal found
        found += len(item.attrs) + (len(item) if isinstance(item, h5py.Group) else 0)
        check(found)

    visit("")
    file.visititems(visit)


def texts_of(file: Any, first: bool = False) -> int:
    """Reads the attributes that are texts of any length; with `first`, looks for one alone."""
    found = 0

    def visit(name: str, item: Any = file) -> bool | None:
        nonlocal found
        for key in item.attrs:
            if item.attrs.get_id(key).dtype.hasobject:
                found += 1
                if first:
                    return True
                item.attrs[key]
        return None

    if not visit(""):
        file.visititems(visit)
    return found


@functools.lru_cache
def check_texts(path: str, *version: int) -> None:
    """Raises where another process cannot read the texts of this version of a file."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-P", __file__, path]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        reason = done.stderr.strip().rpartition("\n")[2] or "HDF5 does not come to an end"
    except subprocess.TimeoutExpired:
        reason = f"it takes over {SECONDS} s"
    else:
        if not done.returncode:
            return
    raise ValueError(f"a text in it cannot be read: {reason}")


def limit() -> None:
    """Lets this process take so much more, as far as the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY,) * 2)


if __name__ == "__main__":
    limit()
    with h5py.File(sys.argv[1], "r") as opened:
        texts_of(opened)
