"""Residual networks as Keras functional models, in the paper's own vocabulary.

Read bottom-up: `resnet` stacks stages, a stage repeats `residual`, a residual
block is F(x) + shortcut(x), and F is `basic` or `bottleneck` (Fig. 5).
Layers are named as the paper names them: `conv3_1` opens the stage conv3_x,
`conv3_1_a` is its first convolution, and `conv3_1` itself is the block's output.
"""

from functools import partial

import keras
from keras import layers

from keras_resnet.layers import KITS
from keras_resnet.options import Options
from keras_resnet.paper import Architecture

# "We initialize the weights as in [13]": He et al. 2015, Eqn. 14, variance 2 / fan-out.


def he_normal():
    """A new one for each layer: an initializer of Keras draws the same numbers each time."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def channel_axis() -> int:
    return 3 if keras.config.image_data_format() == "channels_last" else 1


def conv_bn(kit, x, filters, kernel, stride=1, dilation=1, *, relu=True, gamma="ones", name):
    """Convolution, then BN "right after each convolution and before activation"."""
    if stride > 1 and kernel > 1:
        # "same" would pad an even map by (0, 1); Caffe and PyTorch weights saw (1, 1).
        x = layers.ZeroPadding2D(kernel // 2, name=f"{name}_pad")(x)
    x = kit.Conv2D(
        filters,
        kernel,
        stride,
        "valid" if stride > 1 else "same",
        dilation_rate=dilation,
        use_bias=False,
        kernel_initializer=he_normal(),
        name=name,
    )(x)
    x = kit.BatchNormalization(
        channel_axis(), momentum=0.9, epsilon=1e-5, gamma_initializer=gamma, name=f"{name}_bn"
    )(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def basic(x, filters, stride, dilation, *, conv, gamma, name):
    """Fig. 5, left: two 3x3 convolutions."""
    at_stride, behind_it = dilation
    x = conv(x, filters, 3, stride, at_stride, name=f"{name}_a")
    return conv(x, filters, 3, 1, behind_it, relu=False, gamma=gamma, name=f"{name}_b")


def bottleneck(x, filters, stride, dilation, *, conv, stride_on, gamma, name):
    """Fig. 5, right: 1x1 reduces, 3x3 works, 1x1 restores four times as many."""
    at_stride, behind_it = dilation
    # MSRA's networks stride on the first 1x1 ("v1"); fb.resnet.torch on the 3x3 ("v1.5").
    a, b = ((stride, 1), (1, behind_it)) if stride_on == "1x1" else ((1, 1), (stride, at_stride))
    x = conv(x, filters, 1, *a, name=f"{name}_a")
    x = conv(x, filters, 3, *b, name=f"{name}_b")
    return conv(x, 4 * filters, 1, relu=False, gamma=gamma, name=f"{name}_c")


def shortcut(x, like, stride, *, kit, option, zero_channels, name):
    """Identity where shapes agree; elsewhere option A, B or C of Sec. 3.3."""
    channels = like.shape[channel_axis()]
    missing = channels - x.shape[channel_axis()]
    if option == "C" or (option == "B" and (stride > 1 or missing)):
        return conv_bn(kit, x, channels, 1, stride, relu=False, name=f"{name}_shortcut")
    if stride > 1:
        x = kit.MaxPooling2D(1, stride, name=f"{name}_subsample")(x)
    if missing:
        before = {"end": 0, "center": missing // 2}[zero_channels]
        x = pad_channels(x, before, missing - before, name=f"{name}_zeros")
    return x


def pad_channels(x, before, after, *, name):
    """Adds all-zero channels: ZeroPadding2D told the other data format pads the channel axis."""
    if keras.config.image_data_format() == "channels_last":
        widths, data_format = ((0, 0), (before, after)), "channels_first"
    else:
        widths, data_format = ((before, after), (0, 0)), "channels_last"
    return layers.ZeroPadding2D(widths, data_format=data_format, name=name)(x)


def residual(x, transform, connect, filters, stride, dilation, *, drop_rate, name):
    """y = F(x) + shortcut(x), then ReLU (Eqn. 1 and 2). A plain net is y = F(x)."""
    y = transform(x, filters, stride, dilation, name=name)
    if connect is not None:
        if drop_rate:
            # Stochastic depth (arXiv:1603.09382): F(x) is left out, image by image.
            drop = layers.Dropout(drop_rate, (None, 1, 1, 1), name=f"{name}_drop_path")
            y = drop(y)
        # The shortcut goes first: Keras walks a graph along first inputs, and so
        # through 2 nodes a block instead of 8.
        y = layers.Add(name=f"{name}_add")([connect(x, y, stride, name=name), y])
    return layers.ReLU(name=name)(y)


def stem(image, row: Architecture, kit, pool1):
    """conv1: 7x7/2 and a 3x3/2 max pool for ImageNet; one 3x3 for CIFAR."""
    if row.stem == "cifar":
        return conv_bn(kit, image, row.width, 3, name="conv1")
    x = conv_bn(kit, image, row.width, 7, 2, name="conv1")
    # Zeros are neutral here: x has been through a ReLU. Caffe starts its windows at the
    # first pixel and lets the last one hang over the edge.
    border = {"symmetric": 1, "caffe": ((0, 1), (0, 1))}[pool1]
    x = layers.ZeroPadding2D(border, name="pool1_pad")(x)
    return kit.MaxPooling2D(3, 2, name="pool1")(x)


def stages(x, row: Architecture, kit, options: Options):
    """conv2_x, conv3_x, ...: each halves the map and doubles the filters of the one before."""
    gamma = "zeros" if options.zero_init_residual else "ones"
    conv = partial(conv_bn, kit)
    transform = {
        "basic": partial(basic, conv=conv, gamma=gamma),
        "bottleneck": partial(bottleneck, conv=conv, stride_on=options.stride_on, gamma=gamma),
    }[row.block]
    connect = row.shortcut and partial(
        shortcut, kit=kit, option=row.shortcut, zero_channels=options.zero_channels
    )
    # Stochastic depth's "linear decay rule": the deeper the block, the likelier it is dropped.
    drop_rates = [options.drop_path_rate * n / sum(row.blocks) for n in range(sum(row.blocks) + 1)]
    total_stride, dilation, done = row.stem_stride, 1, 0
    for stage, blocks in enumerate(row.blocks, start=2):
        filters = row.width * 2 ** (stage - 2)
        for block in range(1, blocks + 1):
            # "Downsampling is performed by conv3_1, conv4_1, and conv5_1."
            stride = 2 if block == 1 and stage > 2 else 1
            before = dilation
            if total_stride * stride > options.output_stride:
                stride, dilation = 1, dilation * 2
            total_stride, done = total_stride * stride, done + 1
            x = residual(
                x,
                transform,
                connect,
                filters,
                stride,
                (before, dilation),
                drop_rate=drop_rates[done],
                name=f"conv{stage}_{block}",
            )
    return x


def head(x, classes, activation):
    """Global average pooling and a fully connected layer, in float32 at least."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    dtype = "float32" if half else None
    return layers.Dense(classes, activation, dtype=dtype, name="fc")(x)


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
    x, kit = image, KITS[options.layers]
    if options.include_preprocessing:
        variance = [std**2 for std in options.std]
        x = layers.Normalization(channel_axis(), options.mean, variance, name="preprocessing")(x)
    x = stages(stem(x, row, kit, options.pool1), row, kit, options)
    if include_top:
        x = head(x, classes, classifier_activation)
    elif pooling == "avg":
        x = layers.GlobalAveragePooling2D(name="pool")(x)
    elif pooling == "max":
        x = layers.GlobalMaxPooling2D(name="pool")(x)
    sources = keras.utils.get_source_inputs(image)
    return kit.Model(sources[0] if len(sources) == 1 else sources, x, name=name)
