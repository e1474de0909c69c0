"""Residual networks as Keras functional models, in the paper's own vocabulary.

Read bottom-up: `resnet` stacks stages, a stage repeats `residual`, a residual
block is F(x) + shortcut(x), and F is `basic` or `bottleneck` (Fig. 5).
Layers are named as the paper names them: `conv3_1` opens the stage conv3_x,
`conv3_1_a` is its first convolution, and `conv3_1` itself is the block's output.
"""

from functools import partial

import keras
from keras import layers

from keras_resnet.networks.assembly import KITS, channel_axis, classifier, connect
from keras_resnet.networks.options import Options
from keras_resnet.networks.paper import Architecture

# "We initialize the weights as in [13]": He et al. 2015, Eqn. 14, variance 2 / fan-out.


def he_normal():
    """A new one for each layer: an initializer of Keras draws the same numbers each time."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def convolution(kit, x, filters, kernel, stride=1, dilation=1, *, bias=False, blur=False, name):
    if stride > 1 and blur:
        x = blurred(x, name=f"{name}_blur")
    if stride > 1 and kernel > 1:
        # "same" would pad an even map by (0, 1); Caffe and PyTorch weights saw (1, 1).
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    return kit.Conv2D(
        filters,
        kernel,
        stride,
        "valid" if stride > 1 else "same",
        dilation_rate=dilation,
        use_bias=bias,
        kernel_initializer=he_normal(),
        name=name,
    )(x)


def blurred(x, *, name):
    """[1 2 1]/4 along both axes, zeros around: Zhang 2019, arXiv:1904.11486, Sec. 3.2."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = layers.AveragePooling2D(2, 1, name=f"{name}_once")(x)
    return layers.AveragePooling2D(2, 1, name=name)(x)


