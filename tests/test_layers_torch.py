"""What the layers promise on PyTorch beyond what Keras does: no copies, and nothing overwritten."""

import copy
from collections import Counter

import keras
import numpy as np
import pytest
from support import BACKEND, fill, images
from support_layers import as_array, assert_close

import keras_resnet
from keras_resnet import layers, training

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from keras_resnet.layers import torch_gradients, torch_units
from keras_resnet.layers.fusion import FusedNetwork
from keras_resnet.layers.torch_products import Product, is_product

COPIES = {"clone", "_to_copy", "copy_", "contiguous", "constant_pad_nd"}


class Dispatched(TorchDispatchMode):
    """The names of the operations that torch runs."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.append(function.__name__.split(".")[0])
        return function(*args, **(kwargs or {}))


def small(**options):
    last = keras.config.image_data_format() == "channels_last"
    shape = (64, 64, 3) if last else (3, 64, 64)
    return fill(keras_resnet.build("resnet50", input_shape=shape, classes=5, **options))


def reference(model):
    """The same layers, called one by one."""
    return keras.Model(model.input, model.output)


def gradients(model, x, **call):
    model.zero_grad()
    model(x, **call).square().sum().backward()
    return [v.value.grad for v in model.trainable_variables]


def test_a_block_copies_no_map_and_no_kernel():
    model = small()
    x = torch.tensor(images(2, 64, 64, 3))
    gradients(model, x, training=True)
    with Dispatched() as forward:
        loss = model(x, training=True).sum()
    with Dispatched() as backward:
        loss.backward()
    # Moving statistics are assigned, two of each normalization; and a quarter of a map is gathered
    # for each 1x1 convolution with strides, that of its gradient scattered. Nothing else is copied.
    copies = Counter(name for name in forward.names if name in COPIES)
    assert copies == {"copy_": 2 * 53, "clone": 6}
    copies = Counter(name for name in backward.names if name in COPIES)
    assert copies == {"copy_": 6, "clone": 6}
    assert forward.names.count("native_batch_norm") == 53
    # All 1x1 convolutions, of maps as small as these, and the classifier.
    assert forward.names.count("mm") == 36 + 1
    assert forward.names.count("convolution") == 17
    assert forward.names.count("relu_") == 49
    assert forward.names.count("add_") >= 16


def test_inference_runs_a_unit_in_one_kernel():
    model = small()
    x = torch.tensor(images(8, 64, 64, 3))
    with torch.no_grad(), Dispatched() as ran:
        model(x, training=False)
    # The others have few pixels and many weights: these are not scaled for every batch.
    sums = ran.names.count("_convolution_pointwise_")
    folded = ran.names.count("_convolution_pointwise") + sums
    assert folded >= 20
    assert sums >= 7  # these take the place of the shortcut
    assert folded + ran.names.count("native_batch_norm") == 53
    # A quarter of a map, for each 1x1 convolution with strides among the others.
    assert Counter(name for name in ran.names if name in COPIES) == {"clone": 4}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_layers_alone_copy_no_map_and_no_kernel(policy):
    """In a model of Keras' own class, which calls one layer after the other."""
    image = keras.Input((12, 12, 8))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, dtype=policy)(image)
    x = layers.BatchNormalization(dtype=policy)(x)
    model = keras.Model(image, layers.MaxPooling2D(2, dtype=policy)(x))
    x = torch.tensor(images(2, 12, 12, 8))
    with Dispatched() as ran:
        model(x, training=True).float().sum().backward()
    copies = Counter(name for name in ran.names if name in COPIES)
    # The moving statistics are assigned. In half precision the image and the kernel are cast, the
    # output for the sum, and in the backward pass the gradients of the two that have one.
    casts = {} if policy == "float32" else {"_to_copy": 5}
    assert copies == {"copy_": 2, **casts}
    assert ran.names.count("native_batch_norm") == 1


def test_a_folded_network_runs_a_unit_in_one_kernel():
    model = keras_resnet.fold_batch_norm(small())
    x = torch.tensor(images(2, 64, 64, 3))
    with torch.no_grad(), Dispatched() as ran:
        model(x, training=False)
    kernels = Counter(name for name in ran.names if "conv" in name)
    assert kernels == {"_convolution_pointwise": 37, "_convolution_pointwise_": 16}
    assert not (COPIES | {"relu", "relu_", "add_"}) & set(ran.names)


