"""Batches reach the device as they were, ahead of time, on every backend."""

import keras
import numpy as np
import pytest
from support import BACKEND

from keras_resnet.data import ArrayBatches, on_device

X = np.arange(8 * 12, dtype="uint8").reshape(8, 2, 2, 3)


def test_batches_reach_the_device_as_they_were():
    data = ArrayBatches(X, np.arange(8) % 3, 2)
    found = list(on_device(data.batches(0, 7)))
    assert len(found) == 7
    for (x, y), (images, labels) in zip(data.batches(0, 7), found, strict=True):
        assert keras.backend.standardize_dtype(images.dtype) == "uint8"
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(images), x)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(labels), y)


def test_memory_that_cannot_be_written_to_is_left_alone():
    x = X.copy()
    x.flags.writeable = False
    ((images,),) = on_device([(x,)])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(images), X)


@pytest.mark.skipif(BACKEND != "jax", reason="only this backend is fed ahead without a GPU")
def test_batches_are_sent_off_before_they_are_asked_for():
    taken = []

    def source():
        for n in range(6):
            taken.append(n)
            yield (X + n,)

    fed = on_device(source(), ahead=2)
    assert taken == []
    next(fed)
    assert taken == [0, 1, 2]
    assert len(list(fed)) == 5


def test_at_least_one_batch_runs_ahead():
    with pytest.raises(ValueError, match=r"`ahead` must be at least 1. Received: ahead=0"):
        on_device([], ahead=0)


@pytest.mark.skipif(BACKEND != "torch", reason="only this backend copies by itself")
def test_copies_from_pinned_memory_overlap_and_arrive_whole():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    batches = [(np.full((64, 64, 64, 3), n, "uint8"), np.array([n])) for n in range(20)]
    for n, (images, labels) in enumerate(on_device(batches)):
        assert images.is_cuda
        assert bool((images == n).all())
        assert labels.item() == n
