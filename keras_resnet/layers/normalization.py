"""Batch normalization in one kernel."""

import keras

from keras_resnet.layers import kernels, replicas
from keras_resnet.layers.stock import scale_and_offset, value_of


@keras.saving.register_keras_serializable("keras_resnet")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, with the active backend's fused kernel.

    Arguments, variables, shapes, config and results are those of
    `keras.layers.BatchNormalization`, the biased moving variance included. Masks, batch
    renormalization, `synchronized=True` and maps that are not 4-D run Keras' own code.

    Example:

    >>> BatchNormalization(epsilon=1e-5)(keras.Input((32, 32, 8))).shape
    (None, 32, 32, 8)
    """

    def call(self, inputs, training=None, mask=None):
        axis = self.axis % len(inputs.shape)
        if mask is not None or not is_plain(self) or not fits(inputs, axis, self.compute_dtype):
            return super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            normalize_batch = kernels.active.normalize_batch
            if replicas.sum_over_replicas is not None:
                normalize_batch = kernels.active.normalize_together
            outputs, mean, variance = normalize_batch(
                inputs, *scale_and_offset(self), axis, self.epsilon
            )
            self.update_statistics(mean, variance)
            return outputs
        return kernels.active.normalize(
            inputs,
            self.moving_mean,
            self.moving_variance,
            *scale_and_offset(self),
            axis,
            self.epsilon,
        )

    def update_statistics(self, mean, variance):
        """Moves the moving statistics towards those of a batch."""
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            batch = keras.ops.cast(batch, moving.dtype)
            # Of tensors: Keras would send its variable's device each number as a tensor.
            moving.assign(value_of(moving) * self.momentum + batch * (1.0 - self.momentum))


def is_plain(norm) -> bool:
    """Whether the kernels know all that a layer was asked to do."""
    return not (getattr(norm, "renorm", False) or norm.synchronized)  # renorm: Keras 3.14


def fits(inputs, axis: int, compute_dtype: str) -> bool:
    """Whether the backend's kernels take such a map."""
    return (
        len(inputs.shape) == 4
        and axis in (1, 3)
        and keras.backend.standardize_dtype(inputs.dtype) == compute_dtype
        and kernels.active.can_normalize(inputs, axis)
    )