def test_networks_without_normalization_train_as_their_layers_one_by_one():
    model = keras_resnet.fold_batch_norm(small())
    x = torch.tensor(images(2, 64, 64, 3))
    for ours, stock in zip(
        gradients(model, x, training=True),
        gradients(reference(model), x, training=True),
        strict=True,
    ):
        assert_close(as_array(ours), as_array(stock), 1e-5)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("side", [1, 5, 6])
def test_products_of_matrices_are_convolutions(side, strides, bias):
    values = images(2, 12, side, side), images(13, 12, 1, 1), images(13)
    dy = torch.tensor(images(2, 13, *(-(-side // stride) for stride in strides)))
    found = []
    for convolve in (torch_units.convolve, torch.conv2d):
        x, weight, add = (torch.tensor(value).requires_grad_() for value in values)
        maps = x.to(memory_format=torch.channels_last)
        add = add if bias else None
        with Dispatched() as ran:
            y = convolve(maps, weight, add, strides, (0, 0), (1, 1), 1)
        assert ("convolution" in ran.names) == (convolve is torch.conv2d)
        wanted = [t for t in (x, weight, add) if t is not None]
        found.append([y, *torch.autograd.grad(y, wanted, dy)])
    for ours, torchs in zip(*found, strict=True):
        assert ours.shape == torchs.shape
        assert_close(as_array(ours), as_array(torchs), 1e-6)


def test_products_of_matrices_have_gradients_of_gradients():
    x = torch.tensor(images(2, 3, 3, 3)).double().to(memory_format=torch.channels_last)
    weight, bias = torch.tensor(images(4, 3, 1, 1)).double(), torch.tensor(images(4)).double()
    inputs = [t.requires_grad_() for t in (x, weight, bias)]

    def product(*inputs):
        return Product.apply(*inputs, (2, 2)) ** 2

    assert torch.autograd.gradcheck(product, inputs)
    assert torch.autograd.gradgradcheck(product, inputs)


def test_convolutions_of_many_places_and_those_under_autocast_stay_convolutions():
    weight = torch.tensor(images(8, 8, 1, 1))
    few, many = torch.tensor(images(1, 8, 8, 8)), torch.tensor(images(1, 8, 8, 9))
    few, many = (x.to(memory_format=torch.channels_last) for x in (few, many))
    geometry = (1, 1), (0, 0), 1
    assert is_product(few, weight, *geometry)
    assert not is_product(many, weight, *geometry)
    assert not is_product(few, weight, (1, 1), (1, 1), 1)
    assert not is_product(few, weight[:, :4], (1, 1), (0, 0), 2)
    assert not is_product(few.contiguous(), weight, *geometry)
    assert not is_product(few, weight.expand(8, 8, 3, 1), *geometry)
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_product(few, weight, *geometry)


def around(make):
    """A network whose shortcut is what `make` does with a map."""
    image = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, padding="same")(image)
    x = keras.layers.ReLU()(x)
    shortcut, x, *others = make(x)
    y = keras.layers.ReLU()(keras.layers.Add()([shortcut, layers.Conv2D(4, 1)(x)]))
    return fill(FusedNetwork(image, [y, *others]))


def through(layer):
    """Two names of one tensor, where the layer does nothing."""
    return lambda x: (x, layers.Conv2D(4, 1)(x), layer(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: (x, x),
        lambda x: (x, layers.Conv2D(4, 1)(x), x),
        through(keras.layers.Dropout(0.5)),
        through(keras.layers.Identity()),
    ],
    ids=["input", "output", "dropout", "identity"],
)
def test_a_shortcut_that_somebody_else_reads_is_not_written_over(make):
    model = around(make)
    x = torch.tensor(images(2, 8, 8, 4))
    with torch.no_grad():
        found, wanted = model(x, training=False), reference(model)(x, training=False)
    for ours, stock in zip(keras.tree.flatten(found), keras.tree.flatten(wanted), strict=True):
        assert_close(as_array(ours), as_array(stock), 1e-5)


def test_gradients_are_written_over_where_nobody_else_holds_them():
    model = small()
    taken = []
    counted = torch_gradients.references
    alone = torch_gradients.REFERENCES_ALONE

    def references(gradient):
        counts = counted(gradient)
        taken.append((*counts[:2], counts[2] - 1) == alone)
        return alone if taken[-1] else counts

    torch_gradients.references = references
    try:
        gradients(model, torch.tensor(images(2, 64, 64, 3)), training=True)
    finally:
        torch_gradients.references = counted
    assert sum(taken) >= 50


def test_gradients_are_those_of_the_layers_one_by_one():
    keras.config.set_floatx("float64")
    model = small()
    x = torch.tensor(images(4, 64, 64, 3, dtype="float64"))
    ours = gradients(model, x, training=True)
    theirs = gradients(reference(model), x, training=True)
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine.numpy(), other.numpy(), 1e-9)


def test_a_gradient_that_a_hook_keeps_is_not_written_over():
    x = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    gamma = torch.ones(3, requires_grad=True)
    kept, copied = [], []

    def keep(gradient):
        kept.append(gradient)
        copied.append(gradient.clone())

    y = torch_gradients.NormalizeAddRelu.apply(x, gamma, None, None, 1e-5, True)[0]
    y.register_hook(keep)
    (y * torch.randn_like(y)).sum().backward()
    torch.testing.assert_close(kept[0], copied[0], rtol=0, atol=0)


def test_a_gradient_that_the_caller_passes_is_not_written_over():
    x = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    y = torch_gradients.NormalizeAddRelu.apply(x, torch.ones(3), None, None, 1e-5, True)[0]
    mine = torch.randn_like(y)
    before = mine.clone()
    y.backward(mine)
    torch.testing.assert_close(mine, before, rtol=0, atol=0)


@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("center", [False, True])
def test_gradients_of_gradients_are_right(add, relu, scale, center):
    def maps():
        x = torch.randn(2, 3, 3, 2, dtype=torch.float64)
        return x.contiguous(memory_format=torch.channels_last).requires_grad_()

    gamma, beta = (torch.rand(3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    gamma, beta = gamma if scale else None, beta if center else None
    other = maps() if add else None

    def unit(*arguments):
        return torch_gradients.NormalizeAddRelu.apply(*arguments, 1e-5, relu)[0]

    arguments = (maps(), gamma, beta, other)
    assert torch.autograd.gradcheck(unit, arguments)
    assert torch.autograd.gradgradcheck(unit, arguments)


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


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_channels_first_is_channels_last(channels_first, training, policy):
    keras.config.set_dtype_policy(policy)
    model = small()
    first = torch.tensor(images(4, 3, 64, 64))
    y = model(first, training=training).detach().numpy()
    keras.config.set_image_data_format("channels_last")
    last = small()
    expected = last(first.permute(0, 2, 3, 1), training=training).detach().numpy()
    assert_close(y, expected, 1e-4 if policy == "float32" else 5e-2)


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
    for network in (FusedNetwork, keras.Model):
        model = build(network)
        model(torch.tensor(images(2, 8, 8, 4)), training=True)
        found.append([as_array(v.value) for v in model.get_layer("shared").variables])
    for ours, stock in zip(*found, strict=True):
        assert_close(ours, stock, 1e-6)


def test_a_hook_on_a_layer_is_called():
    model = small()
    seen = []
    model.get_layer("conv3_1_a_bn").register_forward_hook(lambda *_: seen.append(1))
    x = torch.tensor(images(2, 64, 64, 3))
    assert_close(model(x).detach().numpy(), reference(model)(x).detach().numpy(), 1e-5)
    assert seen == [1, 1]


def test_a_hook_on_a_pool_is_called():
    model = small()
    seen = []
    model.get_layer("pool1").register_forward_hook(lambda *_: seen.append(1))
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
def test_training_is_the_same_under_the_compiler_which_leaves_the_network_as_it_is():
    losses = []
    x, y = images(8, 32, 32, 3), np.arange(8)
    torch._dynamo.utils.counters.clear()
    for jit_compile in (False, True):
        model = fill(keras_resnet.build("cifar_resnet8"))
        optimizer = training.SGD(0.01, 0.9)
        model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=jit_compile)
        losses.append([model.train_on_batch(x, y) for _ in range(3)])
    np.testing.assert_allclose(*losses, rtol=1e-4)
    assert 0 < torch._dynamo.utils.counters["stats"]["unique_graphs"] < 8


def test_torch_export_traces_a_network():
    model = fill(keras_resnet.build("cifar_resnet8"))
    model.eval()
    x = torch.tensor(images(2, 32, 32, 3))
    exported = torch.export.export(model, (x,))
    assert_close(exported.module()(x).detach().numpy(), model(x).detach().numpy(), 1e-5)


def test_torch_export_leaves_the_batch_open():
    model = fill(keras_resnet.build("cifar_resnet8"))
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
    model = layers.FusedNetwork(image, x)
    model(images(2, 8, 8, 3))
    assert len(model.losses) == 1
