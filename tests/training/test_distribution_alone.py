"""What a group of processes does, as far as one process can show it; wrong starts are refused."""

import json

import keras
import numpy as np
import pytest
from support import BACKEND

from keras_resnet import training
from keras_resnet.training import distribution, processes

KINDS = {"tensorflow": "mirrored", "jax": "data-parallel", "torch": "ddp"}


ALONE = {
    "torch": ({"WORLD_SIZE": "2", "RANK": "1"}, "WORLD_SIZE=2, RANK=1"),
    "jax": ({"KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}, "KERAS_DISTRIBUTION_NUM_PROCESSES=2"),
    "tensorflow": (
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ["a:1", "b:1"]}})},
        "TF_CONFIG names 2 workers",
    ),
}


@pytest.mark.parametrize("call", [distribution.active, lambda: training.distributed("none")])
def test_one_of_several_processes_will_not_train_alone(monkeypatch, call):
    for name, value in ALONE[BACKEND][0].items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match=f"one of several \\({ALONE[BACKEND][1]}\\)"):
        call()


def test_what_another_backend_has_is_refused():
    other = {"tensorflow": "ddp", "jax": "mirrored", "torch": "data-parallel"}[BACKEND]
    with pytest.raises(ValueError, match=f"'{KINDS[BACKEND]}'.*Received: kind='{other}'"):
        training.distributed(other)
    with pytest.raises(ValueError, match="kind"):
        training.distributed("all")


def test_one_device_is_not_distributed():
    found = training.distributed("auto")
    assert (found.kind, found.index, found.count, found.replicas) == ("none", 0, 1, 1)
    assert found.total(np.array([1.0, 2.0])).tolist() == [1.0, 2.0]


def test_batches_that_devices_cannot_share_are_refused():
    class Data:
        batch_size = 6

    group = processes.Distribution()
    group.replicas = 4
    with pytest.raises(ValueError, match=r"number of devices, 4. Received: batch_size=6"):
        group.shard(Data())


class OfTwo(processes.Distribution):
    """A group whose other process has brought what it is made with."""

    count = 2

    def __init__(self, other):
        self.other = other

    def gather(self, value):
        return [value, self.other]


@pytest.mark.once
def test_a_failure_in_another_process_raises_in_this_one():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    data = np.eye(3, dtype="float32"), np.array([0, 1, 1])
    with pytest.raises(RuntimeError, match=r"Another process failed. process 1: OSError: no disk"):
        training.evaluate(model, data, distribution=OfTwo("OSError: no disk"))
    with pytest.raises(ValueError, match="Labels must be"):  # its own error, where it has one
        training.evaluate(model, (data[0], data[1] + 3), distribution=OfTwo("OSError: no disk"))
    OfTwo(None).raise_together(None)


class Process(processes.ModelPerProcess):
    """One of two processes whose models are alike."""

    count = 2

    def __init__(self, index):
        self.index = index

    def exchange(self, value, senders):
        return [value for _ in senders]

    def from_first(self, make):
        return make()


def test_random_layers_draw_other_numbers_in_each_process():
    model = keras.Sequential([keras.Input((8,)), keras.layers.GaussianNoise(1.0)])
    model.compile("sgd", "mse")
    seeds = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]

    def noise(index):
        for variable, seed in zip(model.variables, seeds, strict=True):
            variable.assign(seed)
        Process(index).prepare(model)
        return keras.ops.convert_to_numpy(model(np.ones((1, 8), "float32"), training=True))

    assert (noise(0) == noise(0)).all()
    assert (noise(0) != noise(1)).all()


def test_moving_statistics_and_metrics_of_the_processes_are_averaged():
    class WithOther(Process):
        def total(self, numbers):
            return numbers + 3.0  # the other process has 3 everywhere

    model = keras.Sequential([keras.Input((2,)), keras.layers.BatchNormalization()])
    model.compile("sgd", "mse")
    WithOther(0).sync_state(model)
    norm = model.layers[0]
    gamma, _, mean, variance = map(keras.ops.convert_to_numpy, norm.variables)
    assert [gamma.tolist(), mean.tolist(), variance.tolist()] == [[1, 1], [1.5, 1.5], [2, 2]]


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's")
def test_several_workers_want_their_addresses():
    with pytest.raises(RuntimeError, match="TF_CONFIG"):
        training.distributed("multi-worker")


@pytest.mark.skipif(BACKEND != "torch", reason="torch's")
def test_ddp_names_the_variables_that_torchrun_would_have_set(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(RuntimeError, match=r"torchrun.*Not set: MASTER_ADDR, MASTER_PORT, WORLD"):
        training.distributed("ddp")


@pytest.mark.skipif(BACKEND != "torch", reason="torch's")
def test_buckets_hold_what_there_is_room_for():
    import torch

    from keras_resnet.training.processes import BUCKET_BYTES, buckets_of
    from keras_resnet.training.torch.gradients import bytes_of, kind_of

    sizes = [BUCKET_BYTES // 8, BUCKET_BYTES // 8, BUCKET_BYTES // 4, 10, BUCKET_BYTES]
    parameters = [torch.nn.Parameter(torch.empty(size)) for size in sizes]
    parameters.append(torch.nn.Parameter(torch.empty(1, dtype=torch.float64)))
    assert [len(bucket) for bucket in buckets_of(parameters, bytes_of, kind_of)] == [2, 1, 1, 1, 1]


@pytest.mark.skipif(BACKEND != "torch", reason="torch's")
def test_dropout_of_torch_draws_other_numbers_in_each_process():
    from keras_resnet.training.torch.distribution import DataParallel

    class OfTorch(Process, DataParallel):
        """DataParallel without a group."""

    model = keras.Sequential([keras.Input((64,)), keras.layers.Dropout(0.5)])

    def dropped(index):
        keras.utils.set_random_seed(0)
        OfTorch(index).fold_in_rank(model)
        return keras.ops.convert_to_numpy(model(np.ones((1, 64), "float32"), training=True)) == 0

    assert (dropped(0) == dropped(0)).all()
    assert (dropped(0) != dropped(1)).any()


@pytest.mark.skipif(BACKEND != "torch", reason="torch's")
def test_gradients_are_averaged_once_whatever_was_frozen_before():
    import torch.distributed as dist

    from keras_resnet.training.torch.distribution import DataParallel

    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2), keras.layers.BatchNormalization()]
    )
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        group = DataParallel(synchronize=True, timeout=10)
        for trainable in (False, True):
            model.layers[0].trainable = trainable
            model.compile("sgd", "mse")
            group.prepare(model)
            hooks = [len(v.value._post_accumulate_grad_hooks) for v in model.trainable_variables]
            assert set(hooks) == {1}
    finally:
        dist.destroy_process_group()
