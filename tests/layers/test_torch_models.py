"""Networks of our layers on PyTorch around a step: layouts, hooks, compilers, exports."""

import copy
import functools

import keras
import numpy as np
import pytest
from support import BACKEND, fill, filled, images
from support.layers import as_array, assert_close
from support.torch_nets import Dispatched, reference, small

import keras_resnet
from keras_resnet import layers, training

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)
import torch

from keras_resnet.network import Network


def test_kernels_keep_their_layout_through_all_that_is_done_to_them(tmp_path):
    layer = layers.Conv2D(8, 3, kernel_initializer="he_normal")
    layer.build((None, 9, 9, 4))

    def is_out_first(kernel):
        return kernel.permute(3, 0, 1, 2).is_contiguous()

    value = layer.kernel.value
    assert tuple(value.shape) == (3, 3, 4, 8)
    assert is_out_first(value)
    layer.kernel.assign(np.ones((3, 3, 4, 8)))
    assert is_out_first(layer.kernel.value)
    assert is_out_first(layer.kernel.value.to(torch.bfloat16))
    assert is_out_first(layer.to("cpu").kernel.value)
    assert is_out_first(copy.deepcopy(layer.kernel.value))
    model = keras.Sequential([keras.Input((9, 9, 4)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert is_out_first(loaded.layers[0].kernel.value)
    assert is_out_first(keras.models.clone_model(model).layers[0].kernel.value)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_slots_of_the_optimizer_lie_as_their_kernels(optimizer):
    model = keras_resnet.build("cifar_resnet8")
    choices = {"sgd": keras.optimizers.SGD(0.1, 0.9), "adam": keras.optimizers.Adam()}
    model.compile(choices[optimizer], "sparse_categorical_crossentropy")
    model.train_on_batch(images(2, 32, 32, 3), np.arange(2))
    strides = {tuple(v.shape): v.value.stride() for v in model.trainable_variables}
    slots = [v for v in model.optimizer.variables if len(v.shape) == 4]
    assert slots
    for slot in slots:
        assert slot.value.stride() == strides[tuple(slot.shape)]


@pytest.mark.parametrize("size", [(3, 2), (2, 1), (3, 3)])
@pytest.mark.parametrize("pad", [1, ((0, 1), (0, 1)), ((0, 2), (0, 1))])
@pytest.mark.parametrize("pool", [layers.MaxPooling2D, layers.AveragePooling2D])
def test_zeros_before_a_pool_count_as_layer_by_layer(pool, pad, size):
    image = keras.Input((None, None, 3))
    x = layers.ReLU()(layers.Conv2D(4, 3)(image))
    model = fill(Network(image, pool(*size)(keras.layers.ZeroPadding2D(pad)(x))))
    for sides in ((9, 10), (10, 9), (11, 11)):
        x = torch.tensor(images(2, *sides, 3), requires_grad=True)
        results = []
        for network in (model, reference(model)):
            y = network(x)
            results.append([y, *torch.autograd.grad(y.square().sum(), [x])])
        for mine, theirs in zip(*results, strict=True):
            assert_close(as_array(mine), as_array(theirs), 1e-6)


def test_a_call_that_went_past_keras_tells_every_layer_whether_it_trains():
    inputs = keras.Input((4, 4, 8))
    model = Network(inputs, keras.layers.Dropout(0.5)(inputs))
    ones = torch.ones(2, 4, 4, 8)
    assert (model.call(ones, training=True) == 0).any()
    assert (model.call(ones, training=False) == 1).all()


def test_frozen_layers_use_and_keep_their_moving_statistics():
    model = small()
    model.trainable = False
    x = torch.tensor(images(2, 64, 64, 3))
    before = model.get_weights()
    y = model(x, training=True).detach().numpy()
    assert_close(y, reference(model)(x, training=False).detach().numpy(), 1e-5)
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_layer_that_is_called_twice_moves_its_statistics_twice():
    def build(network):
        image = keras.Input((8, 8, 4))
        normalize = layers.BatchNormalization(name="shared")
        x = normalize(layers.Conv2D(4, 3, name="first")(image))
        return fill(network(image, normalize(layers.Conv2D(4, 3, name="second")(x))))

    found = []
    for network in (Network, keras.Model):
        model = build(network)
        model(torch.tensor(images(2, 8, 8, 4)), training=True)
        found.append([as_array(v.value) for v in model.get_layer("shared").variables])
    for ours, stock in zip(*found, strict=True):
        assert_close(ours, stock, 1e-6)


@pytest.mark.parametrize("name", ["conv3_1_a_bn", "pool1"])
def test_a_hook_on_a_layer_is_called(name):
    model = small()
    seen = []
    model.get_layer(name).register_forward_hook(lambda *_: seen.append(1))
    x = torch.tensor(images(2, 64, 64, 3))
    assert_close(model(x).detach().numpy(), reference(model)(x).detach().numpy(), 1e-5)
    assert seen == [1, 1]


def test_stateless_calls_change_no_variable():
    model = small()
    x = torch.tensor(images(2, 64, 64, 3))
    before = model.get_weights()
    outputs, states = model.stateless_call(
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
        x,
        training=True,
    )
    for mine, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert_close(outputs.detach().numpy(), model(x, training=True).detach().numpy(), 1e-6)
    for state, variable in zip(states, model.non_trainable_variables, strict=True):
        assert_close(state.numpy(), variable.numpy(), 1e-6)


@pytest.mark.filterwarnings("ignore")  # of torch, about itself and Keras
def test_training_by_keras_is_the_same_under_the_compiler(monkeypatch):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    losses = []
    x, y = images(8, 32, 32, 3), np.arange(8)
    torch._dynamo.utils.counters.clear()
    for jit_compile in (False, True):
        model = filled("cifar_resnet8")
        optimizer = training.SGD(0.01, 0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=jit_compile)
        losses.append([model.train_on_batch(x, y) for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert 0 < torch._dynamo.utils.counters["stats"]["unique_graphs"] < 8


def test_torch_export_traces_a_network():
    model = filled("cifar_resnet8")
    model.eval()
    x = torch.tensor(images(2, 32, 32, 3))
    exported = torch.export.export(model, (x,))
    assert_close(exported.module()(x).detach().numpy(), model(x).detach().numpy(), 1e-5)


def test_torch_export_leaves_the_batch_open():
    model = filled("cifar_resnet8")
    model.eval()
    batch = torch.export.Dim("batch", min=1)
    two, five = (torch.tensor(images(n, 32, 32, 3)) for n in (2, 5))
    exported = torch.export.export(model, (two,), dynamic_shapes=[({0: batch},)])
    assert_close(exported.module()(five).detach().numpy(), model(five).detach().numpy(), 1e-5)


def test_networks_are_shared_between_models():
    """A network inside another model is fused all the same."""
    base = small(include_top=False)
    outer = keras.Sequential([keras.Input((64, 64, 3)), base, keras.layers.Flatten()])
    x = torch.tensor(images(2, 64, 64, 3))
    expected = reference(base)(x, training=True).detach().numpy().reshape(2, -1)
    with Dispatched() as ran:
        y = outer(x, training=True)
    assert_close(y.detach().numpy(), expected, 1e-5)
    assert ran.names.count("relu_") == 49


def test_losses_on_outputs_are_kept():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, activity_regularizer="l2")(image)
    x = keras.layers.ReLU()(layers.BatchNormalization()(x))
    model = Network(image, x)
    model(images(2, 8, 8, 3))
    assert len(model.losses) == 1
