"""What the layers promise on PyTorch beyond what Keras does: no copies, and nothing overwritten."""

from collections import Counter

import keras
import numpy as np
import pytest
from support import BACKEND, fill, images
from support.layers import as_array, assert_close
from support.torch_nets import Dispatched, reference, small

import keras_resnet
from keras_resnet import layers

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from keras_resnet.layers.torch import gradients as torch_gradients
from keras_resnet.layers.torch import units as torch_units
from keras_resnet.layers.torch.products import Product, is_product
from keras_resnet.network import Network

COPIES = {"clone", "_to_copy", "copy_", "contiguous", "constant_pad_nd"}


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


def test_inference_runs_convolution_normalization_and_addition_in_one_kernel():
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
    x = layers.AveragePooling2D(3, 1, "same", dtype=policy)(x)
    model = keras.Model(image, layers.MaxPooling2D(3, 2, "same", dtype=policy)(x))
    x = torch.tensor(images(2, 12, 12, 8))
    with Dispatched() as ran:
        model(x, training=True).float().sum().backward()
    copies = Counter(name for name in ran.names if name in COPIES)
    # The moving statistics are assigned. In half precision image, kernel and, for the sum, output
    # are cast, and backward the gradients of the two that have one.
    casts = {} if policy == "float32" else {"_to_copy": 5}
    assert copies == {"copy_": 2, **casts}
    assert ran.names.count("native_batch_norm") == 1


def test_a_folded_network_runs_a_unit_in_one_kernel_and_relu():
    model = keras_resnet.fold_batch_norm(small())
    x = torch.tensor(images(2, 64, 64, 3))
    with torch.no_grad(), Dispatched() as ran:
        model(x, training=False)
    kernels = Counter(name for name in ran.names if "conv" in name)
    assert kernels == {"_convolution_pointwise": 37, "_convolution_pointwise_": 16}
    assert ran.names.count("relu_") == 49  # the kernel's own would make 0 of NaN
    assert not (COPIES | {"relu", "add_"}) & set(ran.names)


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


@pytest.mark.parametrize("axis", [3, 1])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("side", [8, 16])  # of few places a product of matrices, of many not
def test_no_1x1_convolution_of_few_channels_has_strides(side, alone, axis):
    """The kernel gradient of torch 2.13 corrupts memory there, on CPUs that have only AVX2."""
    keras.config.set_image_data_format("channels_last" if axis == 3 else "channels_first")
    values = images(2, side, side, 4)
    image = keras.Input(values.shape[1:] if axis == 3 else values.transpose(0, 3, 1, 2).shape[1:])
    y = layers.Conv2D(16, 1, strides=2, name="conv")(image)
    model = fill((keras.Model if alone else Network)(image, y))
    x = torch.tensor(values if axis == 3 else values.transpose(0, 3, 1, 2).copy())
    with Strides() as ran:
        y = model(x, training=True)
    assert all(strides == [1, 1] for strides in ran.found)
    y = y if axis == 3 else y.permute(0, 2, 3, 1)
    probe = torch.tensor(images(*y.shape, label="probe"))
    kernel = model.get_layer("conv").kernel.value
    (found,) = torch.autograd.grad(y, [kernel], probe)
    expected = np.einsum("nhwi,nhwo->io", values[:, ::2, ::2], probe)
    assert_close(as_array(found)[0, 0], expected, 1e-5)


class Strides(TorchDispatchMode):
    """The strides of all convolutions that torch runs."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function is torch.ops.aten.convolution.default:
            self.found.append(list(args[3]))
        return function(*args, **(kwargs or {}))


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
    shortcut, x, *others = make(keras.layers.ReLU()(x))
    y = keras.layers.ReLU()(keras.layers.Add()([shortcut, layers.Conv2D(4, 1)(x)]))
    return fill(Network(image, [y, *others]))


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
    counted = torch_gradients.reference_counts
    alone = torch_gradients.REFERENCES_ALONE

    def reference_counts(gradient):
        counts = counted(gradient)
        taken.append((*counts[:2], counts[2] - 1) == alone)
        return alone if taken[-1] else counts

    torch_gradients.reference_counts = reference_counts
    try:
        gradients(model, torch.tensor(images(2, 64, 64, 3)), training=True)
    finally:
        torch_gradients.reference_counts = counted
    assert sum(taken) >= 50


def test_gradients_are_those_of_the_layers_one_by_one():
    keras.config.set_dtype_policy("float64")
    model = small()
    x = torch.tensor(images(4, 64, 64, 3, dtype="float64"))
    ours = gradients(model, x, training=True)
    theirs = gradients(reference(model), x, training=True)
    for mine, other in zip(ours, theirs, strict=True):
        assert_close(mine.numpy(), other.numpy(), 1e-9)


@pytest.mark.parametrize("scale", [False, True])
def test_a_gradient_that_a_hook_keeps_is_not_written_over(scale):
    x = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last).requires_grad_()
    gamma = torch.ones(3, requires_grad=True) if scale else None
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
