"""Networks whose layers torch runs as one are those of stock layers, in every precision."""

import keras
import pytest
from support import BACKEND, fill, images

from keras_resnet.networks.assembly import KITS

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)

import torch

STOCK = KITS["keras"]
# A map is rounded once by each layer, to half a unit in its last place: by stock layers up to six
# times on the longest way of the network (three convolutions and normalizations, and an
# addition), by ours at most as often. Each way through it is off by at most seven halves.
ROUNDING = {"float32": 2**-17, "mixed_float16": 7 * 2**-11, "mixed_bfloat16": 7 * 2**-8}


def block(kit, scale, center, bias):
    """Padding, convolutions of 3x3 and 1x1, an addition; bias, gamma or beta where asked for."""
    image = keras.Input((9, 9, 4))

    def unit(x, name, kernel, relu=True):
        x = kit.Conv2D(8, kernel, use_bias=bias, name=name)(x)
        x = kit.BatchNormalization(scale=scale, center=center, name=f"{name}_bn")(x)
        return keras.layers.ReLU()(x) if relu else x

    x = unit(keras.layers.ZeroPadding2D(1)(image), "a", 3)
    y = unit(keras.layers.ZeroPadding2D(1)(x), "b", 3)
    y = unit(y, "c", 1, relu=False)
    y = keras.layers.ReLU()(keras.layers.Add()([x, y]))
    return fill(kit.Model(image, y))


@pytest.mark.parametrize("mode", ["training", "inference", "no_grad"])
@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("policy", ROUNDING)
def test_what_runs_as_one_is_what_stock_layers_do(policy, scale, center, mode):
    keras.config.set_dtype_policy(policy)
    found = []
    for kit in (KITS["fast"], STOCK):
        # While it trains, normalization removes a bias: its gradient is what rounding leaves. In
        # half precision a stock layer rounds once more where it adds one, which turns ReLUs.
        model = block(kit, scale, center, bias=policy == "float32" and mode != "training")
        x = torch.tensor(images(4, 9, 9, 4)).requires_grad_(mode != "no_grad")
        with torch.set_grad_enabled(mode != "no_grad"):
            y = model(x, training=mode == "training")
        results = {"outputs": y}
        if mode != "no_grad":
            wanted = [x, *(v.value for v in model.trainable_variables)]
            probe = torch.tensor(images(*y.shape, label="probe")).to(y.dtype)
            gradients = torch.autograd.grad(y, wanted, probe)
            names = ["x", *(v.path for v in model.trainable_variables)]
            results |= dict(zip(names, gradients, strict=True))
        results |= {v.path: v.value for v in model.non_trainable_variables}
        found.append(results)
    ours, stock = found
    for name, mine in ours.items():
        assert mine.dtype == stock[name].dtype, name
        mine, other = mine.detach().float(), stock[name].detach().float()
        error = (mine - other).norm() / other.norm()
        assert error <= ROUNDING[policy], name


def test_a_pool_whose_window_lies_in_the_padding_is_that_of_stock_layers():
    found = []
    for kit in (KITS["fast"], STOCK):
        image = keras.Input((6, 6, 4))
        x = keras.layers.ReLU()(kit.Conv2D(4, 1, name="a")(image))
        x = kit.MaxPooling2D(2, 2)(keras.layers.ZeroPadding2D(2)(x))
        found.append(fill(kit.Model(image, x))(torch.tensor(images(2, 6, 6, 4))))
    torch.testing.assert_close(*found)
