"""What smaller weights cost in accuracy: ResNet-20 with public weights on the CIFAR-10 test folder.

    KERAS_RESNET_DATA=folder python benchmarks/precision.py --out benchmarks/results/precision.json

The folder holds `cifar10-jpeg.zip` (train/CLASS/*.jpg, test/CLASS/*.jpg) and `cifar-resnet20.th`
of akamaster/pytorch_resnet_cifar10. Every file takes pixels; int8 is calibrated on 500 training
images. Errors on JPEG images are higher than on the original pixels: compare rows, not papers.
Needs `pip install "keras3-resnet[export,weights,tensorflow-cpu,torch]"`.
"""

import argparse
import io
import json
import os
import pathlib
import sys
import tempfile
import time
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
from PIL import Image

import keras_resnet
from keras_resnet.export import open_exported

ROWS = [
    ("onnx", "float32"),
    ("onnx", "float16"),
    ("onnx", "bfloat16"),
    ("onnx", "int8"),
    ("litert", "float32"),
    ("litert", "float16"),
    ("litert", "int8"),
    ("openvino", "float32"),
    ("openvino", "float16"),
]
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}


def read(archive: zipfile.ZipFile, part: str, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Every so many-th image of a part, and its class in the order of their names."""
    names = sorted(n for n in archive.namelist() if n.startswith(f"{part}/") and n[-4:] == ".jpg")
    classes = sorted({name.split("/")[1] for name in names})
    names = names[::every]
    pixels = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    return np.stack(pixels), np.array([classes.index(name.split("/")[1]) for name in names])


def measure(run, pixels, labels, batch: int = 100) -> tuple[float, float]:
    """Error in percent, and images per second."""
    run(pixels[:batch])
    started = time.perf_counter()
    says = [run(pixels[at : at + batch])[0].argmax(1) for at in range(0, len(pixels), batch)]
    took = time.perf_counter() - started
    return 100 * float(np.mean(np.concatenate(says) != labels)), len(pixels) / took


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("KERAS_RESNET_DATA"))
    parser.add_argument("--every", type=int, default=1, help="take each so many-th test image")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=pathlib.Path, help="a JSON file")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data or KERAS_RESNET_DATA must name the folder")
    data = pathlib.Path(options.data)
    model = keras_resnet.build("cifar_resnet20", shortcut="A", zero_channels="center")
    keras_resnet.load_weights(model, data / "cifar-resnet20.th", "akamaster")
    with zipfile.ZipFile(data / "cifar10-jpeg.zip") as archive:
        pixels, labels = read(archive, "test", options.every)
        calibration, _ = read(archive, "train", 100)
    print(f"{len(pixels):,} images\n")
    print("| format | weights | MB | error (%) | images/s |\n| --- | --- | ---: | ---: | ---: |")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for format, dtype in ROWS:
            report = keras_resnet.export(
                model,
                f"{folder}/{dtype}{SUFFIXES[format]}",
                dtype=dtype,
                preprocessing="cifar_resnet20.akamaster",
                image_size=32,
                images=pixels[:: len(pixels) // 10],
                calibration=calibration if dtype == "int8" else None,
            )
            error, rate = measure(
                open_exported(report.path, threads=options.threads), pixels, labels
            )
            row = {"format": format, "dtype": dtype, "bytes": report.bytes}
            rows.append({**row, "error": error, "images_per_second": round(rate)})
            size = f"{report.bytes / 1e6:.2f}"
            print(f"| {format} | {dtype} | {size} | {error:.2f} | {rate:,.0f} |", flush=True)
    if options.out:
        from sidebyside import machine

        record = {"images": len(pixels), "threads": options.threads, "rows": rows}
        record |= {"machine": machine.describe(), "versions": machine.versions()}
        options.out.write_text(json.dumps(record | {"commit": machine.commit()}, indent=2) + "\n")


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    main()
