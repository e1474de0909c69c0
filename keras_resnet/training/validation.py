"""Loss and error over a whole data set, in which every image counts once."""

import math
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.data.ranking import ranks
from keras_resnet.layers.finite import where_not_finite
from keras_resnet.training.distribution import Distribution, active, engine
from keras_resnet.training.watch import NonFiniteLossError

Rows = Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]
SMALLEST = float(np.finfo("float32").tiny)  # a probability below it is taken as this
_predictors: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


@checked(batch_size=(1, math.inf))
def evaluate(
    model: keras.Model,
    data: Any,
    *,
    batch_size: int = 256,
    from_logits: bool | None = None,
    mirrored: bool = False,
    distribution: Distribution | None = None,
) -> dict[str, float]:
    """Cross-entropy, top-1 and top-5 error over all of `data`.

    Every image counts exactly once, whatever the size of a batch, the number of devices and
    however unevenly the images divide among processes. Processes work without waiting for one
    another and add up at the end; where one fails, all raise. The model is only read.

    Args:
        model: built, from images to probabilities or logits (batch, classes).
        data: arrays `(images, labels)`, in every process all of them, the labels integers (n,)
            or one-hot (n, classes); or an `EvaluationBatches` of `keras_resnet.data`, or anything
            else whose `batches()` yields (images, labels, weights), a weight being 1, or 0 for
            what only fills up a batch. It is divided among the processes here.
        batch_size: images at a time in each process, for arrays.
        from_logits: whether the model gives logits. By default, whether it does not end in a
            softmax.
        mirrored: whether the model also sees each image flipped left to right, and its outputs,
            logits or probabilities, are averaged over the two. It takes twice as long.
        distribution: what `distributed` returned; by default the one it returned last.

    Returns:
        `loss`, the mean cross-entropy in nats, of probabilities of at least 1.2e-38;
        `top1_error` and `top5_error` in percent, of classes that score alike the first ranking
        first, as in `argmax`; and `images`, how many were counted.

    Raises:
        ValueError: arguments that do not fit, or no image to count.
        NonFiniteLossError: an output is not finite; says where such numbers begin.
        RuntimeError: another process failed; its message is in this one's.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    >>> measured = evaluate(model, (np.eye(3, dtype="float32"), np.array([0, 1, 1])))
    >>> round(measured["top1_error"], 2), measured["top5_error"], measured["images"]
    (33.33, 0.0, 3)
    """
    distribution = distribution or active()
    if from_logits is None:
        from_logits = not ends_in_softmax(model)
    predict = both_ways(predictor_of(model)) if mirrored else predictor_of(model)
    sums = np.zeros(4)
    try:
        for images, labels, weights in rows_of(data, batch_size, distribution):
            outputs = predict(images)
            counted = measured(outputs, labels, weights, from_logits)
            check_finite(model, images, np.asarray(outputs), weights)
            sums += counted
    except Exception as error:
        distribution.raise_together(error)
        raise
    distribution.raise_together(None)
    loss, wrong, far_off, count = distribution.total(sums)
    if not count:
        raise ValueError("`data` must hold at least one image that counts. Received: none")
    return {
        "loss": float(loss / count),
        "top1_error": float(100 * wrong / count),
        "top5_error": float(100 * far_off / count),
        "images": round(count),
    }


def check_finite(model, images, outputs, weights) -> None:
    """Refuses outputs of images that count which are not finite numbers."""
    bad = ~np.isfinite(outputs).all(tuple(range(1, outputs.ndim))) & (weights > 0)
    if bad.any():
        raise NonFiniteLossError(
            f"{model.name} gave {bad.sum()} of {len(bad)} images outputs that are not finite "
            f"numbers, which begin in {where_not_finite(model, np.asarray(images)[bad][:1])}"
        )


def predictor_of(model: keras.Model):
    """The compiled inference of a model, which is kept for as long as the model."""
    if model not in _predictors:
        _predictors[model] = engine().predictor(model)
    return _predictors[model]


def both_ways(predict: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Means of the outputs for images and for their mirror images."""
    width = 2 if keras.config.image_data_format() == "channels_last" else 3

    def mean(images):
        flipped = np.ascontiguousarray(np.flip(images, width))
        return (predict(images) + predict(flipped)) / 2

    return mean


def ends_in_softmax(model: keras.Model) -> bool:
    last = model.layers[-1]
    return isinstance(last, keras.layers.Softmax) or (
        getattr(last, "activation", None) is keras.activations.softmax
    )


def rows_of(data: Any, batch_size: int, distribution: Distribution) -> Rows:
    """The part of this process, in batches (images, labels, weights)."""
    if hasattr(data, "batches"):
        return from_batches(data, distribution)
    images, labels = data
    if len(images) != len(labels):
        raise ValueError(
            "There must be a label for each image. "
            f"Received: {len(images)} images, {len(labels)} labels"
        )
    return from_arrays(np.asarray(images), np.asarray(labels), batch_size, distribution)


def from_arrays(
    images: np.ndarray, labels: np.ndarray, batch_size: int, distribution: Distribution
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batches of one shape, the last filled up with images that do not count."""
    mine = np.arange(distribution.index, len(images), distribution.count)
    for start in range(0, len(mine), batch_size):
        chosen = mine[start : start + batch_size]
        weights = (np.arange(batch_size) < len(chosen)).astype("float32")
        # Small data sets are not worth filling up to a large batch.
        if start == 0 and len(chosen) < batch_size:
            weights = weights[: len(chosen)]
        chosen = np.resize(chosen, len(weights))
        yield images[chosen], labels[chosen], weights


def from_batches(data: Any, distribution: Distribution) -> Rows:
    index, count = distribution.index, distribution.count
    if count == 1:
        return data.batches()
    if data.batch_size % count == 0:
        return data.shard(index, count).batches()
    return (tuple(part[index::count] for part in batch) for batch in data.batches())


def measured(
    outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray, from_logits: bool
) -> np.ndarray:
    """Sums over a batch: cross-entropy, not in the first, not in the first five, and images.

    >>> measured(np.array([[0.2, 0.8]]), np.array([0]), np.ones(1), False).round(3).tolist()
    [1.609, 1.0, 0.0, 1.0]
    """
    outputs, labels = np.asarray(outputs, "float64"), np.asarray(labels)
    labels = labels.argmax(-1) if labels.ndim == 2 else labels
    if outputs.ndim != 2 or len(outputs) != len(labels):
        raise ValueError(
            "The model must give (batch, classes) for images (batch, ...). "
            f"Received: outputs {outputs.shape} for {len(labels)} images"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < outputs.shape[1]:
        raise ValueError(
            f"Labels must be from 0 to {outputs.shape[1] - 1}. "
            f"Received: {labels.min()} to {labels.max()}"
        )
    score = np.take_along_axis(outputs, labels[:, None], 1)
    if from_logits:
        top = outputs.max(1, keepdims=True)
        losses = (np.log(np.exp(outputs - top).sum(1, keepdims=True)) + top - score)[:, 0]
    else:
        losses = -np.log(np.maximum(score[:, 0], SMALLEST))
    rank = ranks(outputs, labels)
    counted = [losses, rank >= 1, rank >= min(5, outputs.shape[1]), np.ones(len(labels))]
    seen = weights > 0  # a loss that is NaN must not spread from an image of weight 0
    return np.array([(column[seen] * weights[seen]).sum() for column in counted])
