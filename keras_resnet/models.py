"""`build`: any network of the table, with the arguments of keras.applications."""

import inspect
import os
import warnings
from dataclasses import replace
from typing import Any, Literal, Unpack

import keras

from keras_resnet.networks import options as opts
from keras_resnet.networks.assembly import Top, model_of, normalized
from keras_resnet.networks.bn_inception import bn_inception
from keras_resnet.networks.checks import check_name, checked_classes, checked_input_shape, is_flag
from keras_resnet.networks.family import network_row
from keras_resnet.networks.googlenet import googlenet
from keras_resnet.networks.paper import Architecture, one_of
from keras_resnet.networks.prelu_net import prelu_net
from keras_resnet.networks.resnet import resnet
from keras_resnet.networks.systems import System
from keras_resnet.networks.vgg import vgg
from keras_resnet.weights import Record, fetch, load_weights
from keras_resnet.weights.convert import weighted_layers
from keras_resnet.weights.find import find, has_imagenet_weights, implied
from keras_resnet.weights.matching import note_graph

# What makes the graph of a network, by the family of its row.
FAMILIES: dict[str, Any] = {
    "resnet": resnet,
    "vgg": vgg,
    "googlenet": googlenet,
    "prelu_net": prelu_net,
    "bn_inception": bn_inception,
}
POOLS = {"avg": keras.layers.GlobalAveragePooling2D, "max": keras.layers.GlobalMaxPooling2D}
# None, a name, a record or a path.
Weights = str | os.PathLike | Record | None


def build(
    network: str | Architecture | System,
    /,
    include_top: bool = True,
    weights: Weights = None,
    input_tensor: Any = None,
    input_shape: tuple[int | None, ...] | None = None,
    pooling: Literal["avg", "max"] | None = None,
    classes: int | None = None,
    classifier_activation: Any = "softmax",
    name: str | None = None,
    **options: Unpack[opts.BuildOptions],
) -> keras.Model:
    """Builds a network of the paper, or one of those its tables compare with.

    Args:
        network: a name of `list_models()`, any `"cifar_resnetN"` or `"cifar_plainN"` with
            N = 6n+2, an `Architecture` or a row of `keras_resnet.networks.systems` of your own.
        include_top: whether what follows the last map is part of the model: the global average
            pool and the fully connected layer; VGG's and PReLU-net's three layers.
        weights: `None`, random initialization as in the paper (Sec. 3.4); `"imagenet"`, the
            best public set; a set of `list_weights(network)` by name or as a record; a repository
            of the Hugging Face hub, `"hf://owner/name"`; or the path of a file that
            `load_weights` reads. A set implies `shortcut`, `stride_on`,
            `pool1`, `pool_proj` and the like. `ResNet18` to `ResNet152` and all others that
            have public weights start from `"imagenet"`.
        input_tensor: a symbolic 4-D Keras tensor to build on, instead of `input_shape`. Layers of
            yours before it keep their values where the weights are of the network alone.
        input_shape: one image in the configured data format, `(224, 224, 3)` by default for
            ImageNet networks and `(32, 32, 3)` for CIFAR. A side may be None, but not where a
            fully connected layer reads a map: VGG with its top, and auxiliary heads. Weights for
            RGB fit any number of channels: one gets the sum of the three kernels, more repeat
            them in turn, times 3 / channels.
        pooling: without top, `"avg"` or `"max"` gives 2-D features; `None` the last map.
        classes: units of the fully connected layer; 1000, or 10 for CIFAR networks. Weights for
            another number leave it as it is initialized, with a warning: it is to be trained.
        classifier_activation: of the fully connected layer; `None` returns logits.
        name: of the model.
        OPTIONS

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
    own = network_row(network)
    opts.refuse_unknown(options, own)
    pretrained = find(weights, own)
    meant = implied(pretrained, options, own, not isinstance(network, str))
    row, choices = opts.resolve(own, options, meant)
    is_flag("include_top", include_top)
    one_of("pooling", pooling, (None, "avg", "max"))
    trained = getattr(pretrained, "classes", None)
    is_given = classes is not None
    classes = checked_classes(classes if is_given else trained or row.classes)
    other_head = not include_top or (is_given and classes != trained)
    top = Top(classes, keras.activations.get(classifier_activation)) if include_top else None
    check_name(name)
    shape = image_shape(row, input_tensor, input_shape, top, choices)
    channels = shape[-1 if keras.config.image_data_format() == "channels_last" else 0]
    if choices.include_preprocessing and channels != 3:
        raise ValueError(
            f"`include_preprocessing` normalizes RGB images of 3 channels. "
            f"Received: an input of {channels} channels"
        )
    file, dialect, record = pretrained, "auto", None
    if isinstance(pretrained, Record):
        choices = replace(choices, mean=pretrained.image.mean, std=pretrained.image.std)
        file, dialect, record = fetch(pretrained), pretrained.dialect, pretrained
    image = keras.Input(shape, name="image") if input_tensor is None else input_tensor
    name = name or (network if isinstance(network, str) else row.name)
    x = FAMILIES[row.family](normalized(image, choices), row, choices, top)
    if top is None and pooling:
        x = POOLS[pooling](name="pool")(x)
    model = model_of(image, x, choices, name)
    note_graph(model, network, row, choices, classes if include_top else None, record)
    if file is not None:
        left = layers_before(image, model) + ["fc"] * other_head
        skipped = load_weights(model, file, dialect, left, list(options), channels != 3)
        if "fc" in skipped and include_top:
            warnings.warn(f"A new layer fc of {classes} classes starts at random", stacklevel=2)
    return model


def layers_before(image: Any, model: keras.Model) -> list[str]:
    """The layers with weights through which a tensor of the user's comes, as files name them."""
    before = keras.Model(keras.utils.get_source_inputs(image), image)
    theirs = {id(layer) for layer in weighted_layers(before).values()}
    return [name for name, layer in weighted_layers(model).items() if id(layer) in theirs]


def default_weights(network: str) -> str | None:
    """What the builder of a network starts from where nothing is said."""
    return "imagenet" if has_imagenet_weights(network) else None


def image_shape(row, input_tensor, input_shape, top, choices) -> tuple[int | None, ...]:
    """The shape of the image that the network starts from, checked."""
    how = (top is not None, keras.config.image_data_format(), choices.auxiliary and top is not None)
    if input_tensor is None:
        return checked_input_shape(row, input_shape, *how)
    if not keras.utils.is_keras_tensor(input_tensor):
        raise ValueError(
            "`input_tensor` must be a symbolic Keras tensor, as keras.Input returns. "
            f"Received: input_tensor of type {type(input_tensor).__name__}"
        )
    shape = tuple(input_tensor.shape[1:])
    checked_input_shape(row, shape, *how)
    if input_shape is not None and tuple(input_shape) != shape:
        raise ValueError(
            f"`input_shape` must agree with `input_tensor`, whose images are {shape}. "
            f"Received: input_shape={input_shape!r}"
        )
    return shape


# The help and the signature of `build` list what its table of options has.
HELP = inspect.cleandoc(build.__doc__ or "")
build.__doc__ = HELP.replace("    OPTIONS", opts.described())
SIGNATURE = inspect.signature(build)
build.__signature__ = SIGNATURE.replace(  # type: ignore[attr-defined]
    parameters=[*list(SIGNATURE.parameters.values())[:-1], *opts.parameters()]
)
