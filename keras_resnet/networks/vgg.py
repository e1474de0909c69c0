"""VGG, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv:1409.1556."""

from functools import partial

import keras
from keras import layers

from keras_resnet.layers import LocalResponseNormalization
from keras_resnet.networks.assembly import KITS, Top, classifier, conv, hidden, rectified
from keras_resnet.networks.systems import VGG


def glorot():
    """Sec. 3.1: "it is possible to initialise the weights without pre-training by using the
    random initialisation procedure of Glorot & Bengio".
    """
    return keras.initializers.VarianceScaling(1.0, "fan_avg", "uniform")


def vgg(x, row: VGG, options, top: Top | None):
    """A VGG on `x`, a symbolic image: the last map, or classes with a top."""
    kit = KITS[options.layers]
    relu = partial(rectified, kit=kit)
    # Groups of convolutions, each followed by a max pool that halves the map.
    for group, count in enumerate(row.convolutions, start=1):
        filters = row.width * min(8, 2 ** (group - 1))
        for number in range(1, count + 1):
            kernel = 1 if row.last_is_1x1 and number == 3 else 3
            name = f"conv{group}_{number}"
            x = conv(x, filters, kernel, kit=kit, initializer=glorot, name=name)
        if row.lrn and group == 1:
            # AlexNet's: k = 2 and 1e-4 times the sum, which is 5e-4 / 5 in Caffe's terms.
            x = LocalResponseNormalization(5, 5e-4, 0.75, 2.0, name="norm1")(x)
        x = kit.MaxPooling2D(2, 2, name=f"pool{group}")(x)
    if top is None:
        return x
    x = layers.Flatten(name="flatten")(x)  # by rows, columns and channels
    for name in ("fc6", "fc7"):
        x = hidden(x, row.units, initializer=glorot, activate=relu, dropout=row.dropout, name=name)
    return classifier(x, top, initializer=glorot)
