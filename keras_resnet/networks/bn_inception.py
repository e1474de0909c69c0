"""BN-Inception, "Batch Normalization", arXiv:1502.03167, Figure 5."""

from functools import partial

import keras
from keras import layers

from keras_resnet.networks.assembly import KITS, channel_axis, classifier, connect
from keras_resnet.networks.options import Options
from keras_resnet.networks.parts import ceil_pool, conv, conv1, xavier
from keras_resnet.networks.systems import BN_INCEPTION, BNInception


def bn_relu(x, *, kit, name):
    x = kit.BatchNormalization(channel_axis(), momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def module(x, filters, kind, *, kit, convolve, name):
    """1x1, 3x3, double 3x3 and a pooled branch; without a 1x1 branch, all of stride 2."""
    one, reduce3, three, reduce_double, double, projection = filters
    stride = 1 if one else 2
    branches = [convolve(x, one, 1, name=f"{name}_1x1")] if one else []
    y = convolve(x, reduce3, 1, name=f"{name}_3x3_reduce")
    branches.append(convolve(y, three, 3, stride, name=f"{name}_3x3"))
    y = convolve(x, reduce_double, 1, name=f"{name}_double_3x3_reduce")
    y = convolve(y, double, 3, name=f"{name}_double_3x3_1")
    branches.append(convolve(y, double, 3, stride, name=f"{name}_double_3x3_2"))
    if stride == 2:  # "max + pass through"
        # Caffe's windows on even sides. On odd ones Caffe's pool is a pixel smaller than its
        # convolutions; "same" pads both sides then, as these do.
        branches.append(kit.MaxPooling2D(3, 2, "same", name=f"{name}_pool")(x))
    else:
        y = pooled(x, kind, kit, name=f"{name}_pool")
        branches.append(convolve(y, projection, 1, name=f"{name}_pool_proj"))
    return layers.Concatenate(channel_axis(), name=name)(branches)


def pooled(x, kind, kit, *, name):
    """3x3 of stride 1. Caffe counts the zeros around the map in an average."""
    if kind == "max":
        return kit.MaxPooling2D(3, 1, "same", name=name)(x)
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return layers.AveragePooling2D(3, 1, name=name)(x)


def body(x, row: BNInception, kit, options: Options):
    """The stem and ten modules."""
    convolve = partial(
        conv,
        kit,
        initializer=xavier,
        use_bias=row.conv_bias,
        activate=partial(bn_relu, kit=kit),
    )
    width = row.width
    x = conv1(kit, x, width, options.conv1, convolve)
    x = ceil_pool(kit, x, name="pool1")
    x = convolve(x, width, 1, name="conv2_reduce")
    x = convolve(x, 3 * width, 3, name="conv2")
    x = ceil_pool(kit, x, name="pool2")
    for name, (*table, kind, projection) in BN_INCEPTION.items():
        counts = (*table, options.pool_proj if projection is None else projection)
        filters = [max(1, count * width // 64) if count else 0 for count in counts]
        x = module(x, filters, kind, kit=kit, convolve=convolve, name=f"inception_{name}")
    return x


def head(x, classes, activation):
    """Average pool and classifier: BN-Inception has no dropout (Sec. 4.2.1)."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return classifier(x, classes, activation, initializer=xavier)


def bn_inception(
    row: BNInception, options: Options, image, *, classes, classifier_activation, **others
) -> keras.Model:
    """Connects BN-Inception to `image`; arguments as in `keras_resnet.networks.resnet.resnet`."""
    return connect(
        image,
        partial(body, row=row, kit=KITS[options.layers], options=options),
        partial(head, classes=classes, activation=classifier_activation),
        options,
        **others,
    )
