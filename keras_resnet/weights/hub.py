"""Files of the Hugging Face hub, kept by its own client and checked against a sha256.

The client's cache belongs to all programs of a user: nothing in it is deleted or renamed here,
and the place of a file in it says nothing about its content. What the hub states of a file, its
revision and its sha256, is noted in this package's own cache.
"""

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from keras_resnet.common.files import write_json
from keras_resnet.weights.transfer import DownloadError, identity, matches

SECONDS_FOR_AN_ANSWER = 10.0
ADVICE = (
    "Pass the path of a file you have, or fill the cache {cache} where there is a network "
    "(HF_HOME names another; HF_HUB_OFFLINE=1 asks for no network)"
)
PICKLES = (
    ". If it has only pickles (pytorch_model.bin, model.pth), download one and pass its path: it "
    "is read with weights_only=True"
)


@dataclass(frozen=True)
class Pin:
    """Which file is meant: a commit of its repository, and `"sha256:..."` of its content."""

    revision: str = ""
    hash: str = ""


def hub_file(
    address: str,
    notes: Path,
    pin: Pin | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> Path:
    """The path of a file of the hub, downloaded at its first use and verified at every use.

    Args:
        address: `hf://owner/repository/file`.
        notes: folder in which to note what the hub states.
        pin: what is known of the file; what is left out is the hub's own word at the download.
        cache_dir: of the hub's client; its own default.

    Raises:
        DownloadError: no network, no such file, or another content than was pinned.
    """
    known = pin or Pin()
    note = notes / f"{address.removeprefix('hf://').replace('/', '--')}.json"
    noted = read_note(note)
    if known.hash in ("", noted.hash) and known.revision in ("", noted.revision):
        known = noted
    path = cached(address, known.revision, cache_dir)
    if path and (matches(path, known.hash) if known.hash else known.revision):
        return path
    try:
        stated = stated_by_hub(address, known.revision)
    except DownloadError as error:
        if path and not known.hash:
            return path  # downloaded by another program, and all that can be had
        if path:
            raise DownloadError(
                f"{path} is damaged: its hash is not {known.hash}. {error}"
            ) from error
        raise
    if known.hash and stated.hash and known.hash != stated.hash:
        raise DownloadError(
            f"{address} is another file at the hub than the one meant: its hash is {stated.hash}, "
            f"not {known.hash}. Nothing was changed; pass the path of a file you have"
        )
    expected = Pin(stated.revision, known.hash or stated.hash)
    for again in (False, True):  # what was damaged on the way or on the disk: once more
        path = downloaded(address, expected.revision, cache_dir, force_download=again)
        if matches(path, expected.hash):
            break
    else:
        raise DownloadError(
            f"{address} arrives with another content than the hub states: its hash is not "
            f"{expected.hash}. Try again later, or pass the path of a file you have"
        )
    with contextlib.suppress(OSError):  # a cache that is only read works too
        write_json(note, asdict(expected))
    return path


def read_note(note: Path) -> Pin:
    """What was noted at an earlier download; nothing where that is damaged."""
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        return Pin(str(content["revision"]), str(content["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Pin()


def parts(address: str) -> tuple[str, str]:
    """The repository and the file of an address."""
    owner, repository, file = address.removeprefix("hf://").split("/", 2)
    return f"{owner}/{repository}", file


def cached(address: str, revision: str, cache_dir) -> Path | None:
    """Where the client keeps the file, if it does. No request is made."""
    import huggingface_hub

    found = huggingface_hub.try_to_load_from_cache(
        *parts(address), cache_dir=cache_dir, revision=revision or None
    )
    return Path(found) if isinstance(found, str) else None


def stated_by_hub(address: str, revision: str) -> Pin:
    """The commit and the sha256 that the hub states for a file, in one try."""
    import huggingface_hub

    repository, file = parts(address)
    url = huggingface_hub.hf_hub_url(repository, file, revision=revision or None)
    name, version = identity()
    with failures_named(address):
        stated = huggingface_hub.get_hf_file_metadata(
            url, timeout=SECONDS_FOR_AN_ANSWER, library_name=name, library_version=version
        )
    sha256 = re.fullmatch("[0-9a-f]{64}", stated.etag or "")  # small files have a git hash
    return Pin(stated.commit_hash or revision, f"sha256:{stated.etag}" if sha256 else "")


def downloaded(address: str, revision: str, cache_dir, force_download: bool) -> Path:
    """The file in the client's cache, downloaded if need be."""
    import huggingface_hub

    repository, file = parts(address)
    name, version = identity()
    with failures_named(address):
        return Path(
            huggingface_hub.hf_hub_download(
                repository,
                file,
                revision=revision or None,
                cache_dir=cache_dir,
                force_download=force_download,
                library_name=name,
                library_version=version,
            )
        )


@contextlib.contextmanager
def failures_named(address: str, done: str = "downloaded"):
    """Turns what the client and the libraries beneath it raise into one short error."""
    from huggingface_hub import constants, errors

    try:
        yield
    except errors.GatedRepoError as error:
        why = "its owner lets in only those who asked: accept its terms on huggingface.co, and log"
        raise DownloadError(f"{address}: {why} in with `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        why = "the hub knows no such repository, or it is private: `hf auth login` lets you in"
        raise DownloadError(f"{address}: {why}") from error
    except errors.EntryNotFoundError as error:
        why = "the repository has no such file"
        why += PICKLES if address.endswith(".safetensors") else ""
        raise DownloadError(f"{address}: {why}") from error
    except Exception as error:  # of the client, of the network library, of the disk
        answer = getattr(error, "response", None)
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        if answer is not None:
            later = answer.headers.get("Retry-After")
            reason = f"HTTP status {answer.status_code}"
            reason += f"; try again in {later} seconds" if later else ""
        advice = f". {ADVICE.format(cache=constants.HF_HUB_CACHE)}" if done == "downloaded" else ""
        raise DownloadError(f"{address} could not be {done}: {reason}{advice}") from error
