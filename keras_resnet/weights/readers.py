"""Files of weights as named arrays. Nothing in a file is executed.

A reader gives the name and shape of every array without loading it, so that a file that does
not fit a model is refused before its data is read, whatever sizes it declares.
"""

import contextlib
import io
import math
import os
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_resnet.common.zips import check_count, open_zip
from keras_resnet.weights.hdf5 import hdf5
from keras_resnet.weights.stored import Arrays, Stored, WeightsFileError, required

LARGEST_HEADER = 2**24  # of a .safetensors file, and a pickle of tensors, in bytes
LARGEST_NPY_HEADER = 2**14
TORCH_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"  # pickle of torch's magic number


@contextlib.contextmanager
def open_arrays(path: str | os.PathLike) -> Iterator[Arrays]:
    """The arrays of a weights file by name, to be read while the context lasts.

    Args:
        path: a `.safetensors`, `.npz`, `.weights.h5`, Keras-2 `.h5`, or torch `.pth`/`.th`
            file, recognized by its content.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsFileError: the file is damaged, or no weights file.
        ImportError: a package that reads this kind is missing; the message names it.
    """
    path = regular(path)
    with open(path, "rb") as file:
        start = file.read(256)
    with contextlib.ExitStack() as stack:
        with damage_named(path):
            arrays = stack.enter_context(reader_for(start, path)(path))
        if not arrays:
            raise WeightsFileError(f"There are no weights in {path}")
        yield {name: guarded(stored, name, path) for name, stored in arrays.items()}


def regular(path: str | os.PathLike) -> Path:
    """The path; raises where something there is no regular file. Opening a pipe does not return."""
    path = Path(path)
    if path.exists() and not path.is_file():
        kind = "folder" if path.is_dir() else "pipe or device"
        raise WeightsFileError(f"A file of weights is needed. Received the {kind}: {path}")
    return path


@contextlib.contextmanager
def damage_named(path: Path, name: str = "") -> Iterator[None]:
    """Turns every exception of a library that reads a damaged file into one that names the file.

    They raise struct.error, KeyError, RuntimeError, MemoryError and others.
    """
    try:
        yield
    except (WeightsFileError, ImportError):
        raise
    except Exception as error:
        what = f"{name!r} in {path}" if name else str(path)
        raise WeightsFileError(f"{what} cannot be read as weights: {error}") from error


def guarded(stored: Stored, name: str, path: Path) -> Stored:
    """An array whose reading raises `WeightsFileError` alone."""

    def read():
        with damage_named(path, name):
            return stored.read()

    return Stored(stored.shape, read)


def reader_for(start: bytes, path: Path):
    """The reader of a file that begins with these bytes."""
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return hdf5
    if start.startswith(b"PK\x03\x04"):
        with open_zip(path) as archive:
            names = archive.namelist()
        if "config.json" in names:
            raise WeightsFileError(f"{path} is a whole model: keras.models.load_model reads it")
        return npz if any(name.endswith(".npy") for name in names) else torch_pickle
    if start.startswith(TORCH_LEGACY):
        return torch_pickle
    if is_safetensors(start):
        return safetensors
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise WeightsFileError(f"{path} is a web page, not weights: was a download refused?")
    if text.startswith(b"version https://git-lfs"):
        raise WeightsFileError(f"{path} is a Git LFS pointer; fetch the file it stands for")
    raise WeightsFileError(
        f"{path} is of an unknown kind or damaged: it begins with {start[:8]!r}. Known: "
        ".safetensors, .npz, .weights.h5, .h5 of Keras 2, .pth and .th of torch"
    )


def is_safetensors(start: bytes) -> bool:
    """Whether a file that begins so is one, with a header that is not too large to be read."""
    return start[8:9] == b"{" and int.from_bytes(start[:8], "little") < LARGEST_HEADER


@contextlib.contextmanager
def npz(path: Path) -> Iterator[Arrays]:
    """NumPy's archive, without its pickles."""
    with open_zip(path) as archive:
        entries = archive.infolist()
        yield {entry.filename.removesuffix(".npy"): npy(archive, entry, path) for entry in entries}


