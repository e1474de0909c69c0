"""`keras-resnet benchmark`: images per second of models and exported files."""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from keras_resnet.commands.common import aligned, positive, sides

EXAMPLES = """
keras-resnet benchmark resnet50
keras-resnet benchmark resnet50 resnet50.onnx resnet50.xml --batch 8 --threads 2
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="names that `list` prints, .keras files, or exported files",
    )
    parser.add_argument("--batch", type=positive, default=8, help="images of a call (default: 8)")
    parser.add_argument("--rounds", type=positive, default=5, help="turns of each (default: 5)")
    parser.add_argument("--threads", type=positive, help="of runtimes that take it")
    parser.add_argument("--size", type=sides, help="side of the images, or HEIGHTxWIDTH")


def run(options: argparse.Namespace) -> tuple[dict, str]:
    steps = {model: step(model, options) for model in options.models}
    for call in steps.values():
        call()  # compiles, and warms caches up
    seconds: dict[str, list[float]] = {model: [] for model in steps}
    for _ in range(options.rounds):
        for model, call in steps.items():
            started = time.perf_counter()
            call()
            seconds[model].append(time.perf_counter() - started)
    rows = [
        {
            "subject": model,
            "images_per_second": round(options.batch / statistics.median(times), 2),
            "lowest": round(options.batch / max(times), 2),
            "highest": round(options.batch / min(times), 2),
        }
        for model, times in seconds.items()
    ]
    titles = ("model", "images/s", "lowest", "highest")
    lines = [tuple(str(value) for value in row.values()) for row in rows]
    record = {"batch": options.batch, "rounds": options.rounds, "results": rows}
    return record, aligned([titles, *lines], titles[1:])


def step(name: str, options: argparse.Namespace) -> Callable[[], Any]:
    """A function that runs one batch of a model or an exported file."""
    import numpy as np

    if os.path.exists(name) and not name.endswith(".keras"):
        from keras_resnet.exporting import open_exported, read_metadata

        taken = read_metadata(name)["input"]
        batch, *sizes = taken["shape"]
        if batch not in (None, options.batch):
            raise ValueError(
                f"{name} takes {batch} images a call: pass --batch {batch}. "
                f"Received: --batch {options.batch}"
            )
        images = np.zeros((options.batch, *with_size(sizes, options.size)), taken["dtype"])
        run_file = open_exported(name, threads=options.threads)
        return lambda: run_file(images)
    if name.endswith(".keras"):
        from keras_resnet.evaluation.opening import saved_model

        model = saved_model(name)
    else:
        from keras_resnet.models import build

        model = build(name, weights=None, input_shape=options.size and (*options.size, 3))
    shape = with_size(list(model.input.shape[1:]), options.size)
    images = np.zeros((options.batch, *shape), model.input.dtype)
    return lambda: model.predict_on_batch(images)


def with_size(shape: list, size: tuple[int, int] | None) -> list[int]:
    """A shape (height, width, channels) whose unknown sides are given."""
    known = [side for side in shape if side is not None]
    if len(known) == len(shape):
        return known
    if size is None:
        raise ValueError("The file takes images of any size: pass --size")
    return [*size, shape[-1]]
