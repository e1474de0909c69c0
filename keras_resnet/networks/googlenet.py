"""GoogLeNet, "Going Deeper with Convolutions", arXiv:1409.4842, as published: without BN.

What its Table 1 leaves open is taken from its authors' Caffe counterpart, bvlc_googlenet.
"""

from functools import partial

import keras
from keras import layers

from keras_resnet.layers import LocalResponseNormalization
from keras_resnet.networks.assembly import KITS, channel_axis, classifier, connect
from keras_resnet.networks.options import Options
from keras_resnet.networks.parts import ceil_pool, conv, conv1, hidden, xavier
from keras_resnet.networks.systems import INCEPTION, GoogLeNet

# bvlc_googlenet starts the biases of convolutions at 0.2.
BIAS = keras.initializers.Constant(0.2)
# Sec. 5: "classifiers put on top of the output of the Inception (4a) and (4d) modules".
AUXILIARY = {"4a": "loss1", "4d": "loss2"}


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


def body(x, row: GoogLeNet, kit, options: Options, ends: dict):
    """The stem and nine modules. The outputs of 4a and 4d are also put into `ends`."""
    convolve = partial(conv, kit, initializer=xavier, bias=BIAS)
    width = row.width
    x = conv1(kit, x, width, options.conv1, convolve)
    x = ceil_pool(kit, x, name="pool1")
    x = LocalResponseNormalization(name="norm1")(x)
    x = convolve(x, width, 1, name="conv2_reduce")
    x = convolve(x, 3 * width, 3, name="conv2")
    x = LocalResponseNormalization(name="norm2")(x)
    x = ceil_pool(kit, x, name="pool2")
    for module, table in INCEPTION.items():
        filters = [max(1, count * width // 64) for count in table]
        x = inception(x, filters, kit=kit, convolve=convolve, name=f"inception_{module}")
        if module in AUXILIARY:
            ends[AUXILIARY[module]] = x
        if module in ("3b", "4e"):
            x = ceil_pool(kit, x, name="pool3" if module == "3b" else "pool4")
    return x


def auxiliary_head(x, row: GoogLeNet, kit, classes, activation, *, name):
    """Sec. 5: average pool, 1x1 convolution, fully connected layer, dropout, classifier."""
    x = layers.AveragePooling2D(5, 3, name=f"{name}_pool")(x)
    x = conv(kit, x, 2 * row.width, 1, initializer=xavier, bias=BIAS, name=f"{name}_conv")
    x = layers.Flatten(name=f"{name}_flatten")(x)
    x = hidden(x, row.units, initializer=xavier, dropout=row.auxiliary_dropout, name=f"{name}_fc")
    return classifier(x, classes, activation, initializer=xavier, name=name)


def head(x, row: GoogLeNet, kit, options: Options, ends: dict, classes, activation):
    """Average pool, dropout, classifier; with `auxiliary`, a dict of three outputs."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(row.dropout, name="pool_drop")(x)
    x = classifier(x, classes, activation, initializer=xavier)
    if not options.auxiliary:
        return x
    heads = {
        name: auxiliary_head(end, row, kit, classes, activation, name=name)
        for name, end in ends.items()
    }
    return {"fc": x, **heads}


def googlenet(
    row: GoogLeNet, options: Options, image, *, classes, classifier_activation, **others
) -> keras.Model:
    """Connects GoogLeNet to `image`; arguments as in `keras_resnet.networks.resnet.resnet`."""
    kit, ends = KITS[options.layers], {}  # type: ignore[var-annotated]
    return connect(
        image,
        partial(body, row=row, kit=kit, options=options, ends=ends),
        partial(
            head,
            row=row,
            kit=kit,
            options=options,
            ends=ends,
            classes=classes,
            activation=classifier_activation,
        ),
        options,
        **others,
    )
