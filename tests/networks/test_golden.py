"""The same weights mean the same on TensorFlow, JAX and PyTorch, and go on meaning it."""

import numpy as np
import pytest
from support import BACKEND, EVERY
from support.facts import all_kinds
from support.golden_cases import (
    GRADIENTS,
    LOGITS,
    MODES,
    ONLY_INFERENCE,
    REGENERATE,
    golden,
    gradients_of,
    logits_of,
    variables_of,
)

# The others are made of the same parts: `make test-all` has them too. torch compiles none of them.
QUICK_LOGITS = {
    *(key for key in LOGITS if key.startswith("tiny-")),
    *("resnet50-v1.5", "cifar_resnet20", "resnet18-A"),
}
if BACKEND == "torch":
    QUICK_LOGITS |= {
        *("resnet18", "resnet50-dilated", "resnext50_32x4d", "resnet18-C-caffe", "plain34"),
        *("cifar_plain20", "cifar_resnet20-center"),
    }
QUICK_GRADIENTS = {
    *(("basic-C-caffe", "training"), ("bottleneck-v1.5-A-dilated", "training")),
    *(("cifar_resnet20-C", "training"), ("preact_cifar", "training"), ("d", "training")),
    *((key, "inference") for key in ("basic-B", *ONLY_INFERENCE)),
}


def quick(cases, chosen):
    """All cases, those that are not chosen marked slow."""
    assert chosen <= set(cases)
    slow = {"marks": pytest.mark.slow}
    each = [(case, case if isinstance(case, tuple) else (case,)) for case in cases]
    return [pytest.param(*values, **({} if case in chosen else slow)) for case, values in each]


@pytest.mark.parametrize("key", quick(LOGITS, QUICK_LOGITS))
def test_the_same_weights_give_the_same_logits_on_every_backend(key):
    expected = np.array(golden("logits")[key])
    worst = abs(logits_of(LOGITS[key]) - expected).max() / abs(expected).max()
    assert worst < 1e-5, f"relative to the largest logit. {REGENERATE}"


@pytest.mark.parametrize(("key", "mode"), quick(MODES, QUICK_GRADIENTS))
def test_the_same_weights_give_the_same_gradients_on_every_backend(key, mode):
    expected = golden("gradients")[f"{key} {mode}"]
    found = gradients_of(GRADIENTS[key], mode == "training")
    assert list(found) == list(expected), REGENERATE
    worst = {
        path: max(abs(np.subtract(found[path], expected[path]))) / expected[path][0]
        for path in expected
    }
    assert max(worst.values()) < 1e-4, f"{max(worst, key=worst.get)}. {REGENERATE}"


@pytest.mark.parametrize("name", all_kinds(EVERY))
def test_variables_keep_their_paths_shapes_and_order(name):
    assert variables_of(name) == golden("variables")[name], REGENERATE
