"""Downloads from a real HTTP server on this machine: a complete and verified file, or none."""

import dataclasses
import functools
import hashlib
import http.server
import io
import resource
import threading
import time
import zipfile
from typing import ClassVar

import numpy as np
import pytest

import keras_resnet
from keras_resnet import DownloadError
from keras_resnet.weights import download, fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

CUT_ONCE = "cut_once.safetensors1"


def zipped(*contents):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"member{number}.h5", content)
    return buffer.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Each path is one way a server behaves."""

    requests: ClassVar[list[str]] = []

    def answer(self, status=200, body=b"", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        self.requests.append(f"{self.command} {self.path}")
        name = self.path.rsplit("/", 1)[-1]
        if name == "whole.pth":
            self.answer(body=CONTENT)
        elif name == "cut.pth":
            self.answer(body=CONTENT[:1000], length=len(CONTENT))
        elif name == "silent.pth":
            self.answer(body=CONTENT[:1000], length=len(CONTENT))
            time.sleep(2)
        elif name == "wrong.pth":
            self.answer(body=CONTENT[::-1])
        elif name == "page.pth":
            self.answer(body=b"\n<!DOCTYPE html><html>Please log in</html>")
        elif name == "one.h5.zip":
            self.answer(body=zipped(CONTENT))
        elif name == "two.h5.zip":
            self.answer(body=zipped(CONTENT, CONTENT))
        elif name == "damaged.h5.zip":
            self.answer(body=zipped(CONTENT)[:-40])
        elif name.endswith(".safetensors"):
            self.hub_file(name)
        else:
            self.answer(404, b"no such file")

    do_HEAD = do_GET  # noqa: N815

    def hub_file(self, name):
        body = CONTENT[::-1] if name == "wrong.safetensors" else CONTENT
        known = {"ETag": f'"{SHA256}"', "X-Linked-Etag": f'"{SHA256}"', "X-Repo-Commit": "c" * 40}
        times = sum(request.endswith(name) for request in self.requests if "GET" in request)
        if self.command == "GET" and (name == "cut.safetensors" or name + str(times) == CUT_ONCE):
            self.answer(body=body[:1000], length=len(body), **known)
        elif name == "missing.safetensors":
            self.answer(404, b"", **{"X-Error-Code": "EntryNotFound"})
        else:
            self.answer(body=body, **known)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def record(url, digest=f"sha256:{SHA256[:8]}"):
    known = keras_resnet.list_weights("resnet50")[0]
    return dataclasses.replace(known, url=url, hash=digest)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def folders(folder):
    return sorted(path.name for path in folder.rglob(".*"))


@pytest.mark.once
@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "md5"])
def test_a_file_is_downloaded_verified_and_then_kept(algorithm, server, tmp_path):
    digest = f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest()[:8]}"
    wanted = record(f"{server}/whole.pth", digest)
    Handler.requests.clear()
    for _ in range(2):
        path = fetch(wanted, tmp_path)
        assert path.read_bytes() == CONTENT
    assert Handler.requests == ["GET /whole.pth"]
    assert files(tmp_path) == ["keras_resnet/whole.pth"]
    assert folders(tmp_path) == []


FAILURES = {
    "cut.pth": "retrieval incomplete",
    "silent.pth": "timed out",
    "wrong.pth": "another content than was published",
    "page.pth": "a web page instead of the file",
    "absent.pth": "404",
    "two.h5.zip": "not an archive of one file",
    "damaged.h5.zip": "damaged archive",
}


@pytest.mark.once
@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("before", [None, b"what an earlier version left"])
def test_a_failed_download_says_why_and_leaves_the_cache_as_it_was(
    name, before, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(download, "SECONDS_OF_SILENCE", 0.3)
    cached = tmp_path / "keras_resnet" / name.removesuffix(".zip")
    if before:
        cached.parent.mkdir()
        cached.write_bytes(before)
    with pytest.raises(DownloadError, match=FAILURES[name]) as caught:
        fetch(record(f"{server}/{name}"), tmp_path)
    assert f"Download it by other means to {cached}" in str(caught.value)
    assert files(tmp_path) == ([f"keras_resnet/{cached.name}"] if before else [])
    assert folders(tmp_path) == []
    assert not before or cached.read_bytes() == before


@pytest.mark.once
def test_without_a_network_the_error_says_what_to_do(tmp_path):
    with pytest.raises(DownloadError, match=r"could not be downloaded.*pass the path"):
        fetch(record("http://127.0.0.1:9/whole.pth"), tmp_path)
    assert files(tmp_path) == []


@pytest.mark.once
def test_a_full_disk_is_an_error_and_leaves_nothing(server, tmp_path):
    """No file may grow beyond 100 kB: the write itself fails, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(DownloadError, match=r"could not be written.*File too large"):
            fetch(record(f"{server}/whole.pth"), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files(tmp_path) == []
    assert folders(tmp_path) == []


@pytest.mark.once
def test_a_cache_that_cannot_be_written_is_an_error(server, tmp_path):
    (tmp_path / "keras_resnet").write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"could not be written.*KERAS_HOME"):
        fetch(record(f"{server}/whole.pth"), tmp_path)


