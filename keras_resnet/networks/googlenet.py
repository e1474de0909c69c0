"""GoogLeNet, "Going Deeper with Convolutions", arXiv:1409.4842, as published: without BN.

What its Table 1 leaves open is taken from its authors' Caffe counterpart, bvlc_googlenet.
"""

from functools import partial

import keras
from keras import layers

from keras_resnet.graph import channel_axis
from keras_resnet.layers import LocalResponseNormalization
from keras_resnet.networks.assembly import (
    KITS,
    Top,
    ceil_pool,
    classifier,
    conv,
    first_conv,
    hidden,
    pooled_classifier,
    rectified,
    xavier,
)
from keras_resnet.networks.systems import INCEPTION, GoogLeNet

# bvlc_googlenet starts the biases of convolutions at 0.2.
BIAS = keras.initializers.Constant(0.2)
# Sec. 5: "classifiers put on top of the output of the Inception (4a) and (4d) modules".
AUXILIARY = {"4a": "loss1", "4d": "loss2"}


def googlenet(x, row: GoogLeNet, options, top: Top | None):
    """GoogLeNet on `x`, a symbolic image: the last map, or classes with a top.

    With a top and `auxiliary`, a dict of the three classifiers' outputs.
    """
    kit, heads = KITS[options.layers], {}
    convolve = partial(conv, kit=kit, initializer=xavier, bias=BIAS)
    x = first_conv(x, row.width, options.conv1, convolve)
    x = ceil_pool(x, kit, name="pool1")
    x = LocalResponseNormalization(name="norm1")(x)
    x = convolve(x, row.width, 1, name="conv2_reduce")
    x = convolve(x, 3 * row.width, 3, name="conv2")
    x = LocalResponseNormalization(name="norm2")(x)
    x = ceil_pool(x, kit, name="pool2")
    for module, table in INCEPTION.items():
        filters = [max(1, count * row.width // 64) for count in table]
        x = inception(x, filters, kit=kit, convolve=convolve, name=f"inception_{module}")
        if module in AUXILIARY:
            heads[AUXILIARY[module]] = x
        if module in ("3b", "4e"):
            x = ceil_pool(x, kit, name="pool3" if module == "3b" else "pool4")
    if top is None:
        return x
    x = pooled_classifier(x, top, dropout=row.dropout, initializer=xavier)
    if not options.auxiliary:
        return x
    return {"fc": x} | {n: auxiliary(y, row, kit, convolve, top, name=n) for n, y in heads.items()}


def inception(x, filters, *, kit, convolve, name):
    """Fig. 2(b): 1x1, 3x3, 5x5 and a pooled branch, side by side."""
    one, reduce3, three, reduce5, five, pool = filters
    branches = [convolve(x, one, 1, name=f"{name}_1x1")]
    for kernel, reduced, width in ((3, reduce3, three), (5, reduce5, five)):
        y = convolve(x, reduced, 1, name=f"{name}_{kernel}x{kernel}_reduce")
        branches.append(convolve(y, width, kernel, name=f"{name}_{kernel}x{kernel}"))
    y = kit.MaxPooling2D(3, 1, "same", name=f"{name}_pool")(x)
    branches.append(convolve(y, pool, 1, name=f"{name}_pool_proj"))
    return layers.Concatenate(channel_axis(), name=name)(branches)


def auxiliary(x, row: GoogLeNet, kit, convolve, top: Top, *, name):
    """Sec. 5: average pool, 1x1 convolution, fully connected layer, dropout, classifier."""
    x = kit.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
    x = convolve(x, 2 * row.width, 1, name=f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = hidden(
        x,
        row.units,
        initializer=xavier,
        activate=partial(rectified, kit=kit),
        dropout=row.auxiliary_dropout,
        name=f"{name}_fc",
    )
    return classifier(x, top, initializer=xavier, name=name)
