"""The costs and the stages of a built model, from its own graph."""

import math
import re

import keras

from keras_resnet.graph import all_layers, calls_to, exposed, layer_calls
from keras_resnet.networks.family import Costs

TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
CONVOLUTIONS = (
    *TRANSPOSED,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)


def count(model: keras.Model, input_shape: tuple[int, ...] | None = None) -> Costs:
    """Counts parameters and multiply-adds.

    Args:
        model: any functional or Sequential model, with others inside or not.
        input_shape: one image, for a model whose sides are None or that is not built.

    Returns:
        `Costs`: `.trainable` and `.total` parameters, BN statistics being the difference of
        the two, and `.macs`, the multiply-adds of convolutions and fully connected layers for
        one image: what the paper calls FLOPs (Table 1). Bias, BN, ReLU, pooling and addition
        are not counted.

    Raises:
        ValueError: this is no model, or it has sides of unknown size and no `input_shape`
            is given.

    Example:

    >>> import keras_resnet
    >>> keras_resnet.count(keras_resnet.ResNet20())
    Costs(trainable=269722, total=271098, macs=40551040)
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a functional or Sequential Keras model. "
            f"Received: model of type {type(model).__name__}"
        )
    if input_shape is not None and not model.built:
        model = keras.models.clone_model(model)
        model.build((None, *input_shape))
    inputs = getattr(model, "inputs", []) if input_shape is None else [keras.Input(input_shape)]
    return Costs(
        trainable=sum(math.prod(v.shape) for v in model.trainable_weights),
        total=sum(math.prod(v.shape) for v in model.weights),
        macs=sum(macs(*call) for call in layer_calls(model, inputs)),
    )


KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def macs(layer, given, made) -> int:
    """Multiply-adds of one call of a layer for one image: its kernels, at each position.

    A transposed convolution applies its kernel at the positions of its input, `given`, others at
    those of their output, `made`.
    """
    if isinstance(layer, keras.Model):
        raise ValueError(
            "`model` must be made of functional and Sequential Keras models. "
            f"Received: a model with {layer.name!r}, of type {type(layer).__name__}"
        )
    if isinstance(layer, keras.layers.Dense):
        positions = made.shape[1:-1]
    elif isinstance(layer, CONVOLUTIONS):
        shape = given.shape if isinstance(layer, TRANSPOSED) else made.shape
        positions = shape[1:-1] if layer.data_format == "channels_last" else shape[2:]
    else:
        return 0
    if None in positions:
        raise ValueError(
            f"Multiply-adds depend on the size of the image, and {layer.name!r} has an output "
            f"of shape {made.shape}. Pass input_shape, for example (224, 224, 3)"
        )
    kernels = [getattr(layer, name).shape for name in KERNELS if hasattr(layer, name)]
    return sum(map(math.prod, kernels)) * math.prod(positions)


# A layer and its activation give one name; the output of the later one is taken.
ENDS = re.compile(
    r"(conv[12]|fc[1267])(?:_p?relu)?|(inception_\d[a-e]|spp)|(conv\d+)_\d+(?:_p?relu)?"
)


def endpoints(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """The outputs of conv1, conv2_x, ..., by the papers' names, for feature extraction.

    Args:
        model: a network of this package, of any options, loaded or cloned, or a functional or
            Sequential model in which one is called once, at any depth. The tensors are those of
            `model`.

    Returns:
        A dict from `"conv1"` (after BN and ReLU), `"conv2_x"`, ... to symbolic tensors: the
        last output of every stage. VGG's and PReLU-net's are their groups' and their fully
        connected layers', GoogLeNet's and BN-Inception's `"conv1"`, `"conv2"` and
        `"inception_3a"` to `"inception_5b"`.

    Raises:
        ValueError: the model has no layers of these names, or there are two such networks in it.

    Example:

    >>> import keras, keras_resnet
    >>> base = keras_resnet.ResNet20(include_top=False, input_shape=(32, 32, 3))
    >>> features = keras.Model(base.input, keras_resnet.endpoints(base))
    >>> list(features.output)
    ['conv1', 'conv2_x', 'conv3_x', 'conv4_x']
    """
    network = required_network(model)
    return exposed(calls_to(model, network), ends_of(network))


def ends_of(model) -> dict[str, keras.KerasTensor]:
    """The outputs of those of a model's own layers that the papers name."""
    ends = {}
    for layer in model.layers:
        if match := ENDS.fullmatch(layer.name):
            ends[match[1] or match[2] or f"{match[3]}_x"] = layer.output
    return ends


def network_in(model: keras.Model) -> keras.Model | None:
    """The network of this package that a model is or holds, by the names of its layers.

    Raises:
        ValueError: there are several.
    """
    models = [x for x in (model, *all_layers(model)) if isinstance(x, keras.Model)]
    found = [x for x in models if len(ends := ends_of(x)) > 1 and {"conv1", "conv1_x"} & set(ends)]
    if len(found) > 1:
        names = " and ".join(repr(network.name) for network in found)
        raise ValueError(
            f"There must be one network of keras_resnet in the model. Received: {names} in "
            f"{model.name!r}. Pass one of them"
        )
    return found[0] if found else None


def required_network(model: keras.Model) -> keras.Model:
    """The same, of a model that must be or hold one."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"`model` must be a Keras model. Received: {type(model).__name__}")
    if network := network_in(model):
        return network
    shown = ", ".join(layer.name for layer in model.layers[:5])
    raise ValueError(
        "The model must be one of keras_resnet's, with layers named conv1_relu, conv2_1, ..., or "
        f"hold one. Received: {model.name!r} with layers {shown}, ..."
    )
