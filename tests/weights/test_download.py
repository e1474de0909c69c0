"""Downloads over HTTP from a server on this machine: a complete and verified file, or none."""

import dataclasses
import hashlib
import resource
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support import at_once
from support.servers import CONTENT, SHA256, files_in, serving, zipped

import keras_resnet
from keras_resnet import DownloadError
from keras_resnet.weights import fetch, transfer


@pytest.fixture
def server():
    with serving() as running:
        running.files |= {
            "one.h5.zip": zipped(CONTENT),
            "two.h5.zip": zipped(CONTENT, CONTENT),
            "damaged.h5.zip": zipped(CONTENT)[:-40],
        }
        yield running


def record(url, digest=f"sha256:{SHA256[:8]}"):
    known = keras_resnet.list_weights("resnet50")[0]
    return dataclasses.replace(known, url=url, hash=digest)


@pytest.mark.once
@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_a_file_is_downloaded_verified_and_then_kept(algorithm, server, tmp_path):
    digest = f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest()[:8]}"
    wanted = record(f"{server.url}/whole.pth", digest)
    for _ in range(2):
        assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    ((method, path, headers),) = server.log
    assert (method, path) == ("GET", "/whole.pth")
    assert headers["User-Agent"].startswith("keras3-resnet/")
    assert files_in(tmp_path) == ["keras_resnet/whole.pth"]


FAILURES = {
    "cut.pth": "ended after 1000 of 300000 bytes",
    "silent.pth": "timed out",
    "wrong.pth": "its hash is .*, not sha256:.* as was published",
    "page.pth": "a web page instead of the file",
    "absent.pth": "HTTP status 404",
    "forbidden.pth": "HTTP status 403",
    "busy.pth": "HTTP status 429.*try again in 99 seconds",
    "down.pth": "HTTP status 503.*try again in 99 seconds",
    "two.h5.zip": "not an archive of one file",
    "damaged.h5.zip": "damaged archive",
}


