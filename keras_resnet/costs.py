"""The costs of a built model, from its own graph."""

import math
from collections.abc import Sequence

import keras

from keras_resnet.graph import layer_calls
from keras_resnet.networks.family import Costs
from keras_resnet.networks.paper import is_count

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


def count(model: keras.Model, input_shape: Sequence[int] | None = None) -> Costs:
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
    shape = input_shape if isinstance(input_shape, list | tuple) else [input_shape]
    if input_shape is not None and not all(map(is_count, shape)):
        raise ValueError(
            "`input_shape` must be positive integers, such as (224, 224, 3). "
            f"Received: input_shape={input_shape!r}"
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
