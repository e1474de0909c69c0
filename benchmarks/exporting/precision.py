"""What smaller weights cost in accuracy: ResNet-20 with public weights on the CIFAR-10 test folder.

    KERAS_RESNET_DATA=folder python -m benchmarks.exporting.precision  # ten minutes, alone
    KERAS_RESNET_DATA=folder python -m benchmarks.exporting.precision --every 100 --out runs/try

Writes precision.json into benchmarks/results/export; afterwards `python tools/export_tables.py`
puts its table into docs/export.md.

The folder holds `cifar10-jpeg.zip` (train/CLASS/*.jpg, test/CLASS/*.jpg) and `cifar-resnet20.th`
of akamaster/pytorch_resnet_cifar10. Every file takes pixels; int8 is calibrated on 500 training
images. Errors on JPEG images are higher than on the original pixels: compare rows, not papers.
Needs `pip install "keras3-resnet[export,weights,tensorflow-cpu,torch]"`.
"""

import argparse
import io
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
from benchmarks.common import records
from benchmarks.exporting import page
from keras_resnet.exporting import open_exported

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
BATCH = 100
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}


def read(archive: zipfile.ZipFile, part: str, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Every so many-th image of a part, and its class in the order of their names."""
    names = sorted(n for n in archive.namelist() if n.startswith(f"{part}/") and n[-4:] == ".jpg")
    classes = sorted({name.split("/")[1] for name in names})
    names = names[::every]
    pixels = [np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names]
    return np.stack(pixels), np.array([classes.index(name.split("/")[1]) for name in names])


def error_of(run, pixels, labels) -> float:
    """In percent."""
    classes = [run(pixels[at : at + BATCH])[0].argmax(1) for at in range(0, len(pixels), BATCH)]
    return 100 * float(np.mean(np.concatenate(classes) != labels))


def seconds_of(run, pixels) -> float:
    """Of one batch, after one that does not count."""
    run(pixels[:BATCH])
    started = time.perf_counter()
    run(pixels[:BATCH])
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("KERAS_RESNET_DATA"))
    parser.add_argument("--every", type=int, default=1, help="take each so many-th test image")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9, help="turns in which they are timed")
    parser.add_argument("--out", type=pathlib.Path, default=page.FOLDER, help="a folder")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data or KERAS_RESNET_DATA must name the folder")
    data = pathlib.Path(options.data)
    model = keras_resnet.build("cifar_resnet20", shortcut="A", zero_channels="center")
    keras_resnet.load_weights(model, data / "cifar-resnet20.th", "akamaster")
    with zipfile.ZipFile(data / "cifar10-jpeg.zip") as archive:
        pixels, labels = read(archive, "test", options.every)
        calibration, _ = read(archive, "train", 100)
    rows, runs = [], []
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
            runs.append(open_exported(report.path, threads=options.threads))
            error = error_of(runs[-1], pixels, labels)
            row = {"format": format, "dtype": dtype, "bytes": report.bytes, "error": error}
            rows.append({**row, "images_per_second": []})
            print(f"{format} {dtype}: {error:.2f} % of {len(pixels):,} images", flush=True)
        for _ in range(options.rounds):
            for row, run in zip(rows, runs, strict=True):
                row["images_per_second"].append(BATCH / seconds_of(run, pixels))
    record = {
        **records.header("benchmarks.exporting.precision", sys.argv[1:]),
        "images": len(pixels),
        "threads": options.threads,
        "rounds": options.rounds,
        "rows": rows,
    }
    print("\n".join(page.precisions(record)))
    records.save(options.out / "precision.json", record)


if __name__ == "__main__":
    main()
