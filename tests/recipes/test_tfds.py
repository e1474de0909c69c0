"""The recipe for ImageNet on the official archives, by way of TFDS' own builder."""

import json
import pathlib
import subprocess
import sys

import keras
import pytest

from keras_resnet.data import prepare_imagenet

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "recipes"


def run(*command):
    process = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=900
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_the_recipe_trains_on_what_the_builder_made_of_the_archives(tmp_path, shared_data):
    pytest.importorskip("tensorflow_datasets")
    archives, out = tmp_path / "archives", tmp_path / "run"
    run(shared_data / "make_ilsvrc2012.py", archives, "--val", 50)
    data = prepare_imagenet(tmp_path / "tfds", archives)
    narrow = ("--model", "resnet18", "--width", 8, "--size", 64)
    printed = run(
        *(RECIPES / "imagenet.py", "--data", data, "--out", out, *narrow),
        *("--batch-size", 16, "--steps", 20, "--backend", keras.backend.backend()),
    )
    assert "resnet18 on 500 images of 1000 classes, 50 held out" in printed
    found = json.loads((out / "results.json").read_text())["networks"]["resnet18"]
    assert found["history"]["step"] == [20]
    assert found["final"]["images"] == 50