def norm(kit, x, *, relu=True, gamma="ones", name):
    """Batch normalization and ReLU."""
    x = kit.BatchNormalization(
        channel_axis(), momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=f"{name}_bn"
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def conv_bn(
    kit, x, filters, kernel, stride=1, dilation=1, *, relu=True, gamma="ones", blur=False, name
):
    """Convolution, then BN "right after each convolution and before activation"."""
    x = convolution(kit, x, filters, kernel, stride, dilation, blur=blur, name=name)
    return norm(kit, x, relu=relu, gamma=gamma, name=name)


def basic(x, filters, stride, dilation, *, conv, last, name):
    """Fig. 5, left: two 3x3 convolutions."""
    at_stride, behind_it = dilation
    x = conv(x, filters, 3, stride, at_stride, name=f"{name}_a")
    return last(x, filters, 3, 1, behind_it, name=f"{name}_b")


def bottleneck(x, filters, stride, dilation, *, conv, last, stride_on, name):
    """Fig. 5, right: 1x1 reduces, 3x3 works, 1x1 restores four times as many."""
    at_stride, behind_it = dilation
    # MSRA's networks stride on the first 1x1 ("v1"); fb.resnet.torch on the 3x3 ("v1.5").
    a, b = ((stride, 1), (1, behind_it)) if stride_on == "1x1" else ((1, 1), (stride, at_stride))
    x = conv(x, filters, 1, *a, name=f"{name}_a")
    x = conv(x, filters, 3, *b, name=f"{name}_b")
    return last(x, 4 * filters, 1, name=f"{name}_c")


def shortcut(x, inner, like, stride, *, kit, row, options, project, name):
    """Identity where shapes agree; elsewhere option A, B or C of Sec. 3.3.

    A projection reads `inner`, what F reads too: under pre-activation, the normalised map.
    """
    channels = like.shape[channel_axis()]
    missing = channels - x.shape[channel_axis()]
    changes = missing or (stride > 1 and not at_end(row))
    if row.shortcut == "C" or (row.shortcut == "B" and changes):
        if stride > 1 and options.downsample == "avg":  # ResNet-D: no pixel goes unread
            inner = layers.AveragePooling2D(2, padding="same", name=f"{name}_shortcut_pool")(inner)
            stride = 1
        return project(inner, channels, 1, stride, name=f"{name}_shortcut")
    if stride > 1:
        x = kit.MaxPooling2D(1, stride, name=f"{name}_subsample")(x)
    if missing:
        before = {"end": 0, "center": missing // 2}[options.zero_channels]
        x = pad_channels(x, before, missing - before, name=f"{name}_zeros")
    return x


def pad_channels(x, before, after, *, name):
    """Adds all-zero channels: ZeroPadding2D told the other data format pads the channel axis."""
    if keras.config.image_data_format() == "channels_last":
        widths, data_format = ((0, 0), (before, after)), "channels_first"
    else:
        widths, data_format = ((before, after), (0, 0)), "channels_last"
    return layers.ZeroPadding2D(widths, data_format=data_format, name=name)(x)


def residual(x, normalize, transform, connect, filters, stride, dilation, *, drop_rate, name):
    """y = F(x) + shortcut(x), then ReLU (Eqn. 1 and 2). A plain net is y = F(x).

    Under pre-activation F reads a normalised x, and nothing follows the addition.
    """
    preactivated = normalize is not None
    inner = normalize(x, name=f"{name}_preact") if preactivated else x
    y = transform(inner, filters, stride, dilation, name=name)
    if connect is not None:
        if drop_rate:
            # Stochastic depth (arXiv:1603.09382): F(x) is left out, image by image.
            drop = layers.Dropout(drop_rate, (None, 1, 1, 1), name=f"{name}_drop_path")
            y = drop(y)
        # The shortcut goes first: Keras walks a graph along first inputs, and so
        # through 2 nodes a block instead of 8.
        add = layers.Add(name=name if preactivated else f"{name}_add")
        y = add([connect(x, inner, y, stride, name=name), y])
    return y if preactivated else layers.ReLU(name=name)(y)


def stem(image, row: Architecture, kit, options: Options):
    """conv1: 7x7/2, or three 3x3, and a 3x3/2 max pool for ImageNet; one 3x3 for CIFAR."""
    bare = options.first_norm == "conv2_1"
    bias = row.order == "v2"
    conv1 = partial(convolution, kit, bias=bias) if bare else partial(conv_bn, kit)
    if row.stem == "cifar":
        return conv1(image, row.width, 3, name="conv1")
    if row.stem == "deep":
        x = conv_bn(kit, image, row.width // 2, 3, 2, name="conv1_a")
        x = conv_bn(kit, x, row.width // 2, 3, name="conv1_b")
        x = conv1(x, row.width, 3, name="conv1")
    else:
        x = conv1(image, row.width, 7, 2, name="conv1")
    if bare and row.order != "v2":
        # Not through a ReLU yet: what lies outside must not count. At stride 1, "same" pads
        # both sides alike, and keeps it out.
        x = kit.MaxPooling2D(3, 1, "same", name="pool1_windows")(x)
        return kit.MaxPooling2D(1, 2, name="pool1")(x)
    # Zeros are neutral here: x has been through a ReLU. Caffe starts its windows at the
    # first pixel and lets the last one hang over the edge.
    border = {"symmetric": 1, "caffe": ((0, 1), (0, 1))}[options.pool1]
    x = layers.ZeroPadding2D(border, name="pool1_pad")(x)
    return kit.MaxPooling2D(3, 2, name="pool1")(x)


def at_end(row: Architecture) -> bool:
    """Whether the last block of a stage downsamples, and not the first of the next."""
    return row.order == "v2"


def parts(row: Architecture, kit, options: Options):
    """The functions a block is made of: normalization before it, F, and the shortcut."""
    bare = partial(convolution, kit, bias=row.order == "v2", blur=options.blur_pool)
    conv = partial(conv_bn, kit, blur=options.blur_pool)
    gamma = "zeros" if options.zero_init_residual else "ones"
    normalised = partial(conv, relu=False)
    last = bare if row.preactivated else partial(normalised, gamma=gamma)
    transform = {
        "basic": partial(basic, conv=conv, last=last),
        "bottleneck": partial(bottleneck, conv=conv, last=last, stride_on=options.stride_on),
    }[row.block]
    project = bare if row.preactivated else normalised
    connect = row.shortcut and partial(shortcut, kit=kit, row=row, options=options, project=project)
    return (partial(norm, kit) if row.preactivated else None), transform, connect


def as_it_is(x, *, name):
    """In place of a block's normalization where the stem has normalised already."""
    return x


def stages(x, row: Architecture, kit, options: Options):
    """conv2_x, conv3_x, ...: each halves the map and doubles the filters of the one before."""
    normalize, transform, connect = parts(row, kit, options)
    # Stochastic depth's "linear decay rule": the deeper the block, the likelier it is dropped.
    drop_rates = [options.drop_path_rate * n / sum(row.blocks) for n in range(sum(row.blocks) + 1)]
    total_stride, dilation, done = row.stem_stride, 1, 0
    for stage, blocks in enumerate(row.blocks, start=2):
        filters = row.width * 2 ** (stage - 2)
        for block in range(1, blocks + 1):
            # "Downsampling is performed by conv3_1, conv4_1, and conv5_1."
            strided = block == 1 and stage > 2
            if at_end(row):
                strided = block == blocks and stage <= len(row.blocks)
            stride = 2 if strided else 1
            before = dilation
            if total_stride * stride > options.output_stride:
                stride, dilation = 1, dilation * 2
            total_stride, done = total_stride * stride, done + 1
            first = normalize and done == 1 and options.first_norm == "conv1"
            x = residual(
                x,
                as_it_is if first else normalize,
                transform,
                connect,
                filters,
                stride,
                (before, dilation),
                drop_rate=drop_rates[done],
                name=f"conv{stage}_{block}",
            )
    return norm(kit, x, name="post") if normalize else x


def head(x, classes, activation):
    """Global average pooling and a fully connected layer."""
    return classifier(layers.GlobalAveragePooling2D(name="pool")(x), classes, activation)


def resnet(
    row: Architecture,
    options: Options,
    image,
    *,
    include_top: bool = True,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation="softmax",
    name: str | None = None,
) -> keras.Model:
    """Connects a network of the paper to `image`, a symbolic 4-D tensor.

    `row` says what it is and `options` what it may vary; `keras_resnet.build` makes both
    from what a user asks for, and documents the other arguments.
    """
    kit = KITS[options.layers]

    def body(x):
        return stages(stem(x, row, kit, options), row, kit, options)

    top = partial(head, classes=classes, activation=classifier_activation)
    return connect(image, body, top, options, include_top=include_top, pooling=pooling, name=name)
