"""A library that only reads files leaves the device to the active backend."""

from unittest import mock

import pytest
from support import BACKEND

from keras_resnet.layers.backend import tensorflow

tf = pytest.importorskip("tensorflow")


def test_tensorflow_takes_a_gpu_only_as_the_backend():
    with mock.patch.object(tf.config, "set_visible_devices") as hide:
        assert tensorflow() is tf
    assert hide.mock_calls == ([] if BACKEND == "tensorflow" else [mock.call([], "GPU")])


def test_a_tensorflow_that_has_begun_is_left_as_it_is():
    begun = RuntimeError("Visible devices cannot be modified after being initialized")
    with mock.patch.object(tf.config, "set_visible_devices", side_effect=begun):
        assert tensorflow() is tf
