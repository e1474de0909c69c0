"""The CIFAR-10 recipe: what the paper says, and the same on every backend."""

import json

import numpy as np
from golden_cases import FOLDER, REGENERATE
from support_training import twenty_steps


def test_twenty_steps_are_the_same_on_every_backend():
    golden = json.loads((FOLDER / "training.json").read_text())
    found = twenty_steps()
    for name, values in golden.items():
        np.testing.assert_allclose(found[name], values, 1e-4, 1e-5, err_msg=REGENERATE)
