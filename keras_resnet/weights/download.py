"""Downloading a record's file into the cache: complete and verified, or not at all."""

import contextlib
import os
import shutil
import warnings
import zipfile
import zlib
from pathlib import Path

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import atomic_write
from keras_resnet.common.zips import open_zip
from keras_resnet.weights.hub import Pin, hub_file
from keras_resnet.weights.records import Record
from keras_resnet.weights.transfer import DownloadError, alone, hash_of, matches, size_of, transfer

MOST_BYTES = 4 * 2**30


def cache_folder(cache_dir: str | os.PathLike | None = None) -> Path:
    """Where downloaded weights are kept: beside those of keras.applications by default."""
    home = cache_dir or os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser() / "keras_resnet"


@checked()
def fetch(record: Record, cache_dir: str | os.PathLike | None = None) -> Path:
    """The path of the record's file, downloaded at the first use and verified at every use.

    Args:
        record: one of `list_weights()`.
        cache_dir: folder to keep files in; that of Keras by default. Files of the Hugging Face
            hub are kept where huggingface_hub keeps them.

    Raises:
        DownloadError: no network, no such file, a damaged or wrong file, a full disk. The cache
            is unchanged, but for the first part of a file whose download was cut off: the next
            call goes on from there.
    """
    say_license(record)
    folder = cache_folder(cache_dir)
    if record.url.startswith("hf://"):
        return hub_file(record.url, folder / "hub", Pin(record.revision, record.hash), cache_dir)
    return fetch_url(record.url, record.hash, folder)


SAID: set[str] = set()


def say_license(record: Record) -> None:
    """Warns, once in a process, where weights are not free for commercial use."""
    if not record.commercial and record.id not in SAID:
        SAID.add(record.id)
        warnings.warn(
            f"The weights {record.id} are under {record.license}: not for commercial use",
            stacklevel=2,
        )


def fetch_url(url: str, expected: str, folder: Path) -> Path:
    """The file at `url`, whose hash is `expected`, as a file in `folder`."""
    name = url.rsplit("/", 1)[-1]
    target, part = folder / name.removesuffix(".zip"), folder / ".downloads" / name
    if target.exists() and matches(target, expected):
        return target
    try:
        with alone(part.with_name(f"{name}.lock")):
            if not (target.exists() and matches(target, expected)):
                complete(url, expected, part, target)
    except DownloadError as error:
        advice = f"Download it by other means to {target}, or pass the path of a file you have"
        raise DownloadError(f"{url} could not be downloaded: {error}. {advice}") from error
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()  # a full disk has no room for a part of a file
        raise DownloadError(
            f"{url} could not be written to the cache {folder}: {error}. "
            "Set KERAS_HOME to another folder"
        ) from error
    return target


def complete(url: str, expected: str, part: Path, target: Path) -> None:
    """Downloads a file and puts it in its place if it is the one that was published."""
    resumed = size_of(part) > 0
    transfer(url, part)
    try:
        with atomic_write(target) as beside:
            unpack(part, beside)
            if not matches(beside, expected):
                found = hash_of(beside, expected)
                raise DownloadError(f"its hash is {found}, not {expected} as was published")
    except DownloadError:
        part.unlink(missing_ok=True)
        if not resumed:
            raise
        complete(url, expected, part, target)  # what was there may be a part of something else
    else:
        part.unlink(missing_ok=True)


def unpack(part: Path, target: Path) -> None:
    """The downloaded file at `target`, or the only file of the archive that it is."""
    with open(part, "rb") as opened:
        start = opened.read(512).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DownloadError("the server gave a web page instead of the file")
    if part.suffix != ".zip":
        os.replace(part, target)
        return
    try:
        with open_zip(part) as archive:
            members = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(members) != 1 or members[0].file_size > MOST_BYTES:
                raise DownloadError("it is not an archive of one file of weights")
            with archive.open(members[0]) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
    except (ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DownloadError(f"it is a damaged archive: {error}") from error
