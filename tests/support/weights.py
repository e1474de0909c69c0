"""Networks of few weights, and their values."""

import functools

import keras
import numpy as np

import keras_resnet
from keras_resnet import Architecture

from . import fill

TINY = Architecture("bottleneck", (2, 1, 2), 4, "imagenet", "B")


def tiny(row=TINY, **options):
    """A network of its own, for a test that changes it or builds it with options."""
    options.setdefault("classes", 5)
    return keras_resnet.build(row, weights=None, **options)


@functools.cache
def kept(role, row):
    return tiny(row)


def source(row=TINY):
    """A network with values that are neither zeros nor ones; tests share it, and only read it."""
    return fill(kept("source", row))


def target(row=TINY):
    """A network of zeros to load into; tests share it."""
    model = kept("target", row)
    for variable in model.weights:
        variable.assign(np.zeros(variable.shape, "float32"))
    return model


def values(model):
    return {v.path: keras.ops.convert_to_numpy(v.value) for v in model.weights}


def assert_same_values(one, other, tolerance=0.0):
    theirs = list(values(other).values())
    for mine, its in zip(values(one).values(), theirs, strict=True):
        np.testing.assert_allclose(mine, its, atol=tolerance, rtol=0)
