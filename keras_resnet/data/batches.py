"""What all batches have in common, whether of arrays or of files."""

import copy
from typing import Self

from keras_resnet.data.mixing import Mixing
from keras_resnet.data.order import Order


class Batches:
    """Batches that follow an `Order`.

    Args:
        order: which images are in which batch.
        mixing: how images of a batch are mixed, or None.

    Raises:
        ValueError: images are to be mixed in pairs, and the batch of a process is odd.
    """

    def __init__(self, order: Order, mixing: Mixing | None):
        check_pairs(mixing, order)
        self.order, self.mixing = order, mixing

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return self.order.steps_per_epoch

    @property
    def batch_size(self) -> int:
        """Images in a global batch, those of all processes."""
        return self.order.batch_size

    def shard(self, index: int, count: int) -> Self:
        """The same batches, of which process `index` of `count` yields its part.

        Raises:
            ValueError: `batch_size` is no multiple of `count`.
        """
        part = copy.copy(self)
        part.order = self.order.shard(index, count)
        check_pairs(part.mixing, part.order)
        return part


def check_pairs(mixing: Mixing | None, order: Order) -> None:
    if mixing is not None and order.local_batch_size % 2:
        raise ValueError(
            "Images are mixed in pairs: a process must have an even part of the batch. "
            f"Received: {order.local_batch_size}"
        )
