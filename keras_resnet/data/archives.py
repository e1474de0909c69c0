"""Images in a zip or a tar, read where they lie."""

import contextlib
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_resnet.data.folders import Listed, synsets
from keras_resnet.files import DAMAGE, atomic_write

LARGE = 10_000  # members from which on the index of a tar is kept beside it


class RandomAccessFile:
    """A file read at any place by any thread or process."""

    def __init__(self, path: Path):
        self.path = path
        self.descriptor: int | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes.

        Raises:
            EOFError: the file ends before.
        """
        if not hasattr(os, "pread"):  # Windows
            with open(self.path, "rb") as file:
                file.seek(offset)
                found = file.read(length)
        else:
            if self.descriptor is None:
                self.descriptor = os.open(self.path, os.O_RDONLY)
            found = os.pread(self.descriptor, length, offset)
            while found and len(found) < length:  # Linux reads at most 2 GiB at once
                more = os.pread(self.descriptor, length - len(found), offset + len(found))
                if not more:
                    break
                found += more
        if len(found) < length:
            raise EOFError(f"{self.path} ends before byte {offset + length}: it is cut off")
        return found

    def __getstate__(self):
        return {"path": self.path, "descriptor": None}

    def __del__(self):
        if self.descriptor is not None:
            os.close(self.descriptor)


class ZipImages(Listed):
    """A zip of class folders; see `open_images`. Members are stored or deflated.

    The checksum of a member is looked at when it is read for the first time.
    """

    def __init__(self, path: Path, split: str | None = None):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        super().__init__([member.filename for member in members], split, path)
        self.file = RandomAccessFile(path)
        used = [members[i] for i in self.chosen]
        for member in used:
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{member.filename!r} in {path} is neither stored nor deflated")
            if member.flag_bits & 1:
                raise ValueError(f"{member.filename!r} in {path} is encrypted")
        columns = [(m.header_offset, m.compress_size, m.CRC, m.compress_type) for m in used]
        self.index = np.array(columns, "int64")
        self.sound = np.zeros(len(used), "bool")  # members whose checksum was right

    def read(self, i: int) -> bytes:
        start, length, crc, method = map(int, self.index[i])
        header = self.file.read(start, 30)
        name, extra = struct.unpack_from("<HH", header, 26)
        found = self.file.read(start + 30 + name + extra, length)
        try:
            data = zlib.decompress(found, -15) if method == zipfile.ZIP_DEFLATED else found
        except zlib.error as error:
            raise ValueError(f"{self.name(i)} in {self.where} is damaged: {error}") from error
        if not self.sound[i]:
            if zlib.crc32(data) != crc:
                raise ValueError(f"{self.name(i)} in {self.where} is damaged: wrong checksum")
            self.sound[i] = True
        return data


class TarImages(Listed):
    """An uncompressed tar of class folders, or of one tar per class, as ImageNet's is.

    The index of a large archive is kept beside it as `NAME.index.npz`, if that can be written.
    """

    def __init__(self, path: Path, split: str | None = None):
        names, places = index_of(path)
        super().__init__(names, split, path)
        if set(self.class_names) <= set(synsets()):  # ImageNet's, whatever part of it is there
            self.renumber(synsets())
        self.file = RandomAccessFile(path)
        self.index = places[self.chosen]

    def read(self, i: int) -> bytes:
        offset, length = map(int, self.index[i])
        return self.file.read(offset, length)


def index_of(path: Path) -> tuple[list[str], np.ndarray]:
    """Names, and (offset, length) in bytes."""
    kept = path.with_name(f"{path.name}.index.npz")
    stamp = [path.stat().st_size, path.stat().st_mtime_ns]
    try:
        with np.load(kept, allow_pickle=False) as file:
            if file["stamp"].tolist() == stamp:
                return file["names"].tolist(), file["places"]
    except DAMAGE:
        pass  # absent, or not what is written below
    found = list(members(path))
    names, places = [name for name, *_ in found], np.array([place for _, *place in found], "int64")
    if len(names) > LARGE:
        with contextlib.suppress(OSError), atomic_write(kept) as temporary:
            np.savez(temporary, names=np.array(names), places=places, stamp=np.array(stamp))
    return names, places


def members(path: Path) -> Iterator[tuple[str, int, int]]:
    """(name, offset, length) of every file; an inner n01440764.tar is a folder n01440764/.

    Raises:
        ValueError: the archive is cut off.
    """
    size = path.stat().st_size
    with open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as outer:
        for member in outer:
            if member.isdir():
                yield f"{member.name}/", 0, 0
            if not member.isfile():
                continue
            end = member.offset_data + member.size
            if end > size:
                raise ValueError(f"{path} is cut off within {member.name}")
            if not member.name.endswith(".tar"):
                yield member.name.removeprefix("./"), member.offset_data, member.size
                continue
            yield from members_within(file, member, path)


def members_within(file, outer: tarfile.TarInfo, path: Path) -> Iterator[tuple[str, int, int]]:
    at, folder = file.tell(), outer.name.removeprefix("./").removesuffix(".tar")
    end = outer.offset_data + outer.size
    file.seek(outer.offset_data)
    try:
        with tarfile.open(fileobj=file, mode="r:") as inner:
            for member in inner:
                if member.offset >= end:
                    break
                if member.offset_data + member.size > end:
                    raise ValueError(f"{outer.name} in {path} is cut off within {member.name}")
                if member.isfile():
                    yield f"{folder}/{member.name}", member.offset_data, member.size
    except tarfile.TarError as error:
        raise ValueError(f"{outer.name} in {path} is not a tar: {error}") from error
    finally:
        file.seek(at)
