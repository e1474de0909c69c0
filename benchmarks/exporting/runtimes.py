"""Exported networks in the runtimes they are for, beside torchvision's, in one run.

    python -m benchmarks.exporting.runtimes  # a quarter of an hour, alone
    python -m benchmarks.exporting.runtimes --size 64 --rounds 2 --contenders onnx --out runs/try

Writes exported.json, a table and a chart into benchmarks/results/export; afterwards
`python tools/export_tables.py` puts them into docs/export.md.

Both networks are ResNet-50 as torchvision has it (v1.5), untrained: its batch normalization is
left to the runtime in torchvision's files, as `torch.onnx.export` writes them, and folded in
ours. Every contender has a process of its own with the same number of threads, and they compute
in turns; a ratio is one of medians over the rounds. Needs
`pip install "keras3-resnet[export,tensorflow-cpu,jax,torch]"`, torchvision and matplotlib.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.common import records
from benchmarks.common.processes import ROOT, Worker
from benchmarks.exporting import page


@dataclass(frozen=True)
class Contender:
    """What runs, and in what: for a runtime a file, and for Keras the folded model itself."""

    runtime: str
    file: str = ""
    precision: str = "f32"
    backend: str = "torch"
    fixed: bool = False  # OpenVINO is told the batch, as `model.reshape` does


CONTENDERS = {
    "torchvision onnx": Contender("onnx", "torchvision.onnx"),
    "ours onnx": Contender("onnx", "ours.onnx"),
    "ours onnx int8": Contender("onnx", "ours-int8.onnx"),
    "torchvision openvino": Contender("openvino", "torchvision.onnx"),
    "ours openvino": Contender("openvino", "ours.xml"),
    "torchvision openvino bf16": Contender("openvino", "torchvision.onnx", "bf16"),
    "ours openvino bf16": Contender("openvino", "ours.xml", "bf16"),
    "torchvision openvino bf16, fixed batch": Contender(
        "openvino", "torchvision.onnx", "bf16", fixed=True
    ),
    "ours openvino bf16, fixed batch": Contender("openvino", "ours.xml", "bf16", fixed=True),
    "ours litert": Contender("litert", "ours.tflite"),
    "ours litert int8": Contender("litert", "ours-int8.tflite"),
    "ours folded, tensorflow": Contender("keras", backend="tensorflow"),
    "ours folded, jax": Contender("keras", backend="jax"),
    "ours folded, torch": Contender("keras", backend="torch"),
}
# What is to be reached: of each promise one of its ratios (ours, other, at least).
PROMISES = [
    {
        "text": "float32, one of these",
        "needs_vnni": False,
        "one_of": [
            ("ours onnx", "torchvision onnx", 1.05),
            ("ours folded, tensorflow", "torchvision onnx", 1.0),
            ("ours folded, jax", "torchvision onnx", 1.0),
            ("ours folded, torch", "torchvision onnx", 1.0),
        ],
    },
    {
        "text": "bfloat16, one of these",
        "needs_vnni": False,
        "one_of": [
            ("ours openvino bf16", "torchvision openvino bf16", 1.0),
            (
                "ours openvino bf16, fixed batch",
                "torchvision openvino bf16, fixed batch",
                1.0,
            ),
        ],
    },
    {
        "text": "int8, one of these",
        "needs_vnni": True,
        "one_of": [
            ("ours onnx int8", "ours onnx", 1.5),
            ("ours litert int8", "ours litert", 1.5),
        ],
    },
]


def network(size: int):
    import keras_resnet

    return keras_resnet.build(
        "resnet50", weights=None, stride_on="3x3", input_shape=(size, size, 3)
    )


def write_files(folder: pathlib.Path, size: int, wanted: set[str]) -> None:
    """Every file that is wanted; runs on torch."""
    import keras_resnet
    from keras_resnet.exporting import samples

    model = network(size)
    for dtype in ("float32", "int8"):
        suffix = "" if dtype == "float32" else "-int8"
        names = [name for name in wanted if name.startswith(f"ours{suffix}.")]
        if not names:
            continue
        images = samples.sample_images((size, size, 3), "float32", 16)
        reports = keras_resnet.export(
            model,
            [folder / name for name in names],
            dtype=dtype,
            images=images[:4],
            calibration=images if dtype == "int8" else None,
            verify=dtype == "float32",
        )
        for report in reports:
            print(f"  {pathlib.Path(report.path).name}: {report.bytes / 1e6:.1f} MB", flush=True)
    if "torchvision.onnx" in wanted:
        write_torchvision(folder / "torchvision.onnx", size)


def write_torchvision(path: pathlib.Path, size: int) -> None:
    import torch

    from benchmarks.training.torch_models import import_torchvision

    import_torchvision()
    import torchvision

    program = torch.onnx.export(
        torchvision.models.resnet50().eval(),
        (torch.zeros(2, 3, size, size),),
        dynamo=True,
        dynamic_shapes=[{0: torch.export.Dim("batch")}],
        verbose=False,
    )
    program.optimize()
    program.save(path)


def prepare(settings: dict) -> tuple[dict, Callable[[dict], dict]]:
    """A process of one contender: each message is answered with the seconds of one batch."""
    import numpy as np

    contender, batch, size = (settings[name] for name in ("contender", "batch", "size"))
    row = CONTENDERS[contender]
    first = row.file.startswith("torchvision")
    shape = (batch, 3, size, size) if first else (batch, size, size, 3)
    images = np.random.default_rng(0).standard_normal(shape).astype("float32")
    step = step_of(row, settings["path"], shape, settings["threads"])
    for _ in range(3):
        step(images)

    def answer(message: dict) -> dict:
        started = time.perf_counter()
        step(images)
        return {"seconds": time.perf_counter() - started}

    return {}, answer


def step_of(contender: Contender, path: str, shape: tuple[int, ...], threads: int):
    from keras_resnet.exporting import runtimes

    if contender.runtime == "openvino":
        known = shape if contender.fixed else None
        return runtimes.openvino(path, threads, contender.precision, known)
    if contender.runtime != "keras":
        return runtimes.RUNTIMES[contender.runtime](path, threads)
    import keras_resnet

    if contender.backend == "torch":
        import torch

        torch.set_num_threads(threads)
    return keras_resnet.fold_batch_norm(network(shape[1])).predict_on_batch


def started(name: str, folder: pathlib.Path, options) -> Worker:
    contender, threads = CONTENDERS[name], str(options.threads)
    settings = {"contender": name, "path": str(folder / contender.file)}
    settings |= {key: getattr(options, key) for key in ("batch", "size", "threads")}
    environment = {
        "KERAS_BACKEND": contender.backend,
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return Worker("benchmarks.exporting.worker", settings, environment, timeout=900)


def measure(names: list[str], folder: pathlib.Path, options) -> dict[str, list[float]]:
    """Images per second of every contender in every round."""
    workers: dict[str, Worker] = {}
    rates: dict[str, list[float]] = {name: [] for name in names}
    try:
        for name in names:
            workers[name] = started(name, folder, options)
        for number in range(options.rounds):
            print(f"  round {number + 1} of {options.rounds}", flush=True)
            for name, worker in workers.items():
                taken = [worker.ask()["seconds"] for _ in range(1 + options.steps)]
                rates[name].append(options.batch / statistics.median(taken[1:]))
    finally:
        for worker in workers.values():
            worker.stop()
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=3, help="of a turn, after an untimed one")
    parser.add_argument("--contenders", default="", help="only those whose name holds this")
    parser.add_argument("--out", type=pathlib.Path, default=page.FOLDER, help="a folder")
    options = parser.parse_args()
    names = [name for name in CONTENDERS if options.contenders in name]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = {CONTENDERS[name].file for name in names} - {""}
        program = [sys.executable, "-m", "benchmarks.exporting.runtimes"]
        write = [*program, "--write", name, str(options.size), *files]
        subprocess.run(write, cwd=ROOT, check=True, env={**os.environ, "KERAS_BACKEND": "torch"})
        rates = measure(names, folder, options)
        sizes = {name: bytes_of(folder, CONTENDERS[name].file) for name in names}
    record = {
        **records.header("benchmarks.exporting.runtimes", sys.argv[1:]),
        "batch": options.batch,
        "size": options.size,
        "threads": options.threads,
        "rounds": options.rounds,
        "images_per_second": rates,
        "bytes": sizes,
        "promises": PROMISES,
    }
    table = [*page.promises(record), "", *page.speeds(record)]
    print("\n".join(table))
    records.save(options.out / "exported.json", record)
    (options.out / "exported.md").write_text("\n".join(table) + "\n")
    page.draw(record, options.out / "exported.png")


def bytes_of(folder: pathlib.Path, file: str) -> int | None:
    """Bytes of a file, OpenVINO's weights included; None for a model that is none."""
    if not file:
        return None
    path = folder / file
    both = [path, path.with_suffix(".bin")] if path.suffix == ".xml" else [path]
    return sum(one.stat().st_size for one in both)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_files(pathlib.Path(sys.argv[2]), int(sys.argv[3]), set(sys.argv[4:]))
    else:
        main()