@pytest.mark.once
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("before", [None, b"what an earlier version left"])
def test_a_failed_download_says_why_and_leaves_the_cache_as_it_was(
    name, before, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(transfer, "SECONDS_OF_SILENCE", 0.2)
    server.retry_after = "99"
    cached = tmp_path / "keras_resnet" / name.removesuffix(".zip")
    if before:
        cached.parent.mkdir()
        cached.write_bytes(before)
    with pytest.raises(DownloadError, match=FAILURES[name]) as caught:
        fetch(record(f"{server.url}/{name}"), tmp_path)
    assert f"Download it by other means to {cached}" in str(caught.value)
    assert not before or cached.read_bytes() == before
    parts = [f"keras_resnet/.downloads/{name}"] if name in ("cut.pth", "silent.pth") else []
    assert files_in(tmp_path) == parts + ([f"keras_resnet/{cached.name}"] if before else [])


@pytest.mark.once
@pytest.mark.parametrize("name", ["cut_once.pth", "silent_once.pth"])
def test_a_connection_that_breaks_is_opened_again_where_it_broke(
    name, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(transfer, "SECONDS_OF_SILENCE", 0.2)
    assert fetch(record(f"{server.url}/{name}"), tmp_path).read_bytes() == CONTENT
    assert [headers["Range"] for _, _, headers in server.log] == [None, "bytes=1000-"]
    assert files_in(tmp_path) == [f"keras_resnet/{name}"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("left", "ranges"),
    [
        (CONTENT[:5000], ["bytes=5000-"]),
        (b"something else", ["bytes=14-", None]),
        (CONTENT + b"more", ["bytes=300004-", None]),
    ],
)
def test_a_later_call_goes_on_from_what_an_earlier_one_left(left, ranges, server, tmp_path):
    part = tmp_path / "keras_resnet" / ".downloads" / "whole.pth"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    assert fetch(record(f"{server.url}/whole.pth"), tmp_path).read_bytes() == CONTENT
    assert [headers["Range"] for _, _, headers in server.log] == ranges
    assert files_in(tmp_path) == ["keras_resnet/whole.pth"]


@pytest.mark.once
@pytest.mark.parametrize("name", ["busy_once.pth", "down_once.pth"])
def test_a_server_that_asks_for_a_little_patience_gets_it(name, server, tmp_path):
    assert fetch(record(f"{server.url}/{name}"), tmp_path).read_bytes() == CONTENT


@pytest.mark.once
def test_the_download_shows_its_progress(server, tmp_path, capsys):
    fetch(record(f"{server.url}/whole.pth"), tmp_path)
    assert "300000/300000" in capsys.readouterr().out


@pytest.mark.once
def test_without_a_network_the_error_comes_at_once_and_says_what_to_do(tmp_path):
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"could not be downloaded.*pass the path") as caught:
        fetch(record("http://127.0.0.1:9/whole.pth"), tmp_path)
    assert time.monotonic() - start < 1
    assert len(str(caught.value).splitlines()) == 1
    assert files_in(tmp_path) == []


@pytest.mark.once
def test_a_full_disk_is_an_error_and_leaves_nothing(server, tmp_path):
    """No file may grow beyond 100 kB: the write itself fails, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DownloadError, match=r"could not be written.*File too large"):
            fetch(record(f"{server.url}/whole.pth"), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files_in(tmp_path) == []


@pytest.mark.once
def test_a_cache_that_cannot_be_written_is_an_error(server, tmp_path):
    (tmp_path / "keras_resnet").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"could not be written.*KERAS_HOME"):
        fetch(record(f"{server.url}/whole.pth"), tmp_path)


@pytest.mark.once
def test_a_damaged_file_in_the_cache_is_replaced(server, tmp_path):
    cached = tmp_path / "keras_resnet" / "whole.pth"
    cached.parent.mkdir()
    cached.write_bytes(CONTENT[:5000])
    assert fetch(record(f"{server.url}/whole.pth"), tmp_path).read_bytes() == CONTENT


@pytest.mark.once
def test_an_archive_is_unpacked_and_its_file_verified(server, tmp_path):
    path = fetch(record(f"{server.url}/one.h5.zip"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert files_in(tmp_path) == ["keras_resnet/one.h5"]


@pytest.mark.once
def test_many_may_download_the_same_file_at_once(server, tmp_path):
    wanted = record(f"{server.url}/whole.pth")
    results = at_once(lambda: fetch(wanted, tmp_path).read_bytes())
    assert results == [CONTENT] * 4
    assert files_in(tmp_path) == ["keras_resnet/whole.pth"]
    assert len(server.log) == 1


@pytest.mark.once
def test_a_process_waits_for_another_that_downloads_the_same_file(server, tmp_path):
    lock = tmp_path / "keras_resnet" / ".downloads" / "whole.pth.lock"
    lock.parent.mkdir(parents=True)
    program = f"""
from filelock import FileLock
with FileLock({str(lock)!r}):
    print("held", flush=True)
    input()
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as other:
        assert other.stdout.readline() == b"held\n"
        waiting = threading.Thread(target=fetch, args=(record(f"{server.url}/whole.pth"), tmp_path))
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        assert server.log == []
        other.communicate(b"\n")
        waiting.join()
    assert files_in(tmp_path) == ["keras_resnet/whole.pth"]


def test_a_builder_downloads_what_it_is_asked_for(server, tmp_path, monkeypatch):
    """All steps: a record, a download, a file in another dialect, a network."""
    from support import filled

    from keras_resnet.weights import find

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    source = filled("cifar_resnet8", weights=None, shortcut="B")
    keras_resnet.save_weights(source, tmp_path / "weights.npz", "osmr")
    content = (tmp_path / "weights.npz").read_bytes()
    known = next(r for r in keras_resnet.list_weights("cifar_resnet20") if r.name == "osmr")
    made = dataclasses.replace(
        known,
        network="cifar_resnet8",
        url=f"{server.url}/made.npz",
        hash=f"md5:{hashlib.md5(content).hexdigest()}",
    )
    monkeypatch.setattr(find, "RECORDS", (made,))
    server.files["made.npz"] = content
    model = keras_resnet.build("cifar_resnet8", weights="osmr", include_preprocessing=True)
    for mine, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    mean = np.ravel(model.get_layer("preprocessing").mean)
    np.testing.assert_allclose(mean, made.image.mean, rtol=1e-6)
    assert (tmp_path / "home" / "keras_resnet" / "made.npz").exists()
