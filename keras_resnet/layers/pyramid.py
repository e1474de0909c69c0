"""Spatial pyramid pooling: maps of any size to vectors of one size."""

import math
from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops

from keras_resnet.common.arguments import checked

Rule = Literal["window", "proportional", "caffe"]


def bins(side, n: int, rule: Rule):
    """Where the n bins of a level begin and end along a side: n pairs, the end not included.

    * `"window"`, SPP-net's single-size training (arXiv:1406.4729, Sec. 2.3): windows of
      ceil(side / n), floor(side / n) apart. On the 14 pixels of the paper 3 bins are
      0-5, 4-9 and 8-13: where n does not divide the side, pixels at its end go unread.
    * `"proportional"`, its Appendix A: from floor(i * side / n) to ceil((i + 1) * side / n).
      Every pixel is read, at any size.
    * `"caffe"`, Caffe's SPPLayer: windows of ceil(side / n) side by side, centered, and cut off
      at the edges.

    Where a side is shorter than n, and where Caffe refuses one because a window would be outside,
    all three are the second.

    Example:

    >>> bins(14, 3, "window"), bins(14, 3, "proportional"), bins(14, 3, "caffe")
    (((0, 5), (4, 9), (8, 13)), ((0, 5), (4, 10), (9, 14)), ((0, 4), (4, 9), (9, 14)))
    """
    width = -(-side // n)
    whole = [(i * side // n, -(-(i + 1) * side // n)) for i in range(n)]
    before = (width * n - side + 1) // 2
    cut = {
        "window": [(i * (side // n), i * (side // n) + width) for i in range(n)],
        "proportional": whole,
        "caffe": [(i * width - before, (i + 1) * width - before) for i in range(n)],
    }[rule]
    outside = (before >= width) if rule == "caffe" else False
    if isinstance(side, int):
        cut = whole if side < n or outside else cut
        return tuple((max(0, start), min(side, stop)) for start, stop in cut)
    # A side that is known only when the graph runs.
    short = ops.logical_or(side < n, outside)
    ends = [
        (ops.where(short, a, start), ops.where(short, b, stop))
        for (a, b), (start, stop) in zip(whole, cut, strict=True)
    ]
    return tuple((ops.maximum(0, start), ops.minimum(side, stop)) for start, stop in ends)


@keras.saving.register_keras_serializable("keras_resnet")
class SpatialPyramidPooling(keras.layers.Layer):
    """Max pooling over n x n bins for every level n, joined to one vector.

    The order is that of levels, then rows, columns and channels, under either data format.

    Args:
        levels: n stands for n x n bins.
        rule: how bins are cut: see `bins`.
        window: None pools the whole map to (batch, features). An integer pools every square of
            this side in it, pixel by pixel, to (batch, rows, columns, features), or (batch,
            features, rows, columns) under channels_first: what PReLU-net's dense evaluation does
            with 14.
        data_format: as in Keras' pooling layers.

    Raises:
        ValueError: there is no such rule.

    Example:

    >>> SpatialPyramidPooling((7, 3, 2, 1))(keras.Input((14, 14, 512))).shape
    (None, 32256)
    """

    @checked(levels=(1, math.inf), window=(1, math.inf))
    def __init__(
        self,
        levels: Sequence[int] = (7, 3, 2, 1),
        rule: Rule = "window",
        window: int | None = None,
        data_format: Literal["channels_last", "channels_first"] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.levels, self.rule, self.window = tuple(levels), rule, window
        self.data_format = keras.config.image_data_format() if data_format is None else data_format

    def call(self, inputs):
        if self.data_format == "channels_first":
            inputs = ops.transpose(inputs, (0, 2, 3, 1))
        return self.whole(inputs) if self.window is None else self.every_window(inputs)

    def whole(self, x):
        height, width = ops.shape(x)[1], ops.shape(x)[2]
        pooled = []
        for n in self.levels:
            # The maximum of a rectangle is that of its columns' maxima.
            for top, bottom in bins(height, n, self.rule):
                rows = ops.max(x[:, top:bottom], axis=1)
                pooled += [
                    ops.max(rows[:, left:right], axis=1)
                    for left, right in bins(width, n, self.rule)
                ]
        return ops.concatenate(pooled, axis=-1)

    def every_window(self, x):
        rows, columns = (ops.shape(x)[axis] - self.window + 1 for axis in (1, 2))
        pooled = []
        for n in self.levels:
            for top, bottom in bins(self.window, n, self.rule):
                for left, right in bins(self.window, n, self.rule):
                    maxima = ops.max_pool(
                        x, (bottom - top, right - left), 1, "valid", data_format="channels_last"
                    )
                    pooled.append(maxima[:, top : top + rows, left : left + columns])
        features = ops.concatenate(pooled, axis=-1)
        first = self.data_format == "channels_first"
        return ops.transpose(features, (0, 3, 1, 2)) if first else features

    def compute_output_shape(self, input_shape):
        last = self.data_format == "channels_last"
        channels = input_shape[3 if last else 1]
        features = channels * sum(n * n for n in self.levels)
        if self.window is None:
            return (input_shape[0], features)
        sides = input_shape[1:3] if last else input_shape[2:4]
        places = [None if side is None else side - self.window + 1 for side in sides]
        shape = (*places, features) if last else (features, *places)
        return (input_shape[0], *shape)

    def get_config(self):
        names = ("levels", "rule", "window", "data_format")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
