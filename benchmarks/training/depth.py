"""How long a network takes to build and to train its first step, by depth.

    KERAS_BACKEND=jax python -m benchmarks.training.depth  # 20, 56, 110 and 1202 layers
    KERAS_BACKEND=jax python -m benchmarks.training.depth --depths 8 14 --out elsewhere

A step compiles on TensorFlow and JAX, and most of the first one is that. Each depth runs in a
process of its own, on an otherwise idle machine. Writes BACKEND.json to --out.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

from benchmarks.common import machine, records
from benchmarks.common.processes import ROOT

DEPTHS = (20, 56, 110, 1202)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS, help="6n+2 each")
    parser.add_argument("--side", type=int, default=32, help="pixels along a side of an image")
    parser.add_argument("--batch", type=int, default=2, help="images in the step")
    parser.add_argument("--eager", action="store_true", help="do not compile the step")
    parser.add_argument("--out", type=pathlib.Path, default=records.RESULTS / "depth")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options)))
        return
    rows = []
    print(f"{'layers':>6}  {'build (s)':>10}  {'first step (s)':>14}  {'second step (s)':>15}")
    for depth in options.depths:
        rows.append(apart(depth))
        print(
            f"{depth:6}  {rows[-1]['build_seconds']:10.2f}  "
            f"{rows[-1]['first_step_seconds']:14.2f}  {rows[-1]['second_step_seconds']:15.2f}",
            flush=True,
        )
        write(options, rows)  # what is measured outlives an interruption


def apart(depth: int) -> dict:
    """Measures in a new process: nothing is warm, and memory is given back."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.training.depth",
        *sys.argv[1:],
        "--one",
        str(depth),
    ]
    command += ["--one", str(depth)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(depth: int, options) -> dict:
    """Seconds to build a CIFAR ResNet, and for its first two training steps."""
    import keras
    import numpy as np

    import keras_resnet

    shape = (options.side, options.side, 3)
    start = time.perf_counter()
    model = keras_resnet.build(f"cifar_resnet{depth}", input_shape=shape)
    built = time.perf_counter()
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=options.eager)
    x, y = np.zeros((options.batch, *shape), "float32"), np.zeros(options.batch, "int32")
    seconds = []
    for _ in range(2):
        before = time.perf_counter()
        float(model.train_on_batch(x, y))
        seconds.append(time.perf_counter() - before)
    return {
        "layers": depth,
        "parameters": keras_resnet.count(model).trainable,
        "build_seconds": round(built - start, 3),
        "first_step_seconds": round(seconds[0], 3),
        "second_step_seconds": round(seconds[1], 3),
    }


def write(options, rows: list[dict]) -> None:
    """The record: what was measured, with what and on what."""
    import keras

    import keras_resnet

    backend = keras.backend.backend()
    record = {
        "command": machine.command("benchmarks.training.depth", sys.argv[1:]),
        "backend": backend,
        "versions": {
            "keras_resnet": keras_resnet.__version__,
            "keras": keras.__version__,
            backend: sys.modules[backend].__version__,
            "python": platform.python_version(),
        },
        "date": datetime.date.today().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "image": [options.side, options.side, 3],
        "batch": options.batch,
        "compiled": not options.eager,
        "rows": rows,
    }
    records.save(options.out / f"{backend}.json", record)


if __name__ == "__main__":
    main()
