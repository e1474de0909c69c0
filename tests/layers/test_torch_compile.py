"""Under torch.compile a network is one graph, without breaks, and computes what it did."""

import dataclasses

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images, row
from support.layers import as_array, assert_close

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)
import torch
from torch._dynamo.utils import counters

pytestmark = pytest.mark.filterwarnings("ignore")  # of torch, about itself
LABELS = torch.arange(4)
PREACTIVATED = dataclasses.replace(row("preact_resnet110"), blocks=(1, 1, 1))


@pytest.fixture(autouse=True)
def forgotten():
    """Nothing is compiled yet, and nothing was counted."""
    torch._dynamo.reset()
    counters.clear()


def compiled(function):
    """Traced as for any compiler, and run as it was traced: seconds, not minutes."""
    return torch.compile(function, backend="aot_eager")


def batch(count=4):
    return torch.tensor(images(count, 32, 32, 3))


def assert_graphs(count, breaks=()):
    assert counters["stats"]["unique_graphs"] == count
    assert [
        reason for reason in counters["graph_break"] if not any(x in reason for x in breaks)
    ] == []


def loss_of(model, x):
    return torch.nn.functional.cross_entropy(model(x, training=True), LABELS)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("network", ["cifar_resnet8", PREACTIVATED], ids=["v1", "preactivated"])
def test_a_network_is_one_graph_and_trains_as_without(network, policy):
    keras.config.set_dtype_policy(policy)
    options = {"classifier_activation": None, "input_shape": (32, 32, 3)}
    one, other = (filled(network, drop_path_rate=0.5, **options) for _ in range(2))
    for a, b in zip(one.variables, other.variables, strict=True):  # seeds among them
        b.assign(a)
    tolerance = 1e-5 if policy == "float32" else 2e-2
    loss_of(one, batch()).backward()
    loss_of(compiled(other), batch()).backward()
    assert_graphs(1)
    for a, b in zip(one.trainable_variables, other.trainable_variables, strict=True):
        assert_close(as_array(b.value.grad), as_array(a.value.grad), tolerance)
    for a, b in zip(one.variables, other.variables, strict=True):
        assert_close(as_array(b.value), as_array(a.value), tolerance)  # moving statistics too


def test_inference_is_one_graph_for_every_size_of_a_batch():
    model = filled("cifar_resnet8")
    fast = compiled(model)
    with torch.no_grad():
        for count in (4, 3, 2, 7):
            assert_close(as_array(fast(batch(count))), as_array(model(batch(count))), 1e-5)
    assert_graphs(2)  # of the first size, and of any


def test_a_step_of_training_is_two_graphs_whatever_the_learning_rate():
    models = [filled("cifar_resnet8", classifier_activation=None) for _ in range(2)]
    losses = []
    for model, wrap in zip(models, (lambda function: function, compiled), strict=True):
        parameters = [variable.value for variable in model.trainable_variables]
        rate = torch.tensor(0.01)
        optimizer = torch.optim.SGD(parameters, lr=rate)
        loss, update = wrap(loss_of), wrap(optimizer.step)
        losses.append([])
        for step in range(4):
            rate.fill_(0.01 / (step + 1))
            optimizer.zero_grad()
            value = loss(model, batch())
            value.backward()
            update()
            losses[-1].append(value.item())
    np.testing.assert_allclose(*losses, rtol=1e-5)
    # torch's optimizers break a graph of their own accord, around the step.
    assert_graphs(2, breaks=["torch._dynamo.graph_break()"])


def test_a_network_in_a_module_of_the_users_is_one_graph():
    class Wrapped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = filled("cifar_resnet8", include_top=False, pooling="avg")
            self.head = torch.nn.Linear(64, 3)

        def forward(self, x):
            return self.head(self.network(x, training=False))

    module = Wrapped()
    assert_close(as_array(compiled(module)(batch())), as_array(module(batch())), 1e-5)
    assert_graphs(1)
