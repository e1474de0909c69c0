"""Images in a zip or a tar, which are read at random without unpacking."""

import contextlib
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from keras_resnet.common.files import DAMAGE, atomic_write
from keras_resnet.common.zips import read_npz
from keras_resnet.data.folders import Listed, synsets

LARGE = 10_000  # The index of a tar with more members is saved beside it.


class RandomAccessFile:
    """A file that any thread or process may read at any place."""

    def __init__(self, path: Path):
        self.path = path
        self.descriptor: int | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes.

        Raises:
            EOFError: the file ends earlier.
        """
        if hasattr(os, "pread"):
            if self.descriptor is None:
                self.descriptor = os.open(self.path, os.O_RDONLY)
            found = os.pread(self.descriptor, length, offset)
        else:  # on Windows
            with open(self.path, "rb") as file:
                file.seek(offset)
                found = file.read(length)
        if len(found) < length:
            raise EOFError(f"{self.path} ends before byte {offset + length}: it is cut off")
        return found

    def __reduce__(self):
        return RandomAccessFile, (self.path,)

    def __del__(self):
        if self.descriptor is not None:
            os.close(self.descriptor)


class ZipImages(Listed):
    """A zip of class folders; see `open_images`. Members are stored or deflated.

    The checksum of a member is compared when it is read for the first time.
    """

    def __init__(self, path: Path, split: str | None = None):
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise ValueError(f"{path} is not a complete zip: {error}") from error
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

    The index of a large archive is saved beside it as `NAME.index.npz`, if that can be written.
    """

    def __init__(self, path: Path, split: str | None = None):
        names, places = index_of(path)
        super().__init__(names, split, path)
        if set(self.class_names) <= set(synsets()):  # ImageNet's, or a part of it
            labels = np.array([synsets().index(name) for name in self.class_names], "int32")
            self.labels, self.class_names = labels[self.labels], synsets()
        self.file = RandomAccessFile(path)
        self.index = places[self.chosen]

    def read(self, i: int) -> bytes:
        offset, length = map(int, self.index[i])
        return self.file.read(offset, length)


def index_of(path: Path) -> tuple[list[str], np.ndarray]:
    """Names of all members, and their (offset, length) in bytes."""
    saved = path.with_name(f"{path.name}.index.npz")
    size = path.stat().st_size
    stamp = [size, path.stat().st_mtime_ns]
    try:
        arrays = read_npz(saved)
        if arrays["stamp"].tolist() == stamp:
            return arrays["names"].tolist(), arrays["places"]
    except DAMAGE:
        pass  # absent, or not what is written below
    with open(path, "rb") as file:
        found = list(members(file, 0, size, str(path)))
    names, places = [name for name, *_ in found], np.array([place for _, *place in found], "int64")
    if len(names) > LARGE:
        with contextlib.suppress(OSError), atomic_write(saved) as temporary:
            np.savez(temporary, names=np.array(names), places=places, stamp=np.array(stamp))
    return names, places


def members(
    file: BinaryIO, start: int, end: int, where: str, folder: str = ""
) -> Iterator[tuple[str, int, int]]:
    """(name, offset, length) of each file in the tar from `start` to `end` of a file.

    The files in an inner n01440764.tar are in a folder n01440764/.

    Raises:
        ValueError: the tar is cut off or damaged.
    """
    file.seek(start)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                name, stop = member.name.removeprefix("./"), member.offset_data + member.size
                if member.offset >= end:
                    break
                if member.isdir():
                    yield f"{folder}{name}/", 0, 0
                if not member.isfile():
                    continue
                if stop > end:
                    raise ValueError(f"{where} is cut off within {member.name}")
                if name.endswith(".tar"):
                    inner, within = f"{folder}{name.removesuffix('.tar')}/", f"{name} in {where}"
                    yield from members(file, member.offset_data, stop, within, inner)
                else:
                    yield f"{folder}{name}", member.offset_data, member.size
    except tarfile.TarError as error:
        raise ValueError(f"{where} is not a complete tar: {error}") from error
