"""What the golden files hold, and how it is computed. `python tools/golden.py` writes them."""

import json
import pathlib
import re

import keras
import numpy as np

import keras_resnet
from keras_resnet.networks.paper import Architecture
from keras_resnet.networks.systems import VGG, BNInception, GoogLeNet, PReLUNet
from support import NAMES, fill, gradients, images, logits, random, row
from support.facts import facts, is_later

FOLDER = pathlib.Path(__file__).parents[1] / "golden"
REGENERATE = "If the change is meant, run `python tools/golden.py` and commit what it writes."

# Narrow networks of every kind that is not the paper's own.
TINY = {
    "vgg": VGG((1, 1, 2, 2), width=8, units=16),
    "vgg_lrn": VGG((1, 1, 2), width=8, units=16, lrn=True),
    "vgg_1x1": VGG((1, 2, 3), width=8, units=16, last_is_1x1=True),
    "googlenet": GoogLeNet(width=8, units=16),
    "prelu_net": PReLUNet((1, 2, 1), (8, 16, 16), conv1=8, units=16),
    "bn_inception": BNInception(width=8),
    "preact_cifar": Architecture("bottleneck", (2, 2, 2), 4, "cifar", "B", "preactivation"),
    "preact_basic": Architecture("basic", (2, 1, 1, 1), 8, "imagenet", "B", "preactivation"),
    "preact": Architecture("bottleneck", (1, 2, 1, 1), 8, "imagenet", "B", "preactivation"),
    "v2": Architecture("bottleneck", (2, 2, 2, 2), 8, "imagenet", "B", "v2"),
    "d": Architecture("bottleneck", (1, 2, 1, 1), 8, "deep", "B"),
    "wide": Architecture("bottleneck", (1, 1, 1, 1), 8, "imagenet", "B", width_per_group=16),
    "wide_cifar": Architecture("basic", (1, 1, 1), 4, "cifar", "B", "preactivation", widening=3),
}

# A network's logits on two images of twice its stride; 1202 layers are tested in test_deep.py.
LOGITS = {
    **{name: (name, {}) for name in NAMES if row(name).depth < 1202 and not is_later(name)},
    "resnext50_32x4d": ("resnext50_32x4d", {}),
    "resnet18-A": ("resnet18", {"shortcut": "A"}),
    "resnet18-C-caffe": ("resnet18", {"shortcut": "C", "pool1": "caffe"}),
    "resnet50-v1.5": ("resnet50", {"stride_on": "3x3"}),
    "resnet50-dilated": ("resnet50", {"output_stride": 8, "include_preprocessing": True}),
    "cifar_resnet20-center": ("cifar_resnet20", {"zero_channels": "center"}),
    "cifar_resnet20-B": ("cifar_resnet20", {"shortcut": "B"}),
    "cifar_resnet20-C": ("cifar_resnet20", {"shortcut": "C"}),
    **{f"tiny-{name}": (row, {}) for name, row in TINY.items()},
    "tiny-googlenet-separable": (TINY["googlenet"], {"conv1": "separable"}),
    "tiny-prelu_net-proportional": (TINY["prelu_net"], {"spp": "proportional"}),
    "tiny-bn_inception-128": (TINY["bn_inception"], {"pool_proj": 128, "conv1": "separable"}),
    "tiny-preact-first-norm": (TINY["preact"], {"first_norm": "conv2_1", "stride_on": "3x3"}),
    "tiny-preact-dilated": (TINY["preact"], {"output_stride": 8}),
    "tiny-d-avg": (TINY["d"], {"stride_on": "3x3", "downsample": "avg"}),
}
# Narrow networks: ReLU has a kink, and where a million units are rounded to single precision a
# few fall on its other side. The gradient jumps there, on any backend and by no one's mistake.
BASIC = Architecture("basic", (1, 1, 1, 1), 4, "imagenet", "B")
BOTTLENECK = Architecture("bottleneck", (1, 2, 1, 1), 4, "imagenet", "B")
GRADIENTS = {
    "basic-B": (BASIC, {}),
    "basic-C-caffe": (BASIC, {"shortcut": "C", "pool1": "caffe"}),
    "bottleneck-v1-B": (BOTTLENECK, {}),
    "bottleneck-v1.5-A-dilated": (
        BOTTLENECK,
        {"stride_on": "3x3", "shortcut": "A", "output_stride": 8},
    ),
    "cifar_resnet20": ("cifar_resnet20", {}),
    "cifar_resnet20-C": ("cifar_resnet20", {"shortcut": "C"}),
    "cifar_plain20": ("cifar_plain20", {}),
    **{
        name: (TINY[name], {})
        for name in (
            "vgg_lrn",
            "prelu_net",
            "bn_inception",
            "preact_cifar",
            "v2",
            "d",
            "wide_cifar",
        )
    },
}
# While training, dropout draws; a bias that a normalization takes away has a gradient of nothing
# but rounding; and statistics of a single pixel magnify it.
ONLY_INFERENCE = ("vgg_lrn", "prelu_net", "bn_inception", "v2")
MODES = [
    (key, mode)
    for key in GRADIENTS
    for mode in ("inference", "training")
    if mode == "inference" or key not in ONLY_INFERENCE
]


def build(case):
    network, options = case
    side = 2 * row(network).stride
    return fill(
        keras_resnet.build(
            network,
            input_shape=(side, side, 3),
            classes=4,
            classifier_activation=None,
            **options,
        )
    )


def golden(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text())


def logits_of(case) -> np.ndarray:
    model = build(case)
    return logits(model, images(2, *model.input.shape[1:], dtype=keras.config.floatx()))


def gradients_of(case, training: bool) -> dict[str, tuple[float, float]]:
    """Of each gradient its norm, and its product with a random vector: no two places are alike."""
    model = build(case)
    x = images(4, *model.input.shape[1:], dtype=keras.config.floatx())
    return {
        path: (
            float(np.linalg.norm(value.astype("float64"))),
            float((value * random(path).standard_normal(value.shape)).sum()),
        )
        for path, value in gradients(model, x, training).items()
    }


def variables_of(name: str) -> dict[str, list[str]]:
    """Paths and shapes of all variables in their order; blocks that are alike are listed once."""
    blocks: dict[str, list[str]] = {}
    for path, sizes in facts(name).variables:
        block, rest = re.fullmatch(r"(conv\d+_\d+(?=_)|)(.*)", path).groups()
        shape = "x".join(map(str, sizes))
        blocks.setdefault(block or "rest", []).append(f"{rest} {shape}")
    return folded(blocks)


def folded(blocks: dict[str, list[str]]) -> dict[str, list[str]]:
    runs: list[list] = []
    for block, held in blocks.items():
        stage = block.rpartition("_")[0]
        if runs and runs[-1][0].startswith(f"{stage}_") and runs[-1][2] == held:
            runs[-1][1] = block
        else:
            runs.append([block, block, held])
    return {first if first == last else f"{first} to {last}": held for first, last, held in runs}