@pytest.mark.once
def test_a_damaged_file_in_the_cache_is_replaced(server, tmp_path):
    cached = tmp_path / "keras_resnet" / "whole.pth"
    cached.parent.mkdir()
    cached.write_bytes(CONTENT[:5000])
    assert fetch(record(f"{server}/whole.pth"), tmp_path).read_bytes() == CONTENT


@pytest.mark.once
def test_an_archive_is_unpacked_and_its_file_verified(server, tmp_path):
    path = fetch(record(f"{server}/one.h5.zip"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert files(tmp_path) == ["keras_resnet/one.h5"]


@pytest.mark.once
def test_many_may_download_the_same_file_at_once(server, tmp_path):
    results = []
    wanted = record(f"{server}/whole.pth")
    fetching = [
        threading.Thread(target=lambda: results.append(fetch(wanted, tmp_path).read_bytes()))
        for _ in range(4)
    ]
    for thread in fetching:
        thread.start()
    for thread in fetching:
        thread.join()
    assert results == [CONTENT] * 4
    assert files(tmp_path) == ["keras_resnet/whole.pth"]


@pytest.fixture
def hub(server, monkeypatch):
    reason = 'huggingface_hub comes with the extra "weights"'
    huggingface_hub = pytest.importorskip("huggingface_hub", reason=reason)
    real = functools.partial(huggingface_hub.hf_hub_download, endpoint=server)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", real)


@pytest.mark.once
def test_a_file_of_the_hub_is_checked_against_the_hash_the_hub_states(hub, tmp_path):
    wanted = record("hf://timm/resnet50.a1_in1k/model.safetensors", "")
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    Handler.requests.clear()
    assert fetch(wanted, tmp_path).read_bytes() == CONTENT
    assert not any(request.startswith("GET") for request in Handler.requests)
    with pytest.raises(DownloadError, match="another content than the hub states"):
        fetch(record("hf://timm/resnet50.a1_in1k/wrong.safetensors", ""), tmp_path / "other")
    assert not [name for name in files(tmp_path / "other") if "wrong" in name or "blobs" in name]


@pytest.mark.once
def test_a_download_from_the_hub_that_is_cut_off_is_tried_again(hub, tmp_path):
    Handler.requests.clear()
    path = fetch(record("hf://timm/resnet50.a1_in1k/cut_once.safetensors", ""), tmp_path)
    assert path.read_bytes() == CONTENT
    assert len([request for request in Handler.requests if request.startswith("GET")]) == 2


@pytest.mark.once
def test_a_download_from_the_hub_that_is_always_cut_off_is_an_error(hub, tmp_path):
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(record("hf://timm/resnet50.a1_in1k/cut.safetensors", ""), tmp_path)
    assert not [name for name in files(tmp_path) if "snapshots" in name]


@pytest.mark.once
def test_a_file_the_hub_does_not_have_is_an_error(hub, tmp_path):
    with pytest.raises(DownloadError, match=r"could not be downloaded|cannot be reached"):
        fetch(record("hf://timm/resnet50.a1_in1k/missing.safetensors", ""), tmp_path)


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
        url=f"{server}/made.npz",
        hash=f"md5:{hashlib.md5(content).hexdigest()}",
    )
    monkeypatch.setattr(find, "RECORDS", (made,))
    plain = Handler.do_GET
    monkeypatch.setattr(
        Handler,
        "do_GET",
        lambda self: self.answer(body=content) if self.path == "/made.npz" else plain(self),
    )
    model = keras_resnet.build("cifar_resnet8", weights="osmr", include_preprocessing=True)
    for mine, theirs in zip(model.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    mean = np.ravel(model.get_layer("preprocessing").mean)
    np.testing.assert_allclose(mean, made.image.mean, rtol=1e-6)
    assert (tmp_path / "home" / "keras_resnet" / "made.npz").exists()
