"""Files of many members that may take memory or time: they are counted before they are listed."""

import contextlib
import io
import os
import zipfile
from collections.abc import Iterator
from typing import Any

MOST_ENTRIES = 50_000  # of a file of arrays; ResNet-110 with its optimizer has 2,056
LARGEST_LIST = 2**24  # of the list of a zip file's members, in bytes


def check_count(found: int, what: str | os.PathLike) -> None:
    """Raises ValueError where a file has too many arrays, members or groups."""
    if found > MOST_ENTRIES:
        raise ValueError(f"{os.fspath(what)} holds more than {MOST_ENTRIES:,} entries")


class Listed(io.BufferedReader):
    """A zip file of which zipfile reads the list of members, which it does in one piece."""

    listed = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.listed or size is None or size < 0:
            return super().read(size)
        if size > LARGEST_LIST:
            raise ValueError(f"{self.name} lists its members in more than {LARGEST_LIST:,} bytes")
        found = super().read(size)
        check_count(found.count(b"PK\1\2"), self.name)
        return found


@contextlib.contextmanager
def open_zip(path: str | os.PathLike) -> Iterator[zipfile.ZipFile]:
    """A zip file, open to be read, of not too many members, each of a name of its own.

    Raises:
        ValueError: it has too many members, or two of a name, or one that is neither stored nor
            deflated: others may take gigabytes to unfold.
        OSError, zipfile.BadZipFile: it cannot be read, or is no zip file.
    """
    with Listed(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        file.listed = True
        names = set[str]()
        for entry in archive.infolist():
            if entry.filename in names:
                raise ValueError(f"{path} holds {entry.filename} twice")
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{entry.filename} in {path} is neither stored nor deflated")
            names.add(entry.filename)
        yield archive


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """The content of a member.

    Raises:
        ValueError: it unfolds to more than `most` bytes.
    """
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"its {name} is of more than {most:,} bytes")
    return content


def read_npz(path: str | os.PathLike) -> dict[str, Any]:
    """The arrays in a file that `numpy.savez` wrote, of numbers or texts.

    Raises:
        keras_resnet.common.files.DAMAGE: it cannot be read.
    """
    import numpy as np

    arrays = {}
    with open_zip(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                name = entry.filename.removesuffix(".npy")
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays
