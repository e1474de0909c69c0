"""Files of the hub, with its own client and a server that answers as the hub does."""

import contextlib
import dataclasses
import shutil
import time

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub import constants
from support import at_once
from support.servers import COMMIT, CONTENT, SHA256, files_in, hub

import keras_resnet
from keras_resnet import DownloadError
from keras_resnet.weights import fetch

pytestmark = pytest.mark.once
ADDRESS = "hf://timm/resnet50.a1_in1k/whole.safetensors"


@pytest.fixture
def server(monkeypatch, tmp_path):
    with hub(monkeypatch, tmp_path / "shared") as running:
        yield running


def record(url=ADDRESS, digest="", revision=""):
    known = keras_resnet.list_weights("resnet50")[0]
    return dataclasses.replace(known, url=url, hash=digest, revision=revision)


def blobs_shared(cache, xet_hash=SHA256[::-1]):
    """Changes a cache to today's layout: the blob is a link into a store of all repositories."""
    (blob,) = (cache / "models--timm--resnet50.a1_in1k" / "blobs").iterdir()
    shared = cache / "blobs" / xet_hash[:2] / xet_hash
    shared.parent.mkdir(parents=True)
    shutil.move(blob, shared)
    blob.symlink_to(f"../../blobs/{xet_hash[:2]}/{xet_hash}")
    return shared


def content_of(folder):
    """Every file and link of a cache with its content, but locks and logs of the client."""
    return {
        path.relative_to(folder): path.readlink() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if (path.is_file() or path.is_symlink()) and ".locks" not in path.parts
    }


PINS = {
    "a sum and a revision": (f"sha256:{SHA256}", COMMIT),
    "a sum": (f"sha256:{SHA256}", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("layout", ["of each repository", "shared"])
@pytest.mark.parametrize("pin", PINS)
def test_a_file_is_verified_and_then_found_without_a_request(pin, layout, server, tmp_path):
    wanted = record(ADDRESS, *PINS[pin])
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    agents = [headers["User-Agent"] for _, path, headers in server.log if "/resolve/" in path]
    assert all("keras3-resnet" in agent for agent in agents)
    if layout == "shared":
        blobs_shared(tmp_path)
    before = content_of(tmp_path)
    server.log.clear()
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert server.log == []
    assert content_of(tmp_path) == before


def test_a_file_that_another_program_has_downloaded_is_taken(server, tmp_path):
    """Its sum is ours, or else the hub is asked for it once; without a network it is taken so."""
    repository = "timm/resnet50.a1_in1k"
    huggingface_hub.hf_hub_download(repository, "whole.safetensors", cache_dir=tmp_path)
    blobs_shared(tmp_path)
    server.log.clear()
    assert fetch(record(digest=f"sha256:{SHA256}"), tmp_path).read_bytes() == CONTENT
    assert server.log == []
    assert fetch(record(), tmp_path).read_bytes() == CONTENT
    assert {method for method, _, _ in server.log} == {"HEAD"}


def test_a_damaged_file_in_the_cache_is_downloaded_again_and_no_other_is_touched(server, tmp_path):
    wanted = record(digest=f"sha256:{SHA256}")
    path = fetch(wanted, tmp_path)
    good = tmp_path / "models--other--net" / "blobs" / "a"
    good.parent.mkdir(parents=True)
    good.write_bytes(b"good")
    path.resolve().write_bytes(CONTENT[::-1])
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert good.read_bytes() == b"good"


FAILURES = {
    "hf://timm/net/absent.safetensors": "the repository has no such file",
    "hf://unknown/net/whole.safetensors": "knows no such repository, or it is private",
    "hf://gated/net/whole.safetensors": "accept its terms",
    "hf://timm/net/forbidden.safetensors": "HTTP status 403",
    "hf://timm/net/busy.safetensors": "HTTP status 429; try again in 99 seconds",
    "hf://timm/net/down.safetensors": "HTTP status 503",
    "hf://timm/net/wrong.safetensors": "arrives with another content than the hub states",
    "hf://timm/net/cut.safetensors": "could not be downloaded",
}


@pytest.mark.parametrize("address", FAILURES)
def test_a_failure_is_one_short_error_and_nothing_is_deleted(
    address, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    server.retry_after = "99"
    fetch(record(), tmp_path)
    before = content_of(tmp_path)
    with pytest.raises(DownloadError, match=FAILURES[address]) as caught:
        fetch(record(address), tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    assert content_of(tmp_path).items() >= before.items()
    assert not list((tmp_path / "keras_resnet").rglob("*net--*"))


def test_another_content_than_was_pinned_is_refused_before_it_is_downloaded(server, tmp_path):
    huggingface_hub.hf_hub_download(
        "timm/resnet50.a1_in1k", "whole.safetensors", cache_dir=tmp_path
    )
    before = content_of(tmp_path)
    server.log.clear()
    with pytest.raises(DownloadError, match="another file at the hub than the one meant"):
        fetch(record(digest="sha256:" + "0" * 64), tmp_path)
    assert content_of(tmp_path) == before
    assert {method for method, _, _ in server.log} == {"HEAD"}


def test_a_download_that_is_cut_off_once_is_tried_again(server, tmp_path):
    address = "hf://timm/resnet50.a1_in1k/cut_once.safetensors"
    assert fetch(record(address), tmp_path).read_bytes() == CONTENT
    assert sum("/cdn/" in path for _, path, _ in server.log) == 2


@pytest.mark.parametrize("offline", [True, False])
def test_without_a_network_the_error_comes_at_once_and_says_what_to_do(
    offline, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    url = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"Pass the path.*cache.*HF_HUB_OFFLINE") as caught:
        fetch(record(), tmp_path)
    assert time.monotonic() - start < 1
    assert len(str(caught.value).splitlines()) <= 3
    assert files_in(tmp_path) == []


def test_many_may_download_the_same_file_at_once(server, tmp_path):
    results = at_once(lambda: fetch(record(), tmp_path).read_bytes())
    assert results == [CONTENT] * 4


def test_no_good_file_is_lost_in_500_faults(server, tmp_path):
    """Wrong sums, damaged notes, servers that fail, in both layouts of the cache."""
    rng = np.random.default_rng(0)
    wanted = record(digest=f"sha256:{SHA256}")
    fetch(wanted, tmp_path)
    blobs_shared(tmp_path)
    (note,) = (tmp_path / "keras_resnet" / "hub").iterdir()
    written, good = note.read_bytes(), content_of(tmp_path)
    good = {path: content for path, content in good.items() if path.suffix != ".json"}
    sums = ["", f"sha256:{SHA256}", "sha256:" + "0" * 64, f"sha256:{SHA256[::-1]}"]
    kinds = ["whole", "wrong", "absent", "busy", "forbidden"]
    server.retry_after = "99"
    server.commits["d" * 40] = {"whole.safetensors": CONTENT[::-1]}
    for _ in range(500):
        cut = int(rng.integers(0, len(written)))
        note.write_bytes(written[:cut] if rng.random() < 0.5 else written)
        name = f"{rng.choice(kinds)}.safetensors"
        server.main = str(rng.choice([COMMIT, "d" * 40]))
        revision = str(rng.choice(["", COMMIT, "d" * 40]))
        address = ADDRESS.replace("whole.safetensors", name)
        with contextlib.suppress(DownloadError):
            fetch(record(address, str(rng.choice(sums)), revision), tmp_path)
        assert content_of(tmp_path).items() >= good.items()


RECORDS = [record for record in keras_resnet.list_weights() if record.url.startswith("hf://")]


@pytest.mark.filterwarnings("ignore:The weights .* not for commercial use")
def test_every_record_of_the_hub_loads_in_both_layouts(server, tmp_path):
    """Stand-ins for their files; where the sum is ours, the stand-in is refused."""
    for one in RECORDS:
        if one.hash:
            with pytest.raises(DownloadError, match="another file at the hub"):
                fetch(one, tmp_path)
        known = dataclasses.replace(one, hash=f"sha256:{SHA256}" if one.hash else "")
        path = fetch(known, tmp_path)
        (blob,) = (path.parents[2] / "blobs").iterdir()
        shared = tmp_path / "blobs" / one.id
        shared.parent.mkdir(exist_ok=True)
        shutil.move(blob, shared)
        blob.symlink_to(f"../../blobs/{one.id}")
        server.log.clear()
        assert fetch(known, tmp_path).read_bytes() == CONTENT
        assert server.log == []
