"""Batch normalization's statistics over a large sample, instead of moving averages."""

from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from keras_resnet.files.arguments import checked
from keras_resnet.graph import hidden_layers


@checked()
def recompute_batch_norm(model: keras.Model, batches: Iterable) -> int:
    """Replaces every moving mean and variance by that of a large sample of training images.

    "The mean and variance of BN are computed (strictly average, not moving average) on a
    sufficiently large training batch after the training procedure": so the authors describe
    their released models (https://github.com/KaimingHe/deep-residual-networks, disclaimer 5).
    Whether they went layer after layer they do not say. Here all layers are done at once: the
    network runs as in training, each batch normalized by its own statistics, and those of all
    batches are pooled: the mean of means; the mean of variances plus the variance of means.
    That is the mean and the biased variance of all values a layer was given. Wu and Johnson
    (arXiv:2105.07576, Sec. 3) find no gain from going layer after layer.

    Use it after training, after weights were averaged (SWA), and before a model is measured.
    No weight changes. Layers such as dropout act as in training.

    Args:
        model: built. Frozen batch normalizations stay as they are.
        batches: of training images (batch, height, width, channels), preprocessed and
            augmented as in training; or tuples that begin with them. A few thousand images
            are enough; the larger a batch the better, and 1 is too few. All must have the
            same height and width.

    Returns:
        How many images were seen.

    Raises:
        ValueError: there is no batch; images of other sizes; a statistic is not finite; or a
            layer uses batch renormalization. The old statistics are kept then.

    Example:

    >>> import keras_resnet
    >>> model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3))
    >>> recompute_batch_norm(model, [np.ones((4, 8, 8, 3)), np.zeros((4, 8, 8, 3))])
    8
    """
    layers = [x for x in hidden_layers(model) if is_moving(x)]
    for layer in layers:
        if layer.renorm:
            raise ValueError(
                "Batch renormalization has statistics of its own, which this cannot compute. "
                f"Received: a layer {layer.name} with renorm=True"
            )
    moving = [v for layer in layers for v in (layer.moving_mean, layer.moving_variance)]
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.momentum = 0.0  # what is left after a batch is that batch's own
        statistics, seen = pooled(model, moving, batches)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for layer, variance in zip(layers, statistics[1::2], strict=True):
        if not np.isfinite(variance).all():
            raise ValueError(f"The inputs of {layer.name} are not finite: nothing was changed")
    for variable, value in zip(moving, statistics, strict=True):
        variable.assign(value)
    return seen


def is_moving(layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and layer.built


def pooled(model, moving, batches) -> tuple[list[np.ndarray], int]:
    """Mean and variance of each layer's inputs over all batches, in turn, and images seen."""
    trained = [ops.stop_gradient(variable.value) for variable in model.trainable_variables]
    others = model.non_trainable_variables
    places = [next(n for n, v in enumerate(others) if v is variable) for variable in moving]
    state = [variable.value for variable in others]
    for place in places:  # 0 times what is not finite would not be 0
        state[place] = ops.zeros_like(state[place])
    size, seen, sums = None, 0, [np.zeros(1)] * len(moving)
    for batch in batches:
        images = batch[0] if isinstance(batch, (tuple, list)) else batch
        if size is not None and tuple(images.shape[1:]) != size:
            raise ValueError(
                "All images must have one size, or some would count more than others. "
                f"Received: {tuple(images.shape[1:])} after {size}"
            )
        size, count = tuple(images.shape[1:]), images.shape[0]
        images = ops.convert_to_tensor(images)
        _, state = model.stateless_call(trained, state, images, training=True)
        found = [ops.convert_to_numpy(state[place]).astype("float64") for place in places]
        found[1::2] = [v + mean**2 for mean, v in zip(found[::2], found[1::2], strict=True)]
        sums = [total + count * x for total, x in zip(sums, found, strict=True)]
        seen += count
    if not seen:
        raise ValueError("`batches` must hold at least one batch. Received: none")
    statistics = [total / seen for total in sums]
    for mean, square in zip(statistics[::2], statistics[1::2], strict=True):
        square[:] = np.maximum(square - mean**2, 0.0)
    return statistics, seen
