"""An exported network behind HTTP, with onnxruntime alone: no Keras, no keras_resnet.

keras-resnet export resnet50 resnet50.onnx --pixels --size 256
pip install onnxruntime pillow
python docs/serving/http_onnx.py resnet50.onnx 8000
curl --data-binary @cat.jpg http://localhost:8000
"""

import io
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
names = json.loads(session.get_modelmeta().custom_metadata_map["keras_resnet"])["class_names"]
_, height, width, _ = session.get_inputs()[0].shape


class Classify(BaseHTTPRequestHandler):
    def do_POST(self):
        body = io.BytesIO(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            image = ImageOps.fit(Image.open(body).convert("RGB"), (width, height))  # the middle
            pixels = np.asarray(image)
            scores = session.run(["output_0"], {"image": pixels[None]})[0][0]
            best = [(names[label], float(scores[label])) for label in scores.argsort()[::-1][:5]]
            status, answer = 200, {"classes": best}
        except OSError as error:  # Pillow could not read the image
            status, answer = 400, {"error": str(error)}
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


ThreadingHTTPServer(("localhost", int(sys.argv[2])), Classify).serve_forever()
