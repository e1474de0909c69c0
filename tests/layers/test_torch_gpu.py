"""What a step would cost on a GPU, counted on a device that is only pretended."""

import json
import os
import pathlib
import subprocess
import sys
import threading

import pytest
from support import BACKEND, images
from support.layers import as_array, assert_close

if BACKEND != "torch":
    pytest.skip("these tests are about PyTorch", allow_module_level=True)
import torch

from keras_resnet.layers import replicas
from keras_resnet.layers.torch.gradients import NormalizeAddRelu
from keras_resnet.layers.torch.replicas import NormalizeTogether

RESNET50 = {"name": "resnet50", "stride_on": "3x3"}
HALF = {**RESNET50, "policy": "mixed_bfloat16"}
# A step of torchvision 0.28's ResNet-50 at batch 256, forward and backward, counted likewise:
# in float32, and under autocast to bfloat16.
TORCHVISION = {"float32": (495, 200.2e9), "mixed_bfloat16": (735, 101.3e9)}
CASES = {
    "half": HALF,
    "single": RESNET50,
    "synchronized": {**HALF, "synchronized": True},
    "v2": {"name": "resnet50v2", "input_shape": [64, 64, 3]},
    "cifar": {"name": "cifar_resnet20"},
    "D": {**RESNET50, "stem": "deep", "downsample": "avg", "input_shape": [64, 64, 3]},
    "dropping": {**RESNET50, "drop_path_rate": 0.05, "input_shape": [64, 64, 3]},
    "blur": {"name": "resnet18", "blur_pool": True, "input_shape": [64, 64, 3]},
    "bn_inception": {"name": "bn_inception"},
    "googlenet": {"name": "googlenet", "auxiliary": True},
    "plain": {"name": "cifar_plain20"},
    "preactivated": {"name": "preact_resnet18", "input_shape": [64, 64, 3]},
    "resnext": {"name": "resnext50_32x4d", "input_shape": [64, 64, 3]},
    "vgg": {"name": "vgg11_lrn", "input_shape": [32, 32, 3]},
    "prelu": {"name": "prelu_net_a"},
}


@pytest.fixture(scope="module")
def counted():
    """What a step of each case costs."""
    program = pathlib.Path(__file__).parents[1] / "support" / "pretended.py"
    command = [sys.executable, "-W", "ignore", str(program), json.dumps(list(CASES.values()))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("case", "most"),
    # Synchronized, a map is read once more forward and two are backward, for their sums.
    [("half", 1.01), ("single", 1.01), ("synchronized", 1.18)],
)
def test_a_step_moves_no_more_bytes_than_torchvisions(case, most, counted):
    _, moved = TORCHVISION[CASES[case].get("policy", "float32")]
    assert counted[case]["bytes"] <= most * moved


@pytest.mark.parametrize("case", ["half", "single"])
def test_a_step_starts_no_more_operators_than_torchvisions(case, counted):
    operators, _ = TORCHVISION[CASES[case].get("policy", "float32")]
    assert counted[case]["operators"] <= 1.02 * operators


def test_to_synchronize_costs_a_few_operators_a_normalization(counted):
    assert counted["synchronized"]["operators"] - counted["half"]["operators"] <= 24 * 53


# Those of zeros that are a part of the network: option A's channels, and what Caffe's pools of
# joined branches hang over; and maps that are flattened.
COPIES = {"cifar": 4, "v2": 2, "googlenet": 12, "vgg": 2}


@pytest.mark.parametrize("case", CASES)
def test_no_step_copies_a_map(case, counted):
    assert counted[case]["copies"] <= COPIES.get(case, 0)


@pytest.mark.parametrize("case", CASES)
def test_no_step_makes_the_host_wait_for_the_device(case, counted):
    assert counted[case]["waits"] == 0


class Replicas:
    """Two threads, each with a part of a batch."""

    def __init__(self):
        self.barrier = threading.Barrier(2, timeout=60)
        self.sent = {}

    def sum(self, x):
        self.sent[threading.current_thread().name] = x
        self.barrier.wait()
        total = self.sent["0"] + self.sent["1"]
        self.barrier.wait()
        return total

    def run(self, function, parts):
        found = {}

        def one(n):
            found[n] = function(parts[n])

        threads = [threading.Thread(target=one, args=[n], name=str(n)) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[0], found[1]]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("relu", [False, True])
def test_two_replicas_normalize_as_one(relu, add, scale, dtype, monkeypatch):
    x, other, dy = (torch.tensor(images(6, 3, 4, 4, label=label)) + 2 for label in "xod")
    wide = torch.float32 if dtype == torch.bfloat16 else dtype
    gamma, beta = (torch.tensor(images(3, label=label)).to(wide) for label in "gb")
    gamma, beta = (gamma, beta) if scale or dtype == torch.bfloat16 else (None, None)
    monkeypatch.setattr(replicas, "sum_over_replicas", None)

    def step(unit, part):
        maps = [t[part].to(dtype).to(memory_format=torch.channels_last) for t in (x, other, dy)]
        vectors = [None if t is None else t.clone().requires_grad_() for t in (gamma, beta)]
        maps[0].requires_grad_(), maps[1].requires_grad_()
        y, mean, inverse_std = unit.apply(maps[0], *vectors, maps[1] if add else None, 1e-3, relu)
        y.backward(maps[2])
        grads = [t.grad for t in (*maps[:2], *vectors) if t is not None and t.grad is not None]
        return [y.detach(), *grads, mean, inverse_std]

    whole = step(NormalizeAddRelu, slice(0, 6))
    both = Replicas()
    monkeypatch.setattr(replicas, "sum_over_replicas", both.sum)
    parts = both.run(lambda part: step(NormalizeTogether, part), [slice(0, 2), slice(2, 6)])
    tolerance = {torch.float64: 1e-12, torch.float32: 3e-5, torch.bfloat16: 2e-2}[dtype]
    for one, first, second in zip(whole, *parts, strict=True):
        if one.ndim == 4:
            found = torch.cat([first, second])
        elif one is whole[-1] or one is whole[-2]:  # statistics: those of all
            found = first
        else:  # gradients of vectors: each replica has its share
            found = first + second
        assert_close(as_array(found.float()), as_array(one.float()), max(tolerance, 1e-6))


def test_gradients_of_gradients_of_all_replicas_are_refused(monkeypatch):
    monkeypatch.setattr(replicas, "sum_over_replicas", torch.clone)
    x = torch.tensor(images(2, 3, 2, 2)).requires_grad_()
    y = NormalizeTogether.apply(x, torch.ones(3), None, None, 1e-3, False)[0]
    (gradient,) = torch.autograd.grad((y**3).sum(), [x], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
