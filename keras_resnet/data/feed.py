"""Batches on their way to the device, ahead of the step that needs them."""

import collections
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras


def on_device(batches: Iterable[tuple], ahead: int = 2) -> Iterator[tuple]:
    """Moves batches to the device while the steps before them run.

    On JAX `device_put` is asynchronous, and on torch with CUDA a copy from pinned memory on a
    stream of its own. On torch without CUDA arrays become tensors that share their memory, and
    on TensorFlow, whose own `tf.data` runs ahead, nothing is done.

    Args:
        batches: tuples of NumPy arrays. They are not written to.
        ahead: batches on the device, or on their way, that no step has asked for.

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
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return running_ahead(batches, jax.device_put, ahead)
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return running_ahead(batches, PinnedCopy(), ahead, PinnedCopy.ready)
        return (tuple(map(shared, batch)) for batch in batches)
    return iter(batches)


def running_ahead(
    batches: Iterable[tuple],
    move: Callable[[tuple], Any],
    ahead: int,
    ready: Callable[[Any], tuple] = lambda moved: moved,
) -> Iterator[tuple]:
    """Yields moved batches, `ahead` of them having been sent off."""
    source, sent = iter(batches), collections.deque[Any]()
    sent.extend(map(move, itertools.islice(source, ahead)))
    while sent:
        moved = sent.popleft()
        sent.extend(map(move, itertools.islice(source, 1)))
        yield ready(moved)


def shared(array):
    """A tensor of torch with the array's memory; an array that cannot be written to is copied."""
    import torch

    return torch.from_numpy(array if array.flags.writeable else array.copy())


class PinnedCopy:
    """Copies to the current CUDA device beside what it computes.

    Call with a tuple of arrays; returns (tensors, event), for `ready`.
    """

    def __init__(self):
        import torch

        self.stream = torch.cuda.Stream()

    def __call__(self, batch: tuple) -> tuple[tuple, Any]:
        import torch

        pinned = []
        for array in batch:
            # The caching allocator hands pinned memory out again only after its copy has ended.
            page = torch.empty(array.shape, dtype=torch_dtype(array), pin_memory=True)
            page.numpy()[...] = array
            pinned.append(page)
        with torch.cuda.stream(self.stream):
            tensors = tuple(page.to("cuda", non_blocking=True) for page in pinned)
            return tensors, self.stream.record_event()

    @staticmethod
    def ready(moved: tuple[tuple, Any]) -> tuple:
        """Makes the computing stream, not the processor, wait for the copy."""
        import torch

        tensors, event = moved
        current = torch.cuda.current_stream()
        current.wait_event(event)
        for tensor in tensors:
            tensor.record_stream(current)
        return tensors


def torch_dtype(array):
    import torch

    return getattr(torch, str(array.dtype))
