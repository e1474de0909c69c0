"""Scores of images whose views go through networks together with those of others."""

import dataclasses
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from keras_resnet.evaluation.contenders import Contender

MOST_WAITING = 256 * 2**20  # bytes of views that wait for others of their size


@dataclasses.dataclass
class Sum:
    """The scores of one image so far, and how many views are still to come."""

    scores: np.ndarray | float
    outstanding: int


class Sums:
    """Averages the scores of images whose views go through networks in batches of one shape."""

    def __init__(self, contenders: Sequence[Contender], size: int):
        self.contenders, self.size = contenders, size
        self.sums: dict[int, Sum] = {}
        self.waiting: dict[tuple, list[tuple[int, float, np.ndarray]]] = {}
        self.bytes = 0

    def add(self, image: int, shown: Sequence[Sequence[np.ndarray]]) -> Iterator[tuple]:
        """Takes the views of an image; gives (image, scores) for those that are complete."""
        self.sums[image] = Sum(0.0, sum(map(len, shown)))
        for number, found in enumerate(shown):
            for view in found:
                bucket = self.waiting.setdefault((number, view.shape), [])
                bucket.append((image, 1 / (len(found) * len(shown)), view))
                self.bytes += view.nbytes
                if len(bucket) == self.size:
                    yield from self.flush((number, view.shape))
        while self.bytes > MOST_WAITING:
            yield from self.flush(max(self.waiting, key=lambda key: len(self.waiting[key])))

    def rest(self) -> Iterator[tuple]:
        """What is left when there are no more images."""
        for key in list(self.waiting):
            yield from self.flush(key)

    def flush(self, key: tuple) -> Iterator[tuple]:
        batch = self.waiting.pop(key)
        self.bytes -= sum(view.nbytes for *_, view in batch)
        # torch compiles nothing, and takes a smaller batch as it is.
        size = len(batch) if keras.backend.backend() == "torch" else self.size
        scores = self.contenders[key[0]].scores([view for *_, view in batch], size)
        for (image, weight, _), row in zip(batch, scores, strict=True):
            found = self.sums[image]
            found.scores = found.scores + weight * row
            found.outstanding -= 1
            if not found.outstanding:
                yield image, self.sums.pop(image).scores
