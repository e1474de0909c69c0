"""An exported network behind HTTP, with onnxruntime alone: no Keras, no keras_resnet.

keras-resnet export resnet50 resnet50.onnx --pixels --size 256
pip install onnxruntime pillow
python docs/serving/http_onnx.py resnet50.onnx 8000
curl --data-binary @cat.jpg http://localhost:8000
"""

import contextlib
import io
import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
names = json.loads(session.get_modelmeta().custom_metadata_map["keras_resnet"])["class_names"]
_, height, width, _ = session.get_inputs()[0].shape


LARGEST = 20 * 2**20  # bytes of a file
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 10  # in which a whole request must come
MOST_PIXELS = 89_478_485  # of an image: Pillow's own limit, from which it warns


class RefusedError(Exception):
    """An answer of 4xx: a status and a sentence."""


def read(request) -> bytes:
    """The body of a request, whose length must be given."""
    length = request.headers["Content-Length"]
    if length is None or "Transfer-Encoding" in request.headers:
        raise RefusedError(411, "Content-Length is missing")
    if not length.isascii() or not length.isdigit():
        raise RefusedError(400, f"Content-Length must be a number. Received: {length!r}")
    if int(length) > LARGEST:
        raise RefusedError(413, f"Files of at most {LARGEST:,} bytes. Received: {int(length):,}")
    body = request.rfile.read(int(length))
    if len(body) < int(length):
        status = 408 if request.is_late else 400
        raise RefusedError(status, f"{len(body)} of {length} bytes came in {SECONDS:g} seconds")
    return body


def pixels_in(body: bytes) -> np.ndarray:
    """The middle of an image, in the size of the network."""
    try:
        image = Image.open(io.BytesIO(body))
        if image.width * image.height > MOST_PIXELS:
            raise RefusedError(413, f"At most {MOST_PIXELS:,} pixels. Received: {image.size}")
        if image.mode.startswith(("I", "F")):  # convert("RGB") would cut them off at 255
            raise RefusedError(415, f"Gray levels of 8 bits. Received: mode {image.mode}")
        return np.asarray(ImageOps.fit(image.convert("RGB"), (width, height)))
    except RefusedError:
        raise
    except Exception as error:  # a damaged file may raise nearly any
        raise RefusedError(400, f"No image that Pillow reads: {error}") from error


class Classify(BaseHTTPRequestHandler):
    is_late = False

    def handle(self):
        # The socket's own time limit would start again with every byte.
        late = threading.Timer(SECONDS, self.end)
        late.start()
        try:
            super().handle()
        finally:
            late.cancel()

    def end(self):
        """Lets what is being read end here; an answer can still be sent."""
        self.is_late = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)

    def do_POST(self):
        try:
            scores = session.run(["output_0"], {"image": pixels_in(read(self))[None]})[0][0]
            best = [(names[label], float(scores[label])) for label in scores.argsort()[::-1][:5]]
            status, answer = 200, {"classes": best}
        except RefusedError as refused:
            status, message = refused.args
            answer = {"error": message}
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


class Server(ThreadingHTTPServer):
    request_queue_size = 256  # connections that wait to be taken
    daemon_threads = True


Server(("localhost", int(sys.argv[2])), Classify).serve_forever()
