"""Networks of few weights, and their values."""

import keras_resnet
from keras_resnet import Architecture

TINY = Architecture("bottleneck", (2, 1, 2), 4, "imagenet", "B")


def tiny(row=TINY, **options):
    options.setdefault("classes", 5)
    return keras_resnet.build(row, weights=None, **options)
