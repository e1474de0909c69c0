"""What recipes that train for long share: precision, averages, logs, pictures, results."""

import contextlib
import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import keras
from common import Run, atomic_write, option, table, versions, write_json

import keras_resnet
from keras_resnet import figures, training

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
FORMERLY_0 = (
    *("epochs", "steps", "batch_size", "learning_rate", "ema", "label_smoothing"),
    *("width", "size"),
)
Settings = TypeVar("Settings", bound=Any)


@dataclass(frozen=True)
class Training(Run):
    """The flags of a recipe that trains for long, beside its own hyper-parameters."""

    precision: str = option("float32", f"{', '.join(PRECISIONS)}: of activations and products")
    accumulate: int = option(1, "parts that a batch is trained in, where memory is short")
    distribute: str = option("auto", f"over devices: {', '.join(training.distribution.KINDS)}")
    ema: float | None = option(
        None, "decay of a running average of weights and BN statistics; 0: none"
    )
    label_smoothing: float | None = option(
        None, "part of each label that is spread over all classes; 0: none"
    )
    tensorboard: bool = option(False, "write event files for TensorBoard to --out as well")
    smoke: bool = option(False, "a few steps of everything on made-up images: does it run here?")

    def check(self) -> None:
        super().check()
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"`precision` must be {', '.join(PRECISIONS)}. Received: {self.precision!r}"
            )
        if self.distribute not in training.distribution.KINDS:
            raise ValueError(
                f"`distribute` must be {', '.join(training.distribution.KINDS)}. "
                f"Received: {self.distribute!r}"
            )
        for name in ("ema", "label_smoothing"):
            if not 0 <= (getattr(self, name) or 0) < 1:
                raise ValueError(
                    f"`{name}` must be from 0 to below 1. Received: {getattr(self, name)}"
                )
        self.at_least(1, "accumulate")
        if self.tensorboard and importlib.util.find_spec("tensorboard") is None:
            raise ValueError(
                '`tensorboard` needs the package of that name: pip install "keras3-resnet[recipes]"'
            )

    def configuration(self) -> dict[str, Any]:
        flags = super().configuration()
        del flags["tensorboard"], flags["distribute"]
        # Version 0.1 wrote 0 for a number that was not given: a run that it started continues.
        # What the recipe chose is compared as well, among the settings.
        return flags | {name: 0 for name in FORMERLY_0 if flags.get(name, 0) is None}

    def instead_of(self, settings: Settings) -> Settings:
        """The recipe's settings, where a flag of the same name was given with its value."""
        given = {field.name: getattr(self, field.name, None) for field in fields(settings)}
        return replace(settings, **{k: value for k, value in given.items() if value is not None})

    def launch(self, main: Callable[[Any], None]) -> None:
        """Runs `main(self)` within the scope of `--distribute`. The first process alone prints."""
        try:
            distribution = training.distributed(self.distribute)  # type: ignore[arg-type]
        except RuntimeError as error:
            raise ValueError(error) from error
        with contextlib.ExitStack() as stack:
            if not distribution.is_first:
                quiet = stack.enter_context(open(os.devnull, "w"))
                stack.enter_context(contextlib.redirect_stdout(quiet))
            stack.enter_context(distribution.scope())
            distribution.from_first(self.start_over)
            main(self)


def part_of_batch(recipe: Training, batch_size: int) -> int:
    """Images that are trained on at a time."""
    if batch_size % recipe.accumulate:
        raise ValueError(
            f"`batch_size` must be a multiple of `accumulate`. Received: {batch_size} and "
            f"{recipe.accumulate}"
        )
    return batch_size // recipe.accumulate


def accumulation(recipe: Training) -> dict[str, int]:
    """The argument of Keras' optimizers."""
    return {"gradient_accumulation_steps": recipe.accumulate} if recipe.accumulate > 1 else {}


