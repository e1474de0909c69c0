"""What a built model is and costs, read off its own graph so that it cannot drift."""

import math
import re

import keras

from keras_resnet.networks.family import Costs


def check_model(model) -> None:
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a functional or Sequential Keras model. "
            f"Received: model of type {type(model).__name__}"
        )


def leaves(model):
    """The layers of a model, those of nested models included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaves(layer)
        else:
            yield layer


def count(model: keras.Model, input_shape: tuple[int, ...] | None = None) -> Costs:
    """Counts parameters and multiply-adds.

    Args:
        model: any functional or Sequential model.
        input_shape: one image, for a model whose sides are None.

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
    check_model(model)
    if input_shape is not None:
        model = keras.models.clone_model(model, input_tensors=keras.Input(input_shape))
    return Costs(
        trainable=sum(math.prod(v.shape) for v in model.trainable_weights),
        total=sum(math.prod(v.shape) for v in model.weights),
        macs=sum(macs(layer) for layer in leaves(model)),
    )


def macs(layer) -> int:
    """Multiply-adds of one layer for one image."""
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
        return 0
    last = layer.data_format == "channels_last"
    sides = layer.output.shape[1:3] if last else layer.output.shape[2:4]
    if None in sides:
        raise ValueError(
            f"Multiply-adds depend on the size of the image, and {layer.name!r} has an output "
            f"of shape {layer.output.shape}. Pass input_shape, for example (224, 224, 3)"
        )
    return math.prod(layer.kernel.shape) * math.prod(sides)


# A layer and its activation give one name: the later of the two stands.
ENDS = re.compile(
    r"(conv[12]|fc[1267])(?:_p?relu)?|(inception_\d[a-e]|spp)|(conv\d+)_\d+(?:_p?relu)?"
)


def endpoints(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """The outputs of conv1, conv2_x, ..., by the papers' names, for feature extraction.

    Args:
        model: a network of this package, of any options, loaded or cloned.

    Returns:
        A dict from `"conv1"` (after BN and ReLU), `"conv2_x"`, ... to symbolic tensors: the
        last output of every stage. VGG's and PReLU-net's are their groups' and their fully
        connected layers', GoogLeNet's and BN-Inception's `"conv1"`, `"conv2"` and
        `"inception_3a"` to `"inception_5b"`.

    Raises:
        ValueError: the model has no layers of these names.

    Example:

    >>> import keras, keras_resnet
    >>> base = keras_resnet.ResNet20(include_top=False, input_shape=(32, 32, 3))
    >>> features = keras.Model(base.input, keras_resnet.endpoints(base))
    >>> list(features.output)
    ['conv1', 'conv2_x', 'conv3_x', 'conv4_x']
    """
    check_model(model)
    ends = {}
    for layer in model.layers:
        if match := ENDS.fullmatch(layer.name):
            ends[match[1] or match[2] or f"{match[3]}_x"] = layer.output
    if not ends:
        shown = ", ".join(layer.name for layer in model.layers[:5])
        raise ValueError(
            "The model must be one of keras_resnet's, with layers named conv1_relu, conv2_1, ... "
            f"Received: {model.name!r} with layers {shown}, ..."
        )
    return ends


def measured(model: keras.Model) -> dict[str, int]:
    """The counts of a model, as `family.json` holds them."""
    costs = count(model)
    return {"trainable": costs.trainable, "total": costs.total, "macs": costs.macs}
