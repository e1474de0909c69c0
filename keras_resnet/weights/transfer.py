"""A file over HTTP: resumed where it broke off, with progress and a limit on silence."""

import contextlib
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

SECONDS_OF_SILENCE = 30.0
# For how long a busy server may ask to wait, in seconds, before it is an error.
MOST_PATIENCE = 20.0
BUSY = (429, 503)
CHUNK = 2**18


class DownloadError(OSError):
    """A file could not be downloaded; the message says why and what to do.

    The cache is unchanged.
    """


def hash_of(file: Path, like: str) -> str:
    """The file's hash by the algorithm that `like` names, written the same way."""
    algorithm, _, digest = like.partition(":")
    with open(file, "rb") as opened:
        found = hashlib.file_digest(opened, algorithm).hexdigest()
    return f"{algorithm}:{found[: len(digest)]}"


def matches(file: Path, expected: str) -> bool:
    return not expected or hash_of(file, expected) == expected


def identity() -> tuple[str, str]:
    """The name and the version by which this package makes itself known to servers."""
    try:
        return "keras3-resnet", metadata.version("keras3-resnet")
    except metadata.PackageNotFoundError:  # run without being installed
        return "keras3-resnet", "unknown"


def transfer(url: str, part: Path) -> None:
    """Downloads `url` to `part`, from where an earlier attempt left off.

    A connection that breaks is opened again as long as each brings something.

    Raises:
        DownloadError: no network, a refusal, or silence. What has come stays in `part`.
        OSError: the disk is full, or cannot be written.
    """
    patience = MOST_PATIENCE
    while True:
        before = size_of(part)
        try:
            return attempt(url, part)
        except urllib.error.HTTPError as error:
            with error:
                wait = seconds_to_wait(error)
            if error.code == 416 and before:  # what is here is no part of what is there
                part.unlink()
            elif error.code in BUSY and wait <= patience:
                patience -= max(wait, 1)
                time.sleep(wait)
            else:
                later = f"; try again in {wait:g} seconds" if error.code in BUSY else ""
                raise DownloadError(f"HTTP status {error.code} {error.reason}{later}") from None
        except DownloadError:
            if size_of(part) <= before:
                raise


def attempt(url: str, part: Path) -> None:
    """One connection, which adds to `part`."""
    here = size_of(part)
    headers = {"User-Agent": "/".join(identity())} | ({"Range": f"bytes={here}-"} if here else {})
    with opened(urllib.request.Request(url, headers=headers)) as answer:
        here = here if answer.status == 206 else 0
        length = answer.headers.get("Content-Length")
        total = here + int(length) if length else None
        show = progress(total)
        with open(part, "ab" if here else "wb") as file:
            for chunk in chunks(answer):
                file.write(chunk)
                here += len(chunk)
                show(here)
    if total not in (None, here):
        raise DownloadError(f"the connection ended after {here} of {total} bytes")


def opened(request: urllib.request.Request):
    try:
        return urllib.request.urlopen(request, timeout=SECONDS_OF_SILENCE)
    except urllib.error.HTTPError:
        raise
    except (http.client.HTTPException, OSError) as error:
        raise DownloadError(str(getattr(error, "reason", error))) from error


def chunks(answer) -> Iterator[bytes]:
    """What comes, as soon as it comes; an error of the network is a `DownloadError`."""
    while True:
        try:
            chunk = answer.read1(CHUNK)
        except (http.client.HTTPException, OSError) as error:
            raise DownloadError(str(error) or type(error).__name__) from error
        if not chunk:
            return
        yield chunk


def seconds_to_wait(error: urllib.error.HTTPError) -> float:
    try:
        return max(0.0, float(error.headers.get("Retry-After", 5)))
    except ValueError:  # a date
        return 60.0


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def progress(total: int | None):
    """A function that shows how many bytes have come, as Keras shows steps."""
    import keras  # late, as `keras-resnet weights` lists records without

    bar = keras.utils.Progbar(total, interval=0.2, unit_name="byte")
    return lambda here: bar.update(here, finalize=here == total)


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Waits until no other process downloads the same file. The lock stays where it is."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        yield
