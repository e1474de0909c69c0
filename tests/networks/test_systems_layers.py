"""Local response normalization and spatial pyramids against their definitions."""

import keras
import numpy as np
import pytest
from support import BACKEND, images

from keras_resnet.layers import LocalResponseNormalization, SpatialPyramidPooling
from keras_resnet.layers.pyramid import bins


def reference_lrn(x, size, alpha, beta, k):
    """Caffe's definition, a channel at a time."""
    out = np.empty_like(x)
    for channel in range(x.shape[-1]):
        near = x[..., max(0, channel - size // 2) : channel + size // 2 + 1]
        scale = k + alpha / size * (near.astype("float64") ** 2).sum(-1)
        out[..., channel] = x[..., channel] / scale**beta
    return out


class TestLocalResponseNormalization:
    @pytest.mark.parametrize("constants", [(5, 1e-4, 0.75, 1.0), (3, 0.5, 0.5, 2.0)])
    @pytest.mark.parametrize("channels", [2, 7])
    def test_it_is_caffes_and_the_backends_own(self, constants, channels):
        x = images(2, 5, 4, channels) * 30
        size, alpha, beta, k = constants
        layer = LocalResponseNormalization(size, alpha, beta, k)
        found = keras.ops.convert_to_numpy(layer(x))
        np.testing.assert_allclose(found, reference_lrn(x, *constants), rtol=1e-5)
        if BACKEND == "tensorflow":
            import tensorflow as tf

            theirs = tf.nn.lrn(x, size // 2, k, alpha / size, beta).numpy()
            np.testing.assert_allclose(found, theirs, rtol=1e-5)
        if BACKEND == "torch":
            import torch

            theirs = torch.nn.LocalResponseNorm(size, alpha, beta, k)
            theirs = theirs(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
            np.testing.assert_allclose(found, theirs.transpose(0, 2, 3, 1), rtol=1e-5)

    def test_channels_first_is_the_same(self, channels_first):
        x = images(2, 3, 4, 7)
        found = keras.ops.convert_to_numpy(LocalResponseNormalization()(x.transpose(0, 3, 1, 2)))
        expected = reference_lrn(x, 5, 1e-4, 0.75, 1.0)
        np.testing.assert_allclose(found.transpose(0, 2, 3, 1), expected, rtol=1e-5)

    def test_half_precision_does_not_overflow(self):
        layer = LocalResponseNormalization(dtype="float16")
        x = np.full((1, 1, 1, 8), 1000, "float16")
        found = keras.ops.convert_to_numpy(layer(x))
        np.testing.assert_allclose(found, reference_lrn(x, 5, 1e-4, 0.75, 1.0), rtol=1e-3)

    def test_an_even_size_is_refused(self):
        with pytest.raises(ValueError, match=r"odd positive integer\. Received: size=4"):
            LocalResponseNormalization(4)


def reference_spp(x, levels, rule):
    """Every bin by itself."""
    parts = []
    for n in levels:
        for top, bottom in bins(x.shape[1], n, rule):
            for left, right in bins(x.shape[2], n, rule):
                parts.append(x[:, top:bottom, left:right].max((1, 2)))
    return np.concatenate(parts, -1)


class TestSpatialPyramidPooling:
    def test_windows_under_channels_first_are_the_same(self):
        x = images(1, 9, 8, 3)
        last = SpatialPyramidPooling((3, 2), window=7, data_format="channels_last")(x)
        layer = SpatialPyramidPooling((3, 2), window=7, data_format="channels_first")
        first = keras.ops.convert_to_numpy(layer(x.transpose(0, 3, 1, 2)))
        np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), keras.ops.convert_to_numpy(last))

    def test_bins_are_those_that_papers_and_caffe_cut(self):
        # SPP-net's rule on the 14 x 14 map of the paper: windows of 5, 4 apart (Sec. 2.3).
        assert bins(14, 3, "window") == ((0, 5), (4, 9), (8, 13))
        assert bins(14, 7, "window") == tuple((2 * i, 2 * i + 2) for i in range(7))
        # Caffe's SPPLayer: kernel and stride 5, padding 1.
        assert bins(14, 3, "caffe") == ((0, 4), (4, 9), (9, 14))
        assert bins(13, 3, "proportional") == ((0, 5), (4, 9), (8, 13))
        for rule in ("window", "proportional", "caffe"):
            for n in (1, 2, 7, 14):
                width = 14 // n
                assert bins(14, n, rule) == tuple((i * width, (i + 1) * width) for i in range(n))

    @pytest.mark.parametrize("rule", ["window", "proportional", "caffe"])
    @pytest.mark.parametrize("size", [(14, 14), (9, 20), (3, 5), (1, 1)])
    def test_it_is_the_maximum_of_every_bin(self, rule, size):
        x = images(2, *size, 3)
        found = SpatialPyramidPooling((7, 3, 2, 1), rule)(x)
        expected = reference_spp(x, (7, 3, 2, 1), rule)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)
        assert found.shape == (2, 63 * 3)

    def test_channels_first_gives_the_same_vector(self):
        x = images(2, 9, 8, 3)
        last = SpatialPyramidPooling((3, 2))(x)
        first = SpatialPyramidPooling((3, 2), data_format="channels_first")(x.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (last, first)))

    @pytest.mark.parametrize("rule", ["window", "proportional", "caffe"])
    def test_every_window_is_pooled_as_if_it_were_alone(self, rule):
        x = images(1, 9, 8, 3)
        dense = keras.ops.convert_to_numpy(SpatialPyramidPooling((3, 2, 1), rule, window=7)(x))
        assert dense.shape == (1, 3, 2, 14 * 3)
        for top in range(3):
            for left in range(2):
                alone = reference_spp(x[:, top : top + 7, left : left + 7], (3, 2, 1), rule)
                np.testing.assert_array_equal(dense[:, top, left], alone)

    def test_shapes_are_known_before_any_image_is(self):
        image = keras.Input((None, 20, 3))
        assert SpatialPyramidPooling((2, 1))(image).shape == (None, 15)
        assert SpatialPyramidPooling((2, 1), window=14)(image).shape == (None, None, 7, 15)

    def test_another_rule_is_refused(self):
        with pytest.raises(ValueError, match=r"'window', 'proportional', 'caffe'\. Received: rul"):
            SpatialPyramidPooling(rule="floor")