def recompute_over(batches: Any, images: int = 8192) -> Callable[[keras.Model], None]:
    """Batch norm's statistics over that many images, or an epoch: for `finish` of `run`."""

    def finish(model):
        count = max(1, min(batches.steps_per_epoch, images // batches.batch_size))
        training.recompute_batch_norm(model, batches.batches(0, count))

    return finish


class EventFiles(keras.callbacks.Callback):
    """Writes each epoch's row for TensorBoard, by its own writer: on any backend.

    Keras' callback needs TensorFlow, and reads the loss after every step.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        if not training.active().is_first:
            return
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        values = [Summary.Value(tag=name, simple_value=x) for name, x in (logs or {}).items()]
        step = int((logs or {}).get("step", epoch))
        # A file an epoch: nothing of it is lost when the run is killed.
        writer = EventFileWriter(str(self.folder), filename_suffix=f".{step}")
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        writer.close()


def run(
    recipe: Training,
    model: keras.Model,
    data: Any,
    *,
    network: str,
    steps: int,
    image: tuple[int, int, int],
    evaluate: Callable[[keras.Model], dict[str, float]],
    callbacks: Sequence[keras.callbacks.Callback] = (),
    settings: Any = None,
    ema: float = 0.0,
    finish: Callable[[keras.Model], None] | None = None,
    kept: keras.Model | None = None,
) -> None:
    """Trains, and writes to --out: config.json, log.csv, results.json, curves.png, model.keras.

    Args:
        recipe: as read from the command line.
        model: compiled.
        data: see `keras_resnet.training.fit`.
        network: what the model is called.
        steps: batches in all.
        image: shape of one, for what it costs.
        evaluate: gives `top1_error` and more, of the model as it is.
        callbacks: of Keras.
        settings: what the recipe's name stood for.
        ema: decay of the running average of the weights that is measured and saved; 0 for none.
        finish: done to the model before it is measured for the last time and saved.
        kept: what is counted and saved, where parts of the model only help to train it.
    """
    out = Path(recipe.out)
    record = {
        "recipe": recipe,
        "settings": settings,
        "network": network,
        "steps": steps,
        "versions": versions(),
    }
    distribution = training.active()
    if distribution.is_first:
        write_json(out / "config.json", record)
    averages = training.WeightAverages(model, ema) if ema else None
    watching = [*callbacks, *([averages] if averages else [])]
    if recipe.tensorboard:
        watching.append(EventFiles(out / "tensorboard"))

    def measured(model):
        with averages.applied() if averages else contextlib.nullcontext():
            return {f"test_{name}": value for name, value in evaluate(model).items()}

    rows = training.fit(
        model,
        data,
        steps=steps,
        out=out,
        configuration=recipe.configuration() | {"settings": settings, "steps": steps},
        checkpoint_every=recipe.checkpoint_every,
        evaluate=measured,
        callbacks=watching,
    )
    with averages.applied() if averages else contextlib.nullcontext():
        if finish:
            finish(model)
        final = evaluate(model)
        if distribution.is_first:
            with distribution.alone():
                write_results(out, record, kept or model, network, image, rows, final)


def write_results(out, record, model, network, image, rows, final):
    """Writes the results of a run to its folder and prints a summary."""
    with atomic_write(out / "model.keras") as path:
        model.save(path)
    history = {
        "step": [row["step"] for row in rows],
        "training_loss": [row["loss"] for row in rows],
        "training_error": [100 * (1 - row["accuracy"]) for row in rows],
        "test_loss": [row["test_loss"] for row in rows],
        "test_error": [row["test_top1_error"] for row in rows],
    }
    costs = keras_resnet.count(model, image)
    result = {"parameters": costs.trainable, "multiply_adds": costs.macs, "final": final}
    write_json(
        out / "results.json", record | {"networks": {network: result | {"history": history}}}
    )
    with atomic_write(out / "curves.png") as path:
        figures.training_curves({network: {network: history}}).savefig(path, dpi=150)
    print(f"\n{summary(network, costs.trainable, history, final)}")
    print(f"\nIn {out}: config.json, log.csv, results.json, curves.png, model.keras")


def summary(network, parameters, history, final):
    return table(
        [
            {
                "network": network,
                "parameters": f"{parameters:,}",
                "training loss": f"{history['training_loss'][-1]:.3f}",
                "training error (%)": f"{history['training_error'][-1]:.2f}",
                "top-1 error (%)": f"{final['top1_error']:.2f}",
                "top-5 error (%)": f"{final['top5_error']:.2f}",
            }
        ]
    )
