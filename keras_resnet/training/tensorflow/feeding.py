"""What `model.fit` reads on TensorFlow: the pipeline's own dataset, where there is one."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def feed(data: Any, start: int, stop: int) -> Iterable:
    return dataset_of(data, start, stop) if hasattr(data, "dataset") else data.batches(start, stop)


def dataset_of(data: Any, start: int, stop: int) -> tf.data.Dataset:
    """The batches as a tf.data.Dataset, which may be read more than once."""
    if hasattr(data, "dataset"):
        # Keras would fix the size of all images by the first, and sizes may rise.
        signature = data.dataset(start, start + 1).element_spec
    else:
        first = next(iter(data.batches(start, start + 1)))
        signature = tuple(tf.TensorSpec(part.shape, part.dtype) for part in first)
    return tf.data.Dataset.from_generator(
        lambda: data.batches(start, stop), output_signature=signature
    )
