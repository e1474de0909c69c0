"""Batch normalization's statistics over a large sample, instead of moving averages."""

from collections.abc import Iterable

import keras
import numpy as np

from keras_resnet.graph import hidden_layers
from keras_resnet.layers.backend import backend_part

backend = backend_part("training", "statistics")


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
    kept = [np.array(keras.ops.convert_to_numpy(v)) for v in moving]
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.momentum = 0.0  # what is left after a batch is that batch's own
        found, seen = pooled(model, layers, batches)
    except BaseException:
        for variable, value in zip(moving, kept, strict=True):
            variable.assign(value)
        raise
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for variable, value in zip(moving, found, strict=True):
        variable.assign(value.astype(variable.dtype))
    return seen


def is_moving(layer) -> bool:
    return isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and layer.built


def pooled(model, layers, batches) -> tuple[list[np.ndarray], int]:
    """Mean and variance of each layer's inputs over all batches, in turn, and images seen."""
    step = backend.statistics_of_batch(model, layers)
    size = None
    seen = 0
    sums: list[np.ndarray] = []
    for batch in batches:
        images = batch[0] if isinstance(batch, (tuple, list)) else batch
        if size is not None and tuple(images.shape[1:]) != size:
            raise ValueError(
                "All images must have one size, or some would count more than others. "
                f"Received: {tuple(images.shape[1:])} after {size}"
            )
        size, count = tuple(images.shape[1:]), images.shape[0]
        parts = []
        for mean, variance in step(images):
            mean, variance = (np.asarray(x, "float64") for x in (mean, variance))
            parts += [count * mean, count * (variance + mean**2)]
        sums = [s + p for s, p in zip(sums, parts, strict=True)] if sums else parts
        seen += count
    if not seen:
        raise ValueError("`batches` must hold at least one batch. Received: none")
    found: list[np.ndarray] = []
    for first, second in zip(sums[::2], sums[1::2], strict=True):
        mean = first / seen
        found += [mean, np.maximum(second / seen - mean**2, 0.0)]
    for layer, variance in zip(layers, found[1::2], strict=True):
        if not np.isfinite(variance).all():
            raise ValueError(f"The inputs of {layer.name} are not finite: nothing was changed")
    return found, seen
