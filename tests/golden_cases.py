"""What the golden files hold, and how it is computed. `python tools/golden.py` writes them."""

import json
import pathlib
import re

import keras
import numpy as np
from support import NAMES, fill, gradients, images, logits, random, row, without_values

import keras_resnet
from keras_resnet.paper import Architecture

FOLDER = pathlib.Path(__file__).parent / "golden"
REGENERATE = "If the change is meant, run `python tools/golden.py` and commit what it writes."

# A network's logits on two images of twice its stride; 1202 layers are tested in test_deep.py.
LOGITS = {
    **{name: (name, {}) for name in NAMES if row(name).depth < 1202},
    "resnet18-A": ("resnet18", {"shortcut": "A"}),
    "resnet18-C-caffe": ("resnet18", {"shortcut": "C", "pool1": "caffe"}),
    "resnet50-v1.5": ("resnet50", {"stride_on": "3x3"}),
    "resnet50-dilated": ("resnet50", {"output_stride": 8, "include_preprocessing": True}),
    "cifar_resnet20-center": ("cifar_resnet20", {"zero_channels": "center"}),
    "cifar_resnet20-B": ("cifar_resnet20", {"shortcut": "B"}),
    "cifar_resnet20-C": ("cifar_resnet20", {"shortcut": "C"}),
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
}


def build(case):
    network, options = case
    architecture = network if isinstance(network, Architecture) else row(network)
    side = 2 * architecture.stride
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
    with without_values():
        model = keras_resnet.build(name)
    blocks: dict[str, list[str]] = {}
    for variable in model.weights:
        block, rest = re.fullmatch(r"(conv\d+_\d+|)(.*)", variable.path).groups()
        shape = "x".join(map(str, variable.shape))
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
