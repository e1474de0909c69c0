"""Damaged files of every kind: an error within seconds, and memory within bounds."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from support.fuzz_weights import TINY

import keras_resnet

FUZZ = pathlib.Path(__file__).parents[1] / "support" / "fuzz_weights.py"
FILES = {
    "weights.npz": "torchvision",
    "weights.safetensors": "timm",
    "weights.pth": "torchvision",
    "weights.th": "akamaster",
    "weights.h5": "keras",
    "own.weights.h5": "",
}
# Most copies are refused; a flipped bit within the numbers of a format without checksums is not
# to be seen, and gives other finite numbers.
LEAST_REFUSED = 0.6


def write(model, name, path):
    if name == "own.weights.h5":
        model.save_weights(path)
    elif name == "weights.th":
        import torch

        from keras_resnet.weights import DIALECTS
        from keras_resnet.weights.save import arrays_of

        arrays = arrays_of(model, DIALECTS["akamaster"])
        state = {f"module.{name}": torch.from_numpy(np.array(a)) for name, a in arrays.items()}
        torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=False)
    else:
        keras_resnet.save_weights(model, path, FILES[name])


@pytest.mark.once
@pytest.mark.parametrize("copies", [25, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_files_are_refused_in_time_and_within_memory(copies, tmp_path):
    """Kinds whose package is absent are left out."""
    have = {name: importlib.util.find_spec(name) for name in ("torch", "safetensors")}
    model = keras_resnet.build(TINY, weights=None, classes=5)
    files = []
    for name in FILES:
        package = {"th": "torch", "pth": "torch", "safetensors": "safetensors"}
        if have.get(package.get(name.rpartition(".")[2], ""), True):
            files.append(tmp_path / name)
            write(model, name, files[-1])
    done = subprocess.run(
        [sys.executable, str(FUZZ), str(copies), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120 + 6 * copies,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    counts = re.findall(r"(\d+) copies, (\d+) refused", done.stdout)
    assert len(counts) == len(files)
    for tried, refused in counts:
        assert int(refused) >= LEAST_REFUSED * int(tried)
