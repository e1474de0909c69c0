"""The same weights mean the same on TensorFlow, JAX and PyTorch, and go on meaning it."""

import numpy as np
import pytest
from support import EVERY
from support.golden_cases import (
    GRADIENTS,
    LOGITS,
    MODES,
    REGENERATE,
    golden,
    gradients_of,
    logits_of,
    variables_of,
)


@pytest.mark.parametrize("key", LOGITS)
def test_the_same_weights_give_the_same_logits_on_every_backend(key):
    expected = np.array(golden("logits")[key])
    worst = abs(logits_of(LOGITS[key]) - expected).max() / abs(expected).max()
    assert worst < 1e-5, f"relative to the largest logit. {REGENERATE}"


@pytest.mark.parametrize(("key", "mode"), MODES)
def test_the_same_weights_give_the_same_gradients_on_every_backend(key, mode):
    expected = golden("gradients")[f"{key} {mode}"]
    found = gradients_of(GRADIENTS[key], mode == "training")
    assert list(found) == list(expected), REGENERATE
    worst = {
        path: max(abs(np.subtract(found[path], expected[path]))) / expected[path][0]
        for path in expected
    }
    assert max(worst.values()) < 1e-4, f"{max(worst, key=worst.get)}. {REGENERATE}"


@pytest.mark.parametrize("name", EVERY)
def test_variables_keep_their_paths_shapes_and_order(name):
    assert variables_of(name) == golden("variables")[name], REGENERATE
