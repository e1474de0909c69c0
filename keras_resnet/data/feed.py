"""Batches on their way to the device, before the step that needs them."""

import collections
from collections.abc import Iterable, Iterator
from typing import Any

from keras_resnet.files.arguments import checked
from keras_resnet.layers.backend import backend_part


@checked()
def on_device(batches: Iterable[tuple], ahead: int = 2) -> Iterator[tuple]:
    """Moves batches to the device while earlier steps run.

    JAX's `device_put` is asynchronous, and so is torch's copy from pinned memory to CUDA on a
    stream of its own. On torch without CUDA, arrays become tensors that share their memory. On
    TensorFlow, where `tf.data` prefetches, batches are not changed.

    Args:
        batches: tuples of NumPy arrays. They are not written to.
        ahead: number of batches that are moved before a step asks for them.

    Yields:
        Tuples of the backend's tensors, of the same types: images stay uint8.

    Raises:
        ValueError: `ahead` is below 1.

    Example:

    >>> import numpy as np
    >>> [tuple(images.shape) for images, in on_device([(np.zeros((2, 8, 8, 3), "uint8"),)])]
    [(2, 8, 8, 3)]
    """
    if ahead < 1:
        raise ValueError(f"`ahead` must be at least 1. Received: ahead={ahead}")
    return running_ahead(batches, backend_part("data").Transfer(), ahead)


def running_ahead(batches: Iterable[tuple], transfer, ahead: int) -> Iterator[tuple]:
    """Yields moved batches, with `ahead` more on the way if the transfer is asynchronous."""
    started = collections.deque[Any]()
    for batch in batches:
        started.append(transfer.start(batch))
        if len(started) > ahead * transfer.asynchronous:
            yield transfer.finish(started.popleft())
    yield from map(transfer.finish, started)
