"""`keras-resnet benchmark`: images per second of a network or of exported files."""

import argparse
import statistics
import time

from keras_resnet.commands.common import (
    add_json,
    aligned,
    command,
    positive,
    print_json,
    sides,
)


def add(commands) -> None:
    parser = command(
        commands,
        "benchmark",
        "images per second of networks and exported files, in turns",
        run,
        """
        keras-resnet benchmark resnet50
        keras-resnet benchmark resnet50 resnet50.onnx resnet50.xml --batch 8 --threads 2
        """,
    )
    parser.add_argument("subject", nargs="+", help="names that `list` prints, or exported files")
    parser.add_argument("--batch", type=positive, default=8, help="images of a call (default: 8)")
    parser.add_argument("--rounds", type=positive, default=5, help="turns of each (default: 5)")
    parser.add_argument("--threads", type=positive, help="of runtimes that take it")
    parser.add_argument("--size", type=sides, help="side of the images, or HEIGHTxWIDTH")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    steps = {subject: step(subject, options) for subject in options.subject}
    for call in steps.values():
        call()  # compiles, and warms caches up
    seconds: dict[str, list[float]] = {subject: [] for subject in steps}
    for _ in range(options.rounds):
        for subject, call in steps.items():
            started = time.perf_counter()
            call()
            seconds[subject].append(time.perf_counter() - started)
    rows = [
        {
            "subject": subject,
            "images_per_second": round(options.batch / statistics.median(times), 2),
            "lowest": round(options.batch / max(times), 2),
            "highest": round(options.batch / min(times), 2),
        }
        for subject, times in seconds.items()
    ]
    if options.json:
        print_json({"batch": options.batch, "rounds": options.rounds, "results": rows})
        return
    titles = ("subject", "images/s", "lowest", "highest")
    lines = [tuple(str(value) for value in row.values()) for row in rows]
    print(aligned([titles, *lines], titles[1:]))


def step(subject: str, options: argparse.Namespace):
    """A function that runs one batch."""
    import os

    import numpy as np

    if os.path.exists(subject) and not subject.endswith(".keras"):
        from keras_resnet.exporting import open_exported, read_metadata

        told = read_metadata(subject)["input"]
        if told["shape"][0] not in (None, options.batch):
            raise ValueError(
                f"{subject} takes {told['shape'][0]} images a call: pass --batch "
                f"{told['shape'][0]}. Received: --batch {options.batch}"
            )
        shape = with_size(told["shape"][1:], options.size)
        images = np.zeros((options.batch, *shape), told["dtype"])
        run_file = open_exported(subject, threads=options.threads)
        return lambda: run_file(images)
    if subject.endswith(".keras"):
        from keras_resnet.evaluation.opening import saved_model

        model = saved_model(subject)
        shape = with_size(list(model.input.shape[1:]), options.size)
        images = np.zeros((options.batch, *shape), model.input.dtype)
        return lambda: model.predict_on_batch(images)
    from keras_resnet.models import build

    size = None if options.size is None else (*options.size, 3)
    model = build(subject, weights=None, input_shape=size)
    images = np.zeros((options.batch, *model.input.shape[1:]), "float32")
    return lambda: model.predict_on_batch(images)


def with_size(shape: list, size: tuple[int, int] | None) -> list[int]:
    """A shape (height, width, channels) whose unknown sides are given."""
    known = [side for side in shape if side is not None]
    if len(known) == len(shape):
        return known
    if size is None:
        raise ValueError("The file takes images of any size: pass --size")
    return [*size, shape[-1]]
