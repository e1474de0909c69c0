"""Nothing is lost on the way to disk and back, in a clone, or while fine-tuning."""

import copy

import keras
import numpy as np
import pytest
from support import BACKEND, SMALL, fill, filled, images, logits, narrow, undrawn

import keras_resnet
from keras_resnet.networks.paper import Architecture

TINY = Architecture("bottleneck", (1, 1, 1, 1), 8, "imagenet", "A")
EVERYTHING = {
    "stride_on": "3x3",
    "pool1": "caffe",
    "zero_channels": "center",
    "zero_init_residual": True,
    "blur_pool": True,
    "output_stride": 16,
    "drop_path_rate": 0.2,
    "include_preprocessing": True,
}


@pytest.fixture(params=[*SMALL, "everything"])
def model(request):
    if request.param == "everything":
        return filled(TINY, input_shape=(64, 64, 3), classes=4, **EVERYTHING)
    network = narrow(request.param)
    return filled(network, input_shape=(network.stride, network.stride, 3), classes=4)


def same(one, other):
    x = images(2, *one.input.shape[1:])
    np.testing.assert_array_equal(logits(one, x), logits(other, x))
    for a, b in zip(one.weights, other.weights, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))


def test_a_saved_model_is_loaded_exactly(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.name == model.name
    same(model, loaded)
    assert list(keras_resnet.endpoints(loaded)) == list(keras_resnet.endpoints(model))
    assert keras_resnet.count(loaded) == keras_resnet.count(model)


@pytest.mark.portable
def test_saved_weights_are_loaded_exactly(model, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = keras.models.clone_model(model)
    other.load_weights(tmp_path / "model.weights.h5")
    same(model, other)


@pytest.mark.portable
def test_a_clone_is_a_network_with_weights_of_its_own(model):
    clone = keras.models.clone_model(model)
    assert type(clone) is keras_resnet.Network
    assert keras_resnet.count(clone) == keras_resnet.count(model)
    clone.set_weights(model.get_weights())
    same(model, clone)
    kernel = model.get_layer("conv1").kernel
    before = keras.ops.convert_to_numpy(kernel)
    clone.get_layer("conv1").kernel.assign(0 * before)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), before)


@pytest.mark.portable
def test_the_configuration_round_trips(model):
    config = model.get_config()
    with undrawn():
        other = keras_resnet.Network.from_config(copy.deepcopy(config))  # Keras empties it
    assert other.get_config() == config


def compiled(model, **options):
    # Eager steps, but on JAX, which compiles every operation.
    eager = {"run_eagerly": BACKEND != "jax"}
    model.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", **eager, **options)
    return model


def changed(model, step):
    """The paths of the variables that a step changes."""
    before = {v.path: np.array(keras.ops.convert_to_numpy(v)) for v in model.weights}
    step()
    return {
        v.path
        for v in model.weights
        if (before[v.path] != np.array(keras.ops.convert_to_numpy(v))).any()
    }


def data(model):
    x = images(4, *(side or 32 for side in model.input.shape[1:]))
    return x, np.eye(model.output.shape[-1], dtype="float32")[[0, 1, 2, 3]]


def test_a_step_changes_every_variable():
    model = compiled(filled("cifar_resnet8", input_shape=(16, 16, 3), classes=4))
    moved = changed(model, lambda: model.train_on_batch(*data(model)))
    assert moved == {v.path for v in model.weights}


def test_a_frozen_network_stays_as_it_is():
    model = keras_resnet.build("cifar_resnet8", input_shape=(16, 16, 3), classes=4)
    for layer in model.layers[:-1]:
        layer.trainable = False
    compiled(fill(model))
    moved = changed(model, lambda: model.train_on_batch(*data(model)))
    assert moved == {"fc/kernel", "fc/bias"}


@pytest.mark.parametrize("network", ["cifar_resnet8", TINY])
def test_fine_tuning_changes_only_the_new_head(network):
    base = keras_resnet.build(network, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    base.trainable = False
    new = keras.Sequential([base, keras.layers.Dense(4, activation="softmax", name="new")])
    new.build((None, 32, 32, 3))
    compiled(new)
    moved = changed(new, lambda: new.train_on_batch(*data(base_like(new))))
    assert {path.split("/")[-2] for path in moved} == {"new"}


def base_like(model):
    """A Sequential model as a functional one, with a known input."""
    return keras.Model(model.inputs[0], model.outputs[0])


def test_stages_can_be_thawed_one_by_one():
    base = filled("cifar_resnet8", input_shape=(16, 16, 3), classes=4)
    for layer in base.layers:
        layer.trainable = layer.name.startswith(("conv4", "fc"))
    compiled(base)
    moved = changed(base, lambda: base.train_on_batch(*data(base)))
    assert {path[:5] for path in moved} == {"conv4", "fc/ke", "fc/bi"}


@pytest.mark.parametrize("jit_compile", [True, False])
def test_training_with_and_without_xla_is_the_same(jit_compile):
    if BACKEND == "torch" and jit_compile:
        pytest.skip("XLA is not torch's; torch.compile is tried in test_layers_torch.py")
    model = filled("cifar_resnet8", input_shape=(8, 8, 3), classes=4)
    model.compile(keras.optimizers.SGD(0.01), "categorical_crossentropy", jit_compile=jit_compile)
    x, y = data(model)
    history = [float(model.train_on_batch(x, y)) for _ in range(2)]
    eager = compiled(filled("cifar_resnet8", input_shape=(8, 8, 3), classes=4))
    eager.optimizer.learning_rate = 0.01
    np.testing.assert_allclose(
        history, [float(eager.train_on_batch(x, y)) for _ in range(2)], rtol=1e-4
    )
    np.testing.assert_allclose(
        model.predict(x, verbose=0), eager.predict(x, verbose=0), rtol=1e-3, atol=1e-4
    )
