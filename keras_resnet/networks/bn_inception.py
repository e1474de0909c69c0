"""BN-Inception, "Batch Normalization", arXiv:1502.03167, Figure 5."""

from functools import partial

from keras import layers

from keras_resnet.graph import channel_axis
from keras_resnet.networks.assembly import (
    KITS,
    Top,
    ceil_pool,
    conv,
    first_conv,
    norm,
    pooled_classifier,
    xavier,
)
from keras_resnet.networks.systems import BN_INCEPTION, BNInception


def bn_inception(x, row: BNInception, options, top: Top | None):
    """BN-Inception on `x`, a symbolic image: the last map, or classes with a top.

    It has no dropout (Sec. 4.2.1).
    """
    kit, bias = KITS[options.layers], "zeros" if row.conv_bias else None
    activate = partial(norm, kit=kit)
    convolve = partial(conv, kit=kit, initializer=xavier, bias=bias, activate=activate)
    x = first_conv(x, row.width, options.conv1, convolve)
    x = ceil_pool(x, kit, name="pool1")
    x = convolve(x, row.width, 1, name="conv2_reduce")
    x = convolve(x, 3 * row.width, 3, name="conv2")
    x = ceil_pool(x, kit, name="pool2")
    for name, (*table, kind, projection) in BN_INCEPTION.items():
        counts = (*table, options.pool_proj if projection is None else projection)
        filters = [max(1, count * row.width // 64) if count else 0 for count in counts]
        x = module(x, filters, kind, kit=kit, convolve=convolve, name=f"inception_{name}")
    if top is None:
        return x
    return pooled_classifier(x, top, dropout=options.dropout, initializer=xavier)


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
    return kit.AveragePooling2D(3, 1, name=name)(x)
