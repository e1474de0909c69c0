"""Residual and plain networks as Keras graphs, in the paper's own vocabulary.

`resnet` reads from the image to the classes: a stem, the blocks of the plan, a head. A block is
F(x) + shortcut(x), and F is `basic` or `bottleneck` (Fig. 5); each is a function of a tensor.
Layers are named as the paper names them: `conv3_1` opens the stage conv3_x, `conv3_1_a` is its
first convolution, and `conv3_1` itself is the block's output.
"""

from functools import partial

import keras
from keras import layers

from keras_resnet.layers import DropPath, PathDraws
from keras_resnet.networks.assembly import KITS, Top, norm, pooled_classifier
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.plan import BlockPlan, block_plan


def resnet(x, row: Architecture, options, top: Top | None):
    """A network of the paper on `x`, a symbolic image: the last map, or classes with a top."""
    # Sides of the map:   x   conv1  pool1  conv2_x  conv3_x  conv4_x  conv5_x
    #   ImageNet         224    112     56       56       28       14        7
    #   CIFAR             32     32      -       32       16        8        -
    kit = KITS[options.layers]
    plans = block_plan(row, options)
    draws = None
    if options.drop_path_rate and options.layers == "fast":
        draws = PathDraws(len(plans), name="drop_path")(x)
    x = stem(x, row, options, kit)
    for plan in plans:
        x = residual(x, plan, draws, row, options, kit)
    if row.preactivated:
        x = norm(x, kit, name="post")
    return x if top is None else pooled_classifier(x, top, dropout=options.dropout)


