"""`build`: any network of the table, with the arguments of keras.applications."""

import os
from dataclasses import replace
from typing import Any

import keras

from keras_resnet.graph import deep_graph
from keras_resnet.networks import options as opts
from keras_resnet.networks.bn_inception import bn_inception
from keras_resnet.networks.checks import check_name, checked_classes, checked_input_shape, is_flag
from keras_resnet.networks.googlenet import googlenet
from keras_resnet.networks.options import (
    Bins,
    Conv1,
    Downsample,
    FirstNorm,
    Layers,
    Pool1,
    Pooling,
    PoolProj,
    StrideOn,
    ZeroChannels,
)
from keras_resnet.networks.paper import Architecture, Shortcut, Stem, one_of
from keras_resnet.networks.prelu_net import prelu_net
from keras_resnet.networks.resnet import resnet
from keras_resnet.networks.systems import System, network_row
from keras_resnet.networks.vgg import vgg
from keras_resnet.weights import Record, fetch, load_weights
from keras_resnet.weights.find import (
    check_head_and_channels,
    find,
    implied,
)

# What connects a network, by the family of its row.
FAMILIES = {
    "resnet": resnet,
    "vgg": vgg,
    "googlenet": googlenet,
    "prelu_net": prelu_net,
    "bn_inception": bn_inception,
}
# None, a name, a record or a path.
Weights = str | os.PathLike | Record | None


