"""Exported files where they are used: behind HTTP, in a browser, and after training."""

import base64
import contextlib
import io
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import keras
import numpy as np
import pytest
from support import BACKEND, filled

import keras_resnet
from keras_resnet.exporting import export, open_exported, samples, verification
from keras_resnet.exporting.formats import installed

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULE = keras_resnet.weights.ImageRule(size=16, crop_pct=1.0)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("localhost", 0))
        return listening.getsockname()[1]


@contextlib.contextmanager
def running(*command: str, cwd=None):
    """A process that is ended with the block."""
    with subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def asked(url: str, body: bytes | None = None, seconds: float = 30) -> bytes:
    """The answer of a server that may still be starting."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def png(pixels: np.ndarray) -> bytes:
    image = pytest.importorskip("PIL.Image")
    with io.BytesIO() as file:
        image.fromarray(pixels).save(file, "png")
        return file.getvalue()


@pytest.mark.once
def test_the_http_example_answers_what_the_model_says(tmp_path):
    if not all(map(installed, ("torch", "onnx", "onnxscript", "onnxruntime"))):
        pytest.skip('needs pip install "keras3-resnet[export,torch]"')
    names = [f"class {number}" for number in range(10)]
    model = filled("cifar_resnet8", input_shape=(16, 16, 3))
    path = tmp_path / "net.onnx"
    export(model, path, preprocessing=RULE, image_size=(20, 24), class_names=names)
    (pixels,) = samples.sample_images((20, 24, 3), "uint8", 1)
    x = keras_resnet.Preprocessing(RULE)(pixels[None])
    expected = verification.outputs_of(model, x)[0][0]
    port = free_port()
    server = ROOT / "docs/serving/http_onnx.py"
    with running(sys.executable, str(server), str(path), str(port), "2"):
        url = f"http://localhost:{port}"
        classes = json.loads(asked(url, png(pixels)))["classes"]
        assert [name for name, _ in classes] == [names[n] for n in expected.argsort()[::-1][:5]]
        assert classes[0][1] == pytest.approx(expected.max(), rel=1e-4)
        with pytest.raises(urllib.error.HTTPError, match="400"):
            asked(url, b"no image")
        with pytest.raises(urllib.error.HTTPError, match="415"):
            asked(url, png(np.full((8, 8), 60_000, "uint16")))
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
        for request, status in {
            b"": b"411",
            b"Transfer-Encoding: chunked\r\n": b"411",
            b"Content-Length: -5\r\n": b"400",
            b"Content-Length: 99999999999\r\n": b"413",
            b"Content-Length: 50\r\n": b"400",  # and no byte of them
        }.items():
            with socket.create_connection(("localhost", port), timeout=30) as client:
                client.sendall(head + request + b"\r\n")
                client.shutdown(socket.SHUT_WR)
                assert client.makefile("rb").readline().split()[1] == status
        check_slow_clients(port, lambda: asked(url, png(pixels)))


def check_slow_clients(port, ask, count=20, limit=2):
    """Byte by byte, or silent: none keeps a thread beyond the limit, and others are served."""
    body = b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"
    started = time.monotonic()
    clients = [socket.create_connection(("localhost", port), timeout=30) for _ in range(count)]
    for number, client in enumerate(clients):
        client.sendall((body, b"POST / HTTP/1.1\r\nHost", b"")[number % 3])
    asking = time.monotonic()
    ask()
    assert time.monotonic() - asking < 2
    waiting = set(clients)
    while waiting:
        assert time.monotonic() - started < limit + 10
        for client in waiting:
            with contextlib.suppress(OSError):  # a server that has ended it
                client.sendall(b"a")
        ended = select.select(list(waiting), [], [], 0)[0]
        for client in ended:
            with contextlib.suppress(ConnectionError):
                assert b" 200 " not in client.recv(100)
        waiting -= set(ended)
        time.sleep(0.1)
    for client in clients:
        client.close()


class Browser:
    """Chromium, by the WebDriver protocol of chromedriver (w3.org/TR/webdriver2)."""

    FLAGS = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync"
    )

    def __init__(self, port: int, profile: pathlib.Path):
        self.base = f"http://localhost:{port}/session"
        asked(f"http://localhost:{port}/status")
        flags = [*self.FLAGS.split(), f"--user-data-dir={profile}"]
        binary = shutil.which("chromium") or shutil.which("google-chrome")
        chrome = {"goog:chromeOptions": {"args": flags, "binary": binary}}
        session = self.post("", {"capabilities": {"alwaysMatch": chrome}})
        self.base += f"/{session['sessionId']}"

    def post(self, command: str, body: dict):
        return json.loads(asked(f"{self.base}{command}", json.dumps(body).encode()))["value"]

    def run(self, script: str, *arguments):
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def close(self):
        request = urllib.request.Request(self.base, method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()


DROP = """
const bytes = Uint8Array.from(atob(arguments[0]), (one) => one.charCodeAt(0));
const carried = new DataTransfer();
carried.items.add(new File([bytes], "image.png", { type: "image/png" }));
document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
"""
SHOWN = """return [document.getElementById("status").textContent,
  [...document.querySelectorAll(".row")].map((row) => row.innerText.split("\\n"))]"""


@pytest.mark.once
@pytest.mark.slow
def test_the_web_page_classifies_an_image_that_is_dropped_on_it(shared_data, tmp_path):
    page = ROOT / "docs" / "demo"
    if not (page / "node_modules").is_dir() or not shutil.which("chromedriver"):
        pytest.skip("needs `npm install` in docs/demo, and chromium with chromium-driver")
    for file in ("index.html", "demo.js"):
        shutil.copy(page / file, tmp_path)
    (tmp_path / "node_modules").symlink_to(page / "node_modules")
    program = [sys.executable, str(page / "prepare.py"), "--out", str(tmp_path)]
    weights = ["--weights", str(shared_data / "cifar-resnet20.th")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([*program, *weights], check=True, env=environment)
    (pixels,) = samples.sample_images((32, 32, 3), "uint8", 1)
    scores = open_exported(tmp_path / "model.onnx")(pixels[None])[0][0]
    names = json.loads((tmp_path / "classes.json").read_text())
    port, driver = free_port(), free_port()
    serve = (sys.executable, "-m", "http.server", str(port), "--bind", "localhost")
    with (
        running(*serve, cwd=tmp_path),
        running("chromedriver", f"--port={driver}"),
        contextlib.closing(Browser(driver, tmp_path / "profile")) as browser,
    ):
        asked(f"http://localhost:{port}/index.html")
        browser.post("/url", {"url": f"http://localhost:{port}/index.html"})
        status, rows = wait_for(browser, lambda status, rows: not status.startswith("Loading"))
        assert status == "Ready."
        browser.run(DROP, base64.b64encode(png(pixels)).decode())
        status, rows = wait_for(browser, lambda status, rows: rows or "ailed" in status)
    best = scores.argsort()[::-1][:5]
    assert status.startswith(f"{names[best[0]]}, in ")
    assert [row[0] for row in rows] == [names[label] for label in best]
    assert float(rows[0][-1].rstrip(" %")) == pytest.approx(100 * scores.max(), abs=0.06)


def wait_for(browser: Browser, done, seconds: float = 60):
    until = time.monotonic() + seconds
    while True:
        status, rows = browser.run(SHOWN)
        if done(status, rows):
            return status, rows
        assert time.monotonic() < until, status
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.skipif(BACKEND != "jax", reason="trains on JAX")
def test_what_was_trained_on_jax_is_classified_alike_by_onnxruntime(tmp_path):
    recipe = [sys.executable, str(ROOT / "recipes" / "digits.py"), "--out", str(tmp_path)]
    arguments = ["--networks", "cifar_resnet8", "--epochs", "3"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([*recipe, *arguments], check=True, env=environment)
    from keras_resnet.data import digits

    _, (x, labels) = digits.load_data()
    model = keras.saving.load_model(tmp_path / "resnet8.keras", compile=False)
    x = np.asarray(x, "float32")
    path = tmp_path / "resnet8.onnx"
    export(model, path, images=x[:32])
    says = model.predict(x, verbose=0).argmax(1)
    assert np.mean(says == labels) > 0.8, "it has learned something"
    assert (open_exported(path)(x)[0].argmax(1) == says).all()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="loads a SavedModel as TensorFlow does")
def test_a_saved_model_serves_pixels_of_any_size_by_its_signature(tmp_path):
    """As docs/serving.md has it."""
    import tensorflow as tf

    model = filled("cifar_resnet8", input_shape=(16, 16, 3))
    report = export(model, tmp_path / "served", preprocessing=RULE)
    served = tf.saved_model.load(report.path)
    classify = served.signatures["serving_default"]
    for sides in ((20, 24), (47, 31)):
        pixels = samples.sample_images((*sides, 3), "uint8", 2)
        scores = classify(image=tf.constant(pixels))["output_0"].numpy()
        expected = verification.outputs_of(model, keras_resnet.Preprocessing(RULE)(pixels))[0]
        assert np.abs(scores - expected).max() < 1e-5
    export(model, tmp_path / "served", preprocessing=RULE, image_size=20)
    again = tf.saved_model.load(report.path).signatures["serving_default"]
    assert again.structured_input_signature[1]["image"].shape == (None, 20, 20, 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="Something else than an exported model"):
        export(model, tmp_path / "mine")