def npy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Stored:
    """One array of an archive: its header is read, its data not yet."""
    formats = np.lib.format
    readers = {(1, 0): formats.read_array_header_1_0, (2, 0): formats.read_array_header_2_0}
    with damage_named(path, entry.filename), archive.open(entry) as file:
        # Bounded: a header that declares to be long, or unfolds to be, is not read to its end.
        header = io.BytesIO(file.read(LARGEST_NPY_HEADER))
        shape, _, dtype = readers[formats.read_magic(header)](header)
        stored = entry.file_size - header.tell()
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or min(shape, default=0) < 0 or size != stored:
        raise WeightsFileError(
            f"{entry.filename} in {path} declares {dtype} of shape {shape}, {size} bytes, "
            f"and holds {stored}"
        )

    def read():
        with archive.open(entry) as file:
            return formats.read_array(io.BytesIO(file.read(entry.file_size)), allow_pickle=False)

    return Stored(tuple(shape), read)


@contextlib.contextmanager
def safetensors(path: Path) -> Iterator[Arrays]:
    """The Hugging Face hub's format: a header of shapes, then the data."""
    with open_safetensors(path) as file:
        yield {name: slice_of(file, name) for name in file.keys()}  # noqa: SIM118


@contextlib.contextmanager
def open_safetensors(path: Path) -> Iterator[Any]:
    """A file of safetensors whose header is not too long to be taken apart."""
    from safetensors import safe_open

    with open(path, "rb") as raw:
        header = raw.read(int.from_bytes(raw.read(8), "little"))
    check_count(header.count(b'"dtype"'), path)
    with safe_open(str(path), framework="numpy") as file:
        yield file


def slice_of(file, name: str) -> Stored:
    return Stored(tuple(file.get_slice(name).get_shape()), lambda: file.get_tensor(name))


@contextlib.contextmanager
def torch_pickle(path: Path) -> Iterator[Arrays]:
    """torch.save's files, today's zip and the older pickle, with `weights_only=True`."""
    hint = ". Files in .safetensors or .h5 do not need it"
    torch = required("torch", f"Reading torch's file {path}", "torch", hint)
    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        check_archive(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except (pickle.UnpicklingError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise WeightsFileError(
            f"{path} is damaged or holds more than tensors, which is never loaded: {reason}"
        ) from error
    yield {name: stored_tensor(name, value) for name, value in state_dict_of(content, path).items()}


def check_archive(path: Path) -> None:
    """Raises for a compressed archive, whose true size is not known, and for a damaged one.

    torch writes each member as it is, with its CRC-32, and does not look at that when it reads.
    """
    size = path.stat().st_size
    with open_zip(path) as archive:
        entries = archive.infolist()
    compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > size:
        raise WeightsFileError(f"{path} is compressed, as torch.save never does; it is not read")
    if any(x.file_size > LARGEST_HEADER for x in entries if x.filename.endswith("data.pkl")):
        raise WeightsFileError(f"{path} has a pickle of more than {LARGEST_HEADER:,} bytes")
    with open_zip(path) as archive:
        if damaged := archive.testzip():
            raise WeightsFileError(f"{damaged!r} in {path} is damaged: its CRC-32 is another")


# Keys of checkpoints under which training programs keep a state dict.
ENVELOPES = (
    *("state_dict", "model", "model_state_dict", "net", "network", "params", "weights"),
    *("state_dict_ema", "model_ema", "ema", "ema_state_dict"),
)


def state_dict_of(content, path: Path) -> Mapping:
    """The weights in what torch.save was given: a state dict, or a checkpoint around one."""
    for _ in range(8):
        if not isinstance(content, Mapping):
            break
        keys = [key for key in ENVELOPES if isinstance(content.get(key), Mapping)]
        if not keys:
            return content
        if len(keys) > 1:
            raise WeightsFileError(
                f"{path} holds several state dicts: {', '.join(keys)}. Load the one you mean: "
                f"load_weights(model, torch.load(file, weights_only=True)[{keys[-1]!r}])"
            )
        content = content[keys[0]]
    raise WeightsFileError(f"{path} holds no state dict but a {type(content).__name__}")


def stored_tensor(name, tensor) -> Stored:
    if not isinstance(name, str):
        raise WeightsFileError(f"{name!r} is a name of an array and no text")
    if not hasattr(tensor, "untyped_storage"):
        raise WeightsFileError(
            f"{name!r} is a {type(tensor).__name__} where a tensor is needed; if this is a "
            "checkpoint, save its state dict alone"
        )
    if tensor.is_quantized or tensor.is_sparse or str(tensor.layout) != "torch.strided":
        raise WeightsFileError(f"{name!r} is quantized or sparse; a dense tensor is needed")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise WeightsFileError(f"{name!r} of shape {tuple(tensor.shape)} is more than is stored")

    def read():
        # A copy: the tensor may be a view of the file, which another program can change.
        values = tensor.detach().clone()
        return (values.float() if values.is_floating_point() else values).numpy()

    return Stored(tuple(tensor.shape), read)