def stem(x, row: Architecture, options, kit):
    """conv1: 7x7/2, or three 3x3, and a 3x3/2 max pool for ImageNet; one 3x3 for CIFAR."""
    bare = options.first_norm == "conv2_1"
    conv1 = partial(conv_bn, kit=kit, normalize=not bare, bias=row.order == "v2")
    if row.stem == "cifar":
        return conv1(x, row.width, 3, name="conv1")
    if row.stem == "deep":
        x = conv_bn(x, row.width // 2, 3, 2, kit=kit, name="conv1_a")
        x = conv_bn(x, row.width // 2, 3, kit=kit, name="conv1_b")
        x = conv1(x, row.width, 3, name="conv1")
    else:
        x = conv1(x, row.width, 7, 2, name="conv1")
    if bare and row.order != "v2":
        # Not through a ReLU yet: what is outside must not count. At stride 1, "same" pads
        # both sides equally, with -inf.
        x = kit.MaxPooling2D(3, 1, "same", name="pool1_windows")(x)
        return kit.MaxPooling2D(1, 2, name="pool1")(x)
    # Zeros are neutral here: x has been through a ReLU. Caffe starts its windows at the
    # first pixel and lets the last one hang over the edge.
    border = {"symmetric": 1, "caffe": ((0, 1), (0, 1))}[options.pool1]
    x = layers.ZeroPadding2D(border, name="pool1_pad")(x)
    return kit.MaxPooling2D(3, 2, name="pool1")(x)


def residual(x, plan: BlockPlan, draws, row: Architecture, options, kit):
    """y = F(x) + shortcut(x), then ReLU (Eqn. 1 and 2). A plain net is y = F(x).

    Under pre-activation F reads a normalized x, and nothing follows the addition.
    """
    conv = partial(conv_bn, kit=kit, blur=options.blur_pool)
    # A sum is activated, or nothing is: what F ends in and a projection are not.
    v2 = row.order == "v2"
    project = partial(conv, normalize=not row.preactivated, activate=False, bias=v2)
    last = partial(project, gamma="zeros" if options.zero_init_residual else "ones")

    inner = norm(x, kit, name=f"{plan.name}_preact") if plan.normalizes else x
    if row.block == "basic":
        y = basic(inner, plan, conv, last, options.block_dropout)
    else:
        y = bottleneck(inner, plan, conv, last, options.stride_on, row.groups)
    if row.shortcut is not None:
        if plan.drop_rate:
            y = dropped(y, plan, draws, name=f"{plan.name}_drop_path")
        # The shortcut goes first: Keras walks a graph along first inputs, and so
        # through 2 nodes a block instead of 8.
        add = layers.Add(name=plan.name if row.preactivated else f"{plan.name}_add")
        y = add([shortcut(x, inner, plan, project, row, kit), y])
    return y if row.preactivated else kit.ReLU(name=plan.name)(y)


def dropped(y, plan, draws, *, name):
    """Stochastic depth (arXiv:1603.09382): F(x) is left out, image by image."""
    if draws is None:  # Keras' own layers
        return layers.Dropout(plan.drop_rate, (None, 1, 1, 1), name=name)(y)
    return DropPath(plan.drop_rate, plan.number, name=name)([y, draws])


def basic(x, plan: BlockPlan, conv, last, dropout):
    """Fig. 5, left: two 3x3 convolutions; dropout between them as in arXiv:1605.07146."""
    at_stride, after_it = plan.dilation
    x = conv(x, plan.filters, 3, plan.stride, at_stride, name=f"{plan.name}_a")
    if dropout:
        x = layers.Dropout(dropout, name=f"{plan.name}_drop")(x)
    return last(x, plan.outputs, 3, 1, after_it, name=f"{plan.name}_b")


def bottleneck(x, plan: BlockPlan, conv, last, stride_on, groups):
    """Fig. 5, right: 1x1 reduces, 3x3 works, 1x1 restores four times as many."""
    at_stride, after_it = plan.dilation
    # MSRA's networks stride on the first 1x1 ("v1"); fb.resnet.torch on the 3x3 ("v1.5").
    first, second = (plan.stride, 1), (1, after_it)
    if stride_on == "3x3":
        first, second = (1, 1), (plan.stride, at_stride)
    x = conv(x, plan.filters, 1, *first, name=f"{plan.name}_a")
    x = conv(x, plan.filters, 3, *second, groups=groups, name=f"{plan.name}_b")
    return last(x, plan.outputs, 1, name=f"{plan.name}_c")


def shortcut(x, inner, plan: BlockPlan, project, row: Architecture, kit):
    """Identity where shapes agree; elsewhere option A, B or C of Sec. 3.3.

    A projection reads `inner`, what F reads too: under pre-activation, the normalized map.
    """
    name, stride = f"{plan.name}_shortcut", plan.stride
    if plan.projects:
        if stride > 1 and row.downsample == "avg":  # ResNet-D: every pixel is read
            inner = kit.AveragePooling2D(2, padding="same", name=f"{name}_pool")(inner)
            stride = 1
        return project(inner, plan.outputs, 1, stride, name=name)
    if stride > 1:
        x = kit.MaxPooling2D(1, stride, name=f"{plan.name}_subsample")(x)
    return pad_channels(x, plan.zeros, name=f"{plan.name}_zeros") if any(plan.zeros) else x


def pad_channels(x, zeros, *, name):
    """Adds all-zero channels: ZeroPadding2D with the other data format pads the channel axis."""
    if keras.config.image_data_format() == "channels_last":
        widths, data_format = ((0, 0), zeros), "channels_first"
    else:
        widths, data_format = (zeros, (0, 0)), "channels_last"
    return layers.ZeroPadding2D(widths, data_format=data_format, name=name)(x)


def conv_bn(
    x,
    filters,
    kernel,
    stride=1,
    dilation=1,
    *,
    kit,
    groups=1,
    bias=False,
    blur=False,
    normalize=True,
    activate=True,
    gamma="ones",
    name,
):
    """Convolution, then BN "right after each convolution and before activation"."""
    if stride > 1 and blur:
        x = blurred(x, kit, name=f"{name}_blur")
    if stride > 1 and kernel > 1:
        # "same" would pad an even map by (0, 1); Caffe and PyTorch weights saw (1, 1).
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = kit.Conv2D(
        filters,
        kernel,
        stride,
        "valid" if stride > 1 else "same",
        dilation_rate=dilation,
        groups=groups,
        use_bias=bias and not normalize,
        kernel_initializer=he_normal(),
        name=name,
    )(x)
    return norm(x, kit, relu=activate, gamma=gamma, name=name) if normalize else x


# "We initialize the weights as in [13]": He et al. 2015, Eqn. 14, variance 2 / fan-out.
def he_normal():
    """A new one for each layer: an initializer of Keras draws the same numbers each time."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def blurred(x, kit, *, name):
    """[1 2 1]/4 along both axes, zeros around: Zhang 2019, arXiv:1904.11486, Sec. 3.2."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = kit.AveragePooling2D(2, 1, name=f"{name}_once")(x)
    return kit.AveragePooling2D(2, 1, name=name)(x)
