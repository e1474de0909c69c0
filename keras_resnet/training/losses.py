"""Losses that Keras does not have: of integer labels, smoothed; of each class by itself.

For one-hot or mixed labels with softmax Keras has `CategoricalCrossentropy(from_logits=True,
label_smoothing=)`.
"""

import keras
from keras import ops

from keras_resnet.files.arguments import checked


@keras.saving.register_keras_serializable("keras_resnet")
class SparseCategoricalCrossentropy(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of integer labels that are smoothed: Keras smooths one-hot labels only.

    Args:
        label_smoothing: from 0 to below 1: this much of each label is spread over all classes,
            its own included (Szegedy et al., arXiv:1512.00567, Sec. 7).
        from_logits: whether the model gives logits, and not probabilities.
        reduction, name, dtype: of `keras.losses.Loss`.

    Call with integer labels (batch,) or (batch, 1), and predictions (batch, classes).

    Example:

    >>> loss = SparseCategoricalCrossentropy(label_smoothing=0.1)
    >>> round(float(loss([1], [[0.0, 2.0]])), 4)
    0.2269
    """

    @checked()
    def __init__(
        self,
        label_smoothing=0.0,
        from_logits=True,
        reduction="sum_over_batch_size",
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        smoothing = checked_smoothing(label_smoothing)
        super().__init__(from_logits, smoothing, reduction=reduction, name=name, dtype=dtype)

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        return super().call(one_hot(y_true, y_pred), y_pred)

    def get_config(self):
        return {name: value for name, value in super().get_config().items() if name != "axis"}


@keras.saving.register_keras_serializable("keras_resnet")
class BinaryCrossentropy(keras.losses.Loss):
    """Each class by itself: is it in the image? With mixup, two classes are.

    As in "ResNet strikes back" (Wightman et al., arXiv:2110.00476, Sec. 2.2), by logits; the
    mean is of all classes of all images.

    Args:
        label_smoothing: from 0 to below 1: labels become `(1 - s) y + s / classes`, as
            timm has it; Keras' own BinaryCrossentropy smooths towards 1/2.
        threshold: labels above it become 1 and others 0, after smoothing: "both are present",
            however they are mixed; None leaves mixed labels.
        reduction, name, dtype: of `keras.losses.Loss`.

    Call with integer labels (batch,), or one-hot or mixed ones (batch, classes), and logits
    (batch, classes).

    Example:

    >>> loss = BinaryCrossentropy(threshold=0.2)
    >>> round(float(loss([[0.7, 0.3, 0.0]], [[4.0, 4.0, -4.0]])), 4)
    0.0181
    """

    @checked()
    def __init__(
        self,
        label_smoothing=0.0,
        threshold=None,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if threshold is not None and not 0 <= threshold < 1:
            raise ValueError(
                f"`threshold` must be from 0 to below 1, or None. Received: threshold={threshold}"
            )
        self.label_smoothing = checked_smoothing(label_smoothing)
        self.threshold = threshold

    def call(self, y_true, y_pred):
        y_pred = ops.convert_to_tensor(y_pred)
        y_true = targets = ops.convert_to_tensor(y_true)
        if len(y_true.shape) < 2 or (y_true.shape[-1] == 1 and y_pred.shape[-1] != 1):
            targets = one_hot(y_true, y_pred)
        if self.label_smoothing:
            spread = self.label_smoothing / y_pred.shape[-1]
            targets = targets * (1 - self.label_smoothing) + spread
        if self.threshold is not None:
            targets = ops.cast(targets > self.threshold, y_pred.dtype)
        return keras.losses.binary_crossentropy(targets, y_pred, from_logits=True)

    def get_config(self):
        return super().get_config() | {
            "label_smoothing": self.label_smoothing,
            "threshold": self.threshold,
        }


def one_hot(labels, predictions):
    labels = ops.cast(ops.reshape(labels, (-1,)), "int32")
    return ops.one_hot(labels, predictions.shape[-1], dtype=predictions.dtype)


def checked_smoothing(label_smoothing):
    if not 0 <= label_smoothing < 1:
        raise ValueError(
            "`label_smoothing` must be from 0 to below 1. "
            f"Received: label_smoothing={label_smoothing}"
        )
    return label_smoothing
