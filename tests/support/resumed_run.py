"""A small training run, for tests that stop it: also as a process of its own.

In tests/: KERAS_BACKEND=jax python -m support.resumed_run OUT [--die-at STEP] [--save FILE]
"""

import argparse
import os
import signal

import keras
import numpy as np

import keras_resnet
from keras_resnet import training
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


def run(model, out, *actions, steps=STEPS, **options):
    """Trains, with a callback that remembers what it has seen."""
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1.0)
    options = {"checkpoint_every": 2, "log_every": 3, "progress": False, **options}
    return training.fit(
        model, Noise(), steps=steps, out=out, callbacks=[plateau, *actions], **options
    )


def outcome(model, rows):
    """Everything that two runs must have in common, to the bit."""
    same = ("epoch", "step", "loss", "accuracy", "learning_rate")
    return read_state(model) | {name: np.array([row[name] for row in rows]) for name in same}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--die-at", type=int, default=-1)
    parser.add_argument("--save")
    options = parser.parse_args()
    model = compiled()
    die = At(options.die_at, lambda: os.kill(os.getpid(), signal.SIGKILL))
    rows = run(model, options.out, die)
    if options.save:
        np.savez(options.save, **outcome(model, rows))


if __name__ == "__main__":
    main()
