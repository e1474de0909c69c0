"""What dense evaluation costs beside crops: 10 of them, and one for each position.

    KERAS_BACKEND=torch python -m benchmarks.training.dense  # ResNet-50, three scales
    KERAS_BACKEND=jax python -m benchmarks.training.dense --network resnet18 --scales 256 --rounds 3

One image, its sides about 3 to 4 and multiples of 32. `dense` slides the network over it in
one pass; `windows` cuts a crop of 224 pixels at every position that dense has, 32 pixels apart;
`10-crop` cuts ten. Mirror images are left out of the first two. The three take turns, A B C A B C,
after one round that does not count. Writes BACKEND-NETWORK.json to --out; on an idle machine.
"""

import argparse
import datetime
import os
import pathlib
import platform
import statistics
import sys
import time

import keras
import numpy as np

import keras_resnet
from benchmarks.common import machine
from benchmarks.common.records import RESULTS
from keras_resnet.common.files import write_json
from keras_resnet.evaluation import fully_convolutional
from keras_resnet.evaluation.geometry import ten_crop

CROP, STRIDE = 224, 32


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--scales", type=int, nargs="+", default=[256, 384, 640])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=32, help="crops that go through together")
    parser.add_argument("--out", type=pathlib.Path, default=RESULTS / "dense")
    options = parser.parse_args()
    model = keras_resnet.build(options.network, weights=None, classifier_activation=None)
    dense = fully_convolutional(model)
    rows = []
    print(f"{'shorter side':>12}  {'positions':>9}  {'what':>8}  {'median (s)':>10}  times dense")
    for scale in options.scales:
        rows += measure(model, dense, scale, options)
        write(options, rows)  # what is measured outlives an interruption


def measure(model, dense, scale: int, options) -> list[dict]:
    """Seconds for one image at one scale, in turns."""
    width = round(scale * 4 / 3 / STRIDE) * STRIDE
    image = np.random.default_rng(0).standard_normal((scale, width, 3)).astype("float32")
    positions = int(np.prod(dense.predict_on_batch(image[None]).shape[1:3]))
    shown = {"dense": None, "10-crop": ten_crop(image, CROP), "windows": windows(image)}
    seconds: dict[str, list[float]] = {name: [] for name in shown}
    for turn in range(options.rounds + 1):
        for name, crops in shown.items():
            started = time.perf_counter()
            if crops is None:
                np.asarray(dense.predict_on_batch(image[None]))
            else:
                through(model, crops, options.batch)
            if turn:
                seconds[name].append(time.perf_counter() - started)
    fastest = statistics.median(seconds["dense"])
    rows = []
    for name, crops in shown.items():
        median = statistics.median(seconds[name])
        rows.append(
            {
                "shorter_side": scale,
                "what": name,
                "views": positions if crops is None else len(crops),
                "median_seconds": round(median, 4),
                "lowest_seconds": round(min(seconds[name]), 4),
                "highest_seconds": round(max(seconds[name]), 4),
                "times_dense": round(median / fastest, 2),
            }
        )
        print(
            f"{scale:12}  {rows[-1]['views']:9}  {name:>8}  {median:10.3f}  {median / fastest:.2f}"
        )
    return rows


def windows(image) -> list[np.ndarray]:
    """A crop for every position of the last map, 32 pixels apart."""
    height, width = image.shape[:2]
    return [
        image[top : top + CROP, left : left + CROP]
        for top in range(0, height - CROP + 1, STRIDE)
        for left in range(0, width - CROP + 1, STRIDE)
    ]


def through(model, crops, batch: int) -> None:
    """All crops through the network, in batches of one size, the last filled up."""
    batch = min(batch, len(crops))
    for start in range(0, len(crops), batch):
        part = np.stack(crops[start : start + batch])
        if len(part) < batch and keras.backend.backend() != "torch":
            part = np.concatenate([part, np.zeros((batch - len(part), *part.shape[1:]), "float32")])
        np.asarray(model.predict_on_batch(part))


def write(options, rows: list[dict]) -> None:
    """The record: what was measured, with what and on what."""
    backend = keras.backend.backend()
    write_json(
        options.out / f"{backend}-{options.network}.json",
        {
            "command": machine.command("benchmarks.training.dense", sys.argv[1:]),
            "backend": backend,
            "versions": {
                "keras_resnet": keras_resnet.__version__,
                "keras": keras.__version__,
                backend: __import__(backend).__version__,
                "python": platform.python_version(),
            },
            "date": datetime.date.today().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "network": options.network,
            "batch": options.batch,
            "rounds": options.rounds,
            "rows": rows,
        },
    )


if __name__ == "__main__":
    main()
