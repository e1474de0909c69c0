"""What takes minutes: each system as its paper trained it, and the largest of them in 6 GiB."""

import json
import os
import subprocess
import sys

import keras
import pytest
from support import BACKEND
from support.recipes import WRITTEN, run

pytestmark = pytest.mark.slow

# Few images need small batches. VGG, whose layers nothing normalizes, needs its whole rate.
NARROW = {
    "vgg16": "--width 16 --size 64 --batch-size 32 --learning-rate 0.01 --epochs 24",
    "googlenet": "--width 16 --size 80 --epochs 12",
    "prelu_net_a": "--width 32 --size 64 --batch-size 32 --epochs 6",
    "bn_inception": "--width 16 --size 64 --epochs 5",
}


@pytest.mark.parametrize("model", NARROW)
def test_a_narrow_build_learns_the_digits_as_its_paper_trained(model, tmp_path):
    data = ["--dataset", "digits", "--model", model, "--recipe", "paper"]
    process = run("imagenet", *data, *NARROW[model].split(), "--out", tmp_path)
    assert process.returncode == 0, process.stderr
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    results = json.loads((tmp_path / "results.json").read_text())
    error = results["networks"][model]["final"]["top1_error"]
    print(f"{BACKEND}, {model}: {100 - error:.1f} % of 360 digits")
    assert error < 10
    assert keras.models.load_model(tmp_path / "model.keras").output.shape == (None, 10)


@pytest.mark.parametrize("model", NARROW)
def test_a_smoke_run_of_each_papers_training(model, tmp_path):
    process = run("imagenet", "--smoke", "--model", model, "--width", "8", "--out", tmp_path)
    assert process.returncode == 0, process.stderr
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN


def test_prelu_net_c_runs_within_six_gigabytes():
    pytest.importorskip("resource")
    code = """
import resource, numpy as np, keras_resnet
model = keras_resnet.PReLUNetC(weights=None)
y = model(np.zeros((1, 224, 224, 3), "float32"), training=False)
assert y.shape == (1, 1000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    gigabytes = float(done.stdout.split()[-1])
    print(f"{BACKEND}: {gigabytes:.2f} GiB")
    assert gigabytes < 6
