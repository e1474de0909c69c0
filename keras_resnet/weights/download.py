"""Downloading a record's file into the cache: complete and verified, or not at all."""

import contextlib
import hashlib
import os
import re
import shutil
import socket
import urllib.error
import zipfile
from collections.abc import Iterator
from pathlib import Path

from keras_resnet.files import atomic_write
from keras_resnet.weights.records import Record
from keras_resnet.weights.stored import required

SECONDS_OF_SILENCE = 30.0
MOST_BYTES = 4 * 2**30


class DownloadError(OSError):
    """A file could not be downloaded; the message says why and what to do.

    The cache is unchanged.
    """


def cache_folder(cache_dir: str | os.PathLike | None = None) -> Path:
    """Where downloaded weights are kept: beside those of keras.applications by default."""
    home = cache_dir or os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser() / "keras_resnet"


def fetch(record: Record, cache_dir: str | os.PathLike | None = None) -> Path:
    """The path of the record's file, downloaded at the first use and verified at every use.

    Args:
        record: one of `list_weights()`.
        cache_dir: folder to keep files in; that of Keras by default. Files of the Hugging Face
            hub are kept where huggingface_hub keeps them.

    Raises:
        DownloadError: no network, no such file, a damaged or wrong file, a full disk. The cache
            is unchanged.
        ImportError: the file is on the Hugging Face hub and huggingface_hub is missing.
    """
    if record.url.startswith("hf://"):
        return fetch_from_hub(record, cache_dir)
    return fetch_url(record.url, record.hash, cache_folder(cache_dir))


def fetch_url(url: str, expected: str, folder: Path) -> Path:
    """The file at `url`, whose hash is `expected`, as a file in `folder`."""
    name = url.rsplit("/", 1)[-1]
    target = folder / name.removesuffix(".zip")
    if target.exists() and matches(target, expected):
        return target
    try:
        with atomic_write(target) as beside:
            os.replace(verified(url, name, expected, beside.parent), beside)
    except DownloadError as error:
        advice = f"Download it by other means to {target}, or pass the path of a file you have"
        raise DownloadError(f"{error}. {advice}") from error
    except OSError as error:
        raise DownloadError(
            f"{url} could not be written to the cache {folder}: {error}. "
            "Set KERAS_HOME to another folder"
        ) from error
    return target


def verified(url: str, name: str, expected: str, folder: Path) -> Path:
    """The file at `url` in a temporary folder, unpacked, with the hash that was published."""
    file = download(url, name, folder)
    reject_web_page(file, url)
    if name.endswith(".zip"):
        file = only_member(file)
    if not matches(file, expected):
        raise DownloadError(
            f"{url} has another content than was published: its hash is "
            f"{hash_of(file, expected)}, not {expected}"
        )
    return file


def download(url: str, name: str, folder: Path) -> Path:
    """`keras.utils.get_file` into a temporary folder, which it may leave in any state."""
    import keras  # late, as `keras-resnet weights` lists records without

    try:
        with silence_limited():
            return Path(keras.utils.get_file(name, url, cache_dir=folder, cache_subdir="."))
    except OSError as error:
        if error.errno is not None and not isinstance(error, ConnectionError | TimeoutError):
            raise  # the disk's, not the network's
        raise DownloadError(f"{url} could not be downloaded: {error}") from error
    except Exception as error:  # get_file raises plain Exceptions
        if isinstance(error.__context__, urllib.error.HTTPError):
            error.__context__.close()
        raise DownloadError(f"{url} could not be downloaded: {error}") from error


@contextlib.contextmanager
def silence_limited() -> Iterator[None]:
    """Makes a server that is silent for too long an error; urllib would wait without a limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(before or SECONDS_OF_SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def reject_web_page(file: Path, url: str) -> None:
    with open(file, "rb") as opened:
        start = opened.read(512).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DownloadError(f"{url} gave a web page instead of the file")


def only_member(archive: Path) -> Path:
    """The only file of an archive, unpacked beside it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(members) != 1 or members[0].file_size > MOST_BYTES:
                raise DownloadError(f"{archive.name} is not an archive of one file of weights")
            unpacked = archive.with_name("unpacked")
            with opened.open(members[0]) as source, open(unpacked, "wb") as file:
                shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DownloadError(f"{archive.name} is a damaged archive: {error}") from error
    return unpacked


def hash_of(file: Path, like: str) -> str:
    """The file's hash by the algorithm that `like` names, written the same way."""
    algorithm, _, digest = like.partition(":")
    with open(file, "rb") as opened:
        found = hashlib.file_digest(opened, algorithm).hexdigest()
    return f"{algorithm}:{found[: len(digest)]}"


def matches(file: Path, expected: str) -> bool:
    return not expected or hash_of(file, expected) == expected


def fetch_from_hub(record: Record, cache_dir: str | os.PathLike | None = None) -> Path:
    """The record's file from the Hugging Face hub, checked against the sha256 the hub states."""
    purpose = f"{record.id} is on the Hugging Face hub, which"
    huggingface_hub = required("huggingface_hub", purpose, "weights")
    from huggingface_hub.errors import LocalEntryNotFoundError

    owner, repository, file = record.url.removeprefix("hf://").split("/", 2)
    advice = "or pass the path of a file you have"
    try:
        cache = Path(cache_dir) if cache_dir else None
        path = Path(huggingface_hub.hf_hub_download(f"{owner}/{repository}", file, cache_dir=cache))
    except LocalEntryNotFoundError as error:
        raise DownloadError(
            f"{record.url} is not in the cache and the hub cannot be reached. Try again with a "
            f"network, {advice}"
        ) from error
    except Exception as error:  # of the hub, of the network library beneath it, of the disk
        reason = str(error).strip().split("\n")[0]
        raise DownloadError(f"{record.url} could not be downloaded: {reason}; {advice}") from error
    blob = path.resolve()
    # The hub names large files by their sha256, and the cache keeps them under that name.
    stated = blob.name if re.fullmatch("[0-9a-f]{64}", blob.name) else ""
    expected = record.hash or (stated and f"sha256:{stated}")
    if not matches(path, expected):
        path.unlink()
        blob.unlink(missing_ok=True)
        raise DownloadError(
            f"{record.url} has another content than the hub states: its hash is not "
            f"{expected}. It was removed; try again"
        )
    return path
