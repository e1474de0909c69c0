"""A small training run, for tests that stop it: also as a process of its own.

In tests/: KERAS_BACKEND=jax python -m support.resumed_run OUT [--die-at STEP [--late SECONDS]]
[--save FILE] [--drawn SEED]
"""

import argparse
import os
import pathlib
import random
import signal
import threading

import keras
import numpy as np

import keras_resnet
from keras_resnet import training
from keras_resnet.data import ArrayBatches, PadCropFlip
from keras_resnet.training.checkpoints import read_state

BATCH, STEPS_PER_EPOCH = 4, 5
STEPS = 17  # three epochs and two steps


class PowerCut(BaseException):
    pass


def cut():
    raise PowerCut


def send(number):
    return lambda: os.kill(os.getpid(), number)


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []


class Noise:
    """Random images and labels, from the step alone."""

    batch_size, steps_per_epoch = BATCH, STEPS_PER_EPOCH

    def batches(self, start, stop=None):
        for step in range(start, STEPS if stop is None else stop):
            random = np.random.default_rng(step)
            images = random.normal(size=(BATCH, 8, 8, 3)).astype("float32")
            yield images, random.integers(0, 4, BATCH)


class At(keras.callbacks.Callback):
    """Does something before the step that follows `step` steps."""

    def __init__(self, step, action):
        super().__init__()
        self.step, self.action, self.taken = step, action, 0

    def get_state(self):
        return {"taken": self.taken}

    def set_state(self, state):
        self.taken = state["taken"]

    def on_train_batch_begin(self, batch, logs=None):
        if self.taken == self.step:
            self.action()
        self.taken += 1


def compiled(rate=0.05):
    """A residual network with layers that draw random numbers, from the same start each time."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(1)
    model = keras_resnet.build(
        "cifar_resnet8", input_shape=(8, 8, 3), classes=4, drop_path_rate=0.2
    )
    optimizer = keras.optimizers.SGD(rate, 0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def run(model, out, *actions, steps=STEPS, data=None, **options):
    """Trains, with a callback that remembers what it has seen."""
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1.0)
    options = {"checkpoint_every": 2, "log_every": 3, "progress": False, **options}
    return training.fit(
        model, data or Noise(), steps=steps, out=out, callbacks=[plateau, *actions], **options
    )


def drawn(seed, best):
    """A data source, callbacks of Keras in some order, and how often a run is saved."""
    draw = random.Random(seed)
    numbers = np.random.default_rng(seed)
    images = numbers.normal(size=(5 * BATCH + seed % 3, 8, 8, 3)).astype("float32")
    data = ArrayBatches(
        images,
        numbers.integers(0, 4, len(images)),
        BATCH,
        classes=4,
        seed=seed,
        augment=draw.choice([None, PadCropFlip(pad=1)]),
        repeats=draw.choice([1, 2]),
        shuffle=draw.choice([True, False]),
    )
    watched = draw.choice(["loss", "accuracy"])
    mode = {"loss": "min", "accuracy": "max"}[watched]
    keras_own = keras.callbacks
    callbacks = [
        keras_own.EarlyStopping(
            watched, patience=draw.choice([0, 1, 3]), mode=mode, restore_best_weights=True
        ),
        keras_own.ReduceLROnPlateau(watched, factor=0.5, patience=draw.choice([1, 2]), mode=mode),
        keras_own.ModelCheckpoint(
            best, watched, save_best_only=True, save_weights_only=True, mode=mode
        ),
    ]
    callbacks = draw.sample(callbacks, draw.randint(1, 3))
    return draw.choice([data, data, Noise()]), callbacks, draw.randint(1, 4)


def outcome(model, rows):
    """Everything that two runs must have in common, to the bit."""
    same = ("epoch", "step", "loss", "accuracy", "learning_rate")
    return read_state(model) | {name: np.array([row[name] for row in rows]) for name in same}


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--die-at", type=int, default=-1)
    parser.add_argument("--late", type=float, default=0)
    parser.add_argument("--save")
    parser.add_argument("--drawn", type=int)
    options = parser.parse_args(arguments)
    model = compiled()
    kill = send(signal.SIGKILL)
    late = threading.Timer(options.late, kill)
    die = At(options.die_at, late.start if options.late else kill)
    data, callbacks, every = None, [], 2
    best = pathlib.Path(options.out, "best.weights.h5")
    if options.drawn is not None:
        data, callbacks, every = drawn(options.drawn, best)
    rows = run(model, options.out, *callbacks, die, data=data, checkpoint_every=every)
    if options.die_at >= 0:  # the run has ended before
        kill()
    if options.save:
        found = outcome(model, rows)
        if best.exists():
            model.load_weights(best)
            found |= {f"best {name}": value for name, value in read_state(model).items()}
        # A process that finds its run ended takes no step, by which Keras makes its metrics.
        np.savez(options.save, **{n: value for n, value in found.items() if "metrics" not in n})


if __name__ == "__main__":
    main()