def build(
    network: str | Architecture | System,
    /,
    include_top: bool = True,
    weights: Weights = None,
    input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None,
    pooling: Pooling | None = None,
    classes: int | None = None,
    classifier_activation: Any = "softmax",
    name: str | None = None,
    *,
    shortcut: Shortcut | None = None,
    stride_on: StrideOn | None = None,
    pool1: Pool1 | None = None,
    zero_channels: ZeroChannels | None = None,
    stem: Stem | None = None,
    downsample: Downsample | None = None,
    first_norm: FirstNorm | None = None,
    blur_pool: bool = False,
    zero_init_residual: bool = False,
    output_stride: int | None = None,
    drop_path_rate: float = 0.0,
    auxiliary: bool = False,
    pool_proj: PoolProj | None = None,
    conv1: Conv1 | None = None,
    spp: Bins | None = None,
    include_preprocessing: bool = False,
    layers: Layers = "fast",
    **unknown: Any,
) -> keras.Model:
    """Builds a network of the paper, or one of those its tables compare with.

    Args:
        network: a name of `list_models()`, any `"cifar_resnetN"` or `"cifar_plainN"` with
            N = 6n+2, an `Architecture` or a row of `keras_resnet.networks.systems` of your own.
        include_top: whether what follows the last map is part of the model: the global average
            pool and the fully connected layer; VGG's and PReLU-net's three layers.
        weights: `None`, random initialization as in the paper (Sec. 3.4); `"imagenet"`, the
            best public set; a set of `list_weights(network)` by name or as a record; or the
            path of a file that `load_weights` reads. A set implies `shortcut`, `stride_on`,
            `pool1`, `pool_proj` and the like. `ResNet18` to `ResNet152` and all others that
            have public weights start from `"imagenet"`.
        input_tensor: a symbolic 4-D Keras tensor to build on, instead of `input_shape`.
        input_shape: one image in the configured data format, `(224, 224, 3)` by default for
            ImageNet networks and `(32, 32, 3)` for CIFAR. A side may be None, but not where a
            fully connected layer reads a map: VGG with its top, and auxiliary heads.
        pooling: without top, `"avg"` or `"max"` gives 2-D features; `None` the last map.
        classes: units of the fully connected layer; 1000, or 10 for CIFAR networks.
        classifier_activation: of the fully connected layer; `None` returns logits.
        name: of the model.
        shortcut: option `"A"`, `"B"` or `"C"` of Sec. 3.3. Default: B for ImageNet, A for CIFAR.
        stride_on: the convolution of a bottleneck that downsamples: `"1x1"`, the paper ("v1"),
            or `"3x3"` ("v1.5", fb.resnet.torch and torchvision).
        pool1: `"symmetric"` pads the first max pool on all sides; `"caffe"` as the released
            Caffe models, on the bottom and the right only.
        zero_channels: where option A adds its zeros: `"end"` (fb.resnet.torch) or `"center"`.
        stem: `"deep"` is three 3x3 convolutions instead of the 7x7 (ResNet-C, arXiv:1812.01187).
        downsample: what halves the map in a projection: its `"conv"`, of stride 2, or an
            `"avg"` pool before it (ResNet-D).
        first_norm: where a pre-activation network for ImageNet normalises first: after
            `"conv1"` (arXiv:1603.05027), or after the max pool, in `"conv2_1"` (timm).
        blur_pool: blur what a strided convolution reads, conv1 aside (arXiv:1904.11486): the
            output moves less when the image does. The weights stay the same.
        zero_init_residual: start every block as the identity (arXiv:1706.02677, Sec. 5.1).
        output_stride: input pixels to one pixel of the last map along a side. 32, 16 or 8
            for ImageNet, 4, 2 or 1 for CIFAR; below the first, convolutions are dilated
            instead of strided, with the same weights (arXiv:1606.00915).
        drop_path_rate: probability of leaving out the last block's F(x) while training,
            growing linearly from the first (stochastic depth, arXiv:1603.09382).
        auxiliary: GoogLeNet's two training heads. The outputs are then a dict: `"fc"`, and
            `"loss1"` and `"loss2"`, whose losses count 0.3 each (Sec. 5); at inference
            `keras.Model(model.input, model.output["fc"])` does without them.
        pool_proj: filters of BN-Inception's pool projections in 4c and 4d: 96, with which its
            Figure 5 adds up, or 128, which it prints and Caffe's and PyTorch's weights have.
        conv1: of GoogLeNet and BN-Inception: `"dense"`, as the public models, or
            `"separable"`, as the first row of GoogLeNet's Table 1 counts.
        spp: how PReLU-nets cut their pyramid's bins: `"window"` (the paper's 14 x 14),
            `"proportional"`, which reads every pixel at any size, or `"caffe"`.
        include_preprocessing: take RGB images of 0 to 255 and normalise them inside, as the
            weights expect; resizing and cropping is `Preprocessing`'s.
        layers: `"fast"`, this package's own, or `"keras"`: a plain `keras.Model` of stock
            layers, whose saved file needs no keras_resnet to be loaded. Both have the same
            weights in the same order, and the same results to float rounding. Keras has no
            local response normalization and no spatial pyramid: networks with these are fast.

    Returns:
        A `keras.Model` from images (batch, height, width, channels), or (batch, channels,
        height, width) under channels_first, to probabilities (batch, classes). Outputs of
        the fully connected layer are float32 under mixed precision.

    Raises:
        ValueError: a name, value or shape that is not accepted, before any layer is made; an
            option that contradicts the weights, or a file that does not fit.
        DownloadError: the weights could not be downloaded.

    Example:

    >>> model = build("plain18", classes=7, input_shape=(64, 64, 3))
    >>> model.output.shape
    (None, 7)
    """
    opts.refuse_unknown(unknown)
    row = network_row(network)
    pretrained = find(weights, row)
    graph = {
        "shortcut": shortcut,
        "stride_on": stride_on,
        "pool1": pool1,
        "zero_channels": zero_channels,
        "stem": stem,
        "downsample": downsample,
        "first_norm": first_norm,
        "pool_proj": pool_proj,
        "conv1": conv1,
        "spp": spp,
    }
    row, options = opts.resolve_any(
        row,
        **implied(pretrained, graph, row if isinstance(network, Architecture) else None),
        blur_pool=blur_pool,
        zero_init_residual=zero_init_residual,
        output_stride=output_stride,
        drop_path_rate=drop_path_rate,
        auxiliary=auxiliary,
        include_preprocessing=include_preprocessing,
        layers=layers,
    )
    is_flag("include_top", include_top)
    one_of("pooling", pooling, (None, "avg", "max"))
    classes = checked_classes(row.classes if classes is None else classes)
    activation = keras.activations.get(classifier_activation)
    check_name(name)
    shape = image_shape(row, input_tensor, input_shape, include_top, options.auxiliary)
    channels = shape[-1 if keras.config.image_data_format() == "channels_last" else 0]
    if options.include_preprocessing and channels != 3:
        raise ValueError(
            f"`include_preprocessing` normalises RGB images of 3 channels. "
            f"Received: an input of {channels} channels"
        )
    if isinstance(pretrained, Record):
        check_head_and_channels(pretrained, include_top, classes, channels)
        options = replace(options, mean=pretrained.image.mean, std=pretrained.image.std)
    file = fetch(pretrained) if isinstance(pretrained, Record) else pretrained
    image = keras.Input(shape, name="image") if input_tensor is None else input_tensor
    connect: Any = FAMILIES[row.family]
    with deep_graph():
        model = connect(
            row,
            options,
            image,
            include_top=include_top,
            pooling=pooling,
            classes=classes,
            classifier_activation=activation,
            name=name or default_name(network, row),
        )
    if file is not None:
        dialect = pretrained.dialect if isinstance(pretrained, Record) else "auto"
        load_weights(model, file, dialect, skip_mismatch=() if include_top else "fc")
    return model


def default_name(network: str | Architecture | System, row: Any) -> str:
    if isinstance(network, str):
        return network
    if row.family != "resnet":
        return row.family
    prefix = "cifar_" if row.stem == "cifar" else ""
    prefix = "preact_" if row.order == "preactivation" else prefix
    kind = "resnet" if row.shortcut else "plain"
    return f"{prefix}{kind}{row.depth}{'v2' if row.order == 'v2' else ''}"


def image_shape(row, input_tensor, input_shape, include_top: bool, auxiliary: bool):
    """The shape of the image the network starts from, checked."""
    data_format = keras.config.image_data_format()
    if input_tensor is None:
        return checked_input_shape(
            row, input_shape, include_top, data_format, auxiliary and include_top
        )
    if not keras.utils.is_keras_tensor(input_tensor):
        raise ValueError(
            "`input_tensor` must be a symbolic Keras tensor, as keras.Input returns. "
            f"Received: input_tensor of type {type(input_tensor).__name__}"
        )
    shape = tuple(input_tensor.shape[1:])
    checked_input_shape(row, shape, include_top, data_format, auxiliary and include_top)
    if input_shape is not None and tuple(input_shape) != shape:
        raise ValueError(
            f"`input_shape` must agree with `input_tensor`, whose images are {shape}. "
            f"Received: input_shape={input_shape!r}"
        )
    return shape
