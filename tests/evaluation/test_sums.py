"""Scores of one image are the mean over networks of the mean over views; each image counts once."""

import numpy as np
import pytest

from keras_resnet.evaluation.progress import Progress
from keras_resnet.evaluation.sums import Sums

pytestmark = pytest.mark.once


class Pixels:
    """A network whose score of a view is its first pixel, times a factor."""

    def __init__(self, factor):
        self.factor = factor

    def scores(self, views, size):
        return np.array([[self.factor * view[0, 0, 0]] for view in views])


def test_networks_weigh_alike_however_many_views_each_is_shown():
    view = np.ones((2, 2, 3))
    sums = Sums([Pixels(1.0), Pixels(10.0)], size=8)
    assert list(sums.add(5, [[view, 3 * view], [view]])) == []
    ((image, scores),) = sums.rest()
    assert image == 5
    np.testing.assert_allclose(scores, [((1 + 3) / 2 + 10) / 2])


def test_an_image_that_is_counted_twice_is_an_error():
    progress = Progress(np.array([0, 1]), {}, None)
    values = {"predicted": 1, "rank": 0, "confidence": 0.5, "true_probability": 0.5}
    progress.put(1, **values)
    with pytest.raises(RuntimeError, match="Image 1 was counted twice"):
        progress.put(1, **values)
    assert progress["done"].tolist() == [False, True]
