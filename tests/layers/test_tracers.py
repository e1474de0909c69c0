"""Under every tracer and transform of PyTorch a network does what one of stock layers does."""

import io

import keras
import numpy as np
import pytest
from support import BACKEND, fill, images
from support.layers import as_array, assert_close

import keras_resnet
from keras_resnet.network import Network

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)
import torch
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

OPTIONS = {"weights": None, "input_shape": (16, 16, 3), "classes": 5}


@pytest.fixture(scope="module")
def models():
    """A network, and the same of stock layers; neither has been called."""
    ours = fill(keras_resnet.build("cifar_resnet8", **OPTIONS))
    stock = keras_resnet.build("cifar_resnet8", **OPTIONS, layers="keras")
    stock.set_weights(ours.get_weights())
    return ours.eval(), stock.eval()


def batch(count=2):
    return torch.tensor(images(count, 16, 16, 3))


def jit_trace(model, x):
    return torch.jit.trace(model, (x,), check_trace=False)(x)


def dynamo_export(model, x):
    return torch.export.export(model, (x,)).module()(x)


def func_grad(model, x):
    return torch.func.grad(lambda x: model(x).square().sum())(x)


def func_jacrev(model, x):
    return torch.func.jacrev(model)(x[:1])


def func_jvp(model, x):
    return torch.func.jvp(model, (x,), (torch.ones_like(x),))[1]


def func_vmap(model, x):
    if isinstance(model, Network):
        return torch.func.vmap(lambda one: model(one[None])[0])(x)
    return model(x)  # Keras' own convolution knows nothing of vmap


def of_one_image(model):
    """The gradients of a loss of one image, by the values of the weights."""
    state = [v.value for v in model.non_trainable_variables]

    def loss(weights, one):
        return model.stateless_call(weights, state, one[None], training=False)[0].square().sum()

    return torch.func.grad(loss), [v.value.detach() for v in model.trainable_variables]


def per_example_gradients(model, x):
    gradient, weights = of_one_image(model)
    if isinstance(model, Network):
        found = torch.func.vmap(gradient, (None, 0))(weights, x)
    else:
        found = map(torch.stack, zip(*(gradient(weights, one) for one in x), strict=True))
    return torch.cat([part.flatten() for part in found])


def gradient_of_gradient(model, x):
    x = x.clone().requires_grad_()
    (first,) = torch.autograd.grad(model(x, training=True).sin().sum(), x, create_graph=True)
    return torch.autograd.grad((first * batch()).sum(), x)[0]


def forward_mode(model, x, training=False):
    with forward_ad.dual_level():
        y = model(forward_ad.make_dual(x, torch.ones_like(x)), training=training)
        return forward_ad.unpack_dual(y).tangent


def forward_mode_in_training(model, x):
    return forward_mode(model, x, training=True)


def jacobian(model, x):
    return torch.autograd.functional.jacobian(model, x[:1])


def recomputed(model, x):
    x = x.clone().requires_grad_()
    checkpoint(model, x, use_reentrant=False).square().sum().backward()
    return x.grad


def autocast(model, x):
    with torch.autocast("cpu", torch.bfloat16):
        return model(x).float()


def inference_mode(model, x):
    with torch.inference_mode():
        return model(x)


def onnx_script(model, x):
    onnxruntime = pytest.importorskip("onnxruntime")
    file = io.BytesIO()
    torch.onnx.export(model, (x,), file, dynamo=False)
    session = onnxruntime.InferenceSession(file.getvalue())
    return torch.tensor(session.run(None, {session.get_inputs()[0].name: x.numpy()})[0])


WAYS = [jit_trace, dynamo_export, func_grad, func_jacrev, func_jvp, func_vmap, forward_mode]
WAYS += [per_example_gradients, gradient_of_gradient]
WAYS += [forward_mode_in_training, jacobian, recomputed, autocast, inference_mode, onnx_script]


@pytest.mark.filterwarnings("ignore")  # of torch, about its own tracers
@pytest.mark.parametrize("way", WAYS)
def test_a_network_is_as_one_of_stock_layers_under(way, models):
    mine, theirs = (as_array(way(model, batch())) for model in models)
    assert_close(mine, theirs, 2e-2 if way is autocast else 1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("format", "name"), [("onnx", "m.onnx"), ("torch", "m.pt2")])
def test_keras_exports_a_network_that_has_been_called(format, name, models, tmp_path):
    ours, _ = models
    x = batch(1)  # Keras fixes the batch of a .pt2 at 1
    wanted = as_array(ours(x))
    ours.export(tmp_path / name, format=format, verbose=False)
    if format == "torch":
        found = as_array(torch.export.load(tmp_path / name).module()(x))
    else:
        session = pytest.importorskip("onnxruntime").InferenceSession(tmp_path / name)
        found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    assert_close(found, wanted, 1e-5)


HOOKS = {
    "forward": torch.nn.modules.module.register_module_forward_hook,
    "before forward": torch.nn.modules.module.register_module_forward_pre_hook,
    "backward": torch.nn.modules.module.register_module_full_backward_hook,
    "before backward": torch.nn.modules.module.register_module_full_backward_pre_hook,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", HOOKS)
def test_a_hook_on_all_modules_sees_what_it_sees_of_stock_layers(kind, models):
    seen = {}
    for model in models:
        names = seen[id(model)] = []
        with HOOKS[kind](lambda module, *_, names=names: names.append(module.name)):
            model(batch().requires_grad_()).square().sum().backward()
    mine, theirs = seen.values()
    assert mine == theirs
    assert len(mine) >= 30


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["conv2_1_a", "conv2_1_a_bn", "conv2_1_add", "conv2_1"])
@pytest.mark.parametrize(
    "register",
    [
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
    ],
)
def test_a_hook_on_a_layer_runs_before_a_call_and_after_one(register, name, models):
    counts = []
    for model in models:
        seen = []
        for _ in range(2):
            with getattr(model.get_layer(name), register)(lambda *_, seen=seen: seen.append(1)):
                model(batch().requires_grad_()).square().sum().backward()
            model(batch())
        counts.append(len(seen))
    assert counts == [2, 2]


def test_an_error_in_the_plan_is_the_one_that_is_seen(models, monkeypatch):
    def broken(layer):
        raise AttributeError("of the plan")

    monkeypatch.setattr("keras_resnet.layers.fusion.plain_convolution", broken)
    model = keras.models.clone_model(models[0])
    with pytest.raises(AttributeError, match="of the plan"):
        model.call(batch())


def test_nan_and_infinity_come_out_of_inference(models):
    ours, _ = models
    for bad in (np.nan, np.inf):
        x = batch()
        x[0, 3, 3, 1] = bad
        with torch.no_grad():
            y = as_array(ours(x))
        assert not np.isfinite(y[0]).any()
        assert np.isfinite(y[1]).all()
