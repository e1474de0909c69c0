"""Optimizers on one backend: torch's fused kernels, TensorFlow's replicas, batches in parts."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support import BACKEND, random
from support.optimizers import agree, applied, caffe, dropping, gradients, network, reference

import keras_resnet
from keras_resnet.layers import Conv2D
from keras_resnet.training import LAMB, LARS, SGD, step_drops


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
def test_on_torch_the_fused_kernel_updates_what_is_large(monkeypatch):
    from keras_resnet.layers.torch import internals
    from keras_resnet.layers.torch.optimizers import ONE_THREAD

    fused = internals.fused_sgd_
    elements = []

    def counted(values, *args, **kwargs):
        elements.extend(value.numel() for value in values)
        return fused(values, *args, **kwargs)

    monkeypatch.setattr(internals, "fused_sgd_", counted)
    model = keras_resnet.build("resnet18", input_shape=(32, 32, 3), classes=4)
    model.compile(SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(np.ones((2, 32, 32, 3), "float32"), np.zeros(2), verbose=0)
    sizes = [int(np.prod(v.shape)) for v in model.trainable_variables]
    large = [size for size in sizes if size >= ONE_THREAD]
    assert sorted(elements) == sorted(large)
    assert sum(large) > 0.98 * sum(sizes)


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_on_torch_one_pass_over_memory_is_the_same_update(momentum, monkeypatch):
    from keras_resnet.layers.torch import optimizers as torch_optimizers

    monkeypatch.setattr(torch_optimizers, "ONE_THREAD", 0)
    found = applied(SGD(dropping(), momentum, weight_decay=0.05))
    agree(found, reference(caffe(momentum, 0.05)))


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
@pytest.mark.parametrize(
    ("optimizer", "reads"),
    [(SGD(0.1), 0), (LARS(0.1), 0), (LAMB(0.1), 0), (keras.optimizers.SGD(0.1, 0.9), 1)],
    ids=["SGD", "LARS", "LAMB", "that of Keras, which does"],
)
def test_on_torch_no_step_reads_from_the_device(optimizer, reads):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Reads(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += function is torch.ops.aten._local_scalar_dense.default
            return function(*args, **(kwargs or {}))

    variables = network().trainable_variables
    grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, 0)]
    optimizer.apply(grads, variables)
    with Reads() as seen:
        optimizer.apply(grads, variables)
    assert bool(seen.count) == bool(reads)


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
def test_on_torch_a_count_written_by_somebody_else_is_read_again():
    optimizer = SGD(keras.optimizers.schedules.PiecewiseConstantDecay([100], [0.1, 0.01]))
    variables = network().trainable_variables
    grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, 0)]
    optimizer.apply(grads, variables)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.iterations.assign(200)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    optimizer.apply(grads, variables)
    assert int(optimizer.iterations) == 201


@pytest.mark.skipif(BACKEND != "tensorflow", reason="of TensorFlow")
def test_replicas_take_the_step_of_one_device_and_refuse_to_accumulate():
    program = """
        import keras
        import numpy as np
        import tensorflow as tf
        from keras_resnet.training import SGD

        parts = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)

        def trained():
            keras.utils.set_random_seed(0)
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
            model.compile(SGD(0.1, weight_decay=0.1), "mse")
            x = np.arange(24, dtype="float32").reshape(8, 3) / 24
            model.fit(x, x[:, :2], batch_size=4, shuffle=False, verbose=0)
            return model.get_weights()

        alone = trained()
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            for one, other in zip(alone, trained()):
                np.testing.assert_allclose(one, other, 1e-6, 1e-6)
            try:
                SGD(0.1, gradient_accumulation_steps=4)
            except ValueError as error:
                print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert "gradient_accumulation_steps=4 on 2 replicas" in run.stdout, run.stderr


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_trains_a_network_as_the_whole_batch(parts):
    """Without batch normalization, which knows only the images of its part."""
    x = random("accumulated").standard_normal((16, 6, 6, 3)).astype("float32")
    y = np.arange(16) % 4
    trained = []
    for count in (1, parts):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((6, 6, 3))
        features = keras.layers.Flatten()(Conv2D(8, 3, activation="relu")(inputs))
        model = keras.Model(inputs, keras.layers.Dense(4)(features))
        for v in model.trainable_variables:
            v.assign(random(v.name).standard_normal(v.shape) * 0.1)
        accumulated = {"gradient_accumulation_steps": count} if count > 1 else {}
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(SGD(step_drops(0.1, (2,)), **accumulated), loss)
        model.fit(x, y, batch_size=16 // count, epochs=4, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-6)
