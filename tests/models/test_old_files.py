"""Files that version 0.1 wrote: the classes they name have moved, and they still load."""

import json
import pathlib
import zipfile

import keras
import numpy as np
import pytest
from support import BACKEND

import keras_resnet
from keras_resnet import training
from keras_resnet.evaluation import read

pytestmark = pytest.mark.portable

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
TINY = keras_resnet.Architecture("basic", (1, 1), 4, "cifar", "A")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("version-0.1")
    with zipfile.ZipFile(GOLDEN / "version-0.1.zip") as archive:
        archive.extractall(folder)
    return folder


def tiny():
    return keras_resnet.build(TINY, classes=4, input_shape=(8, 8, 3), name="tiny")


def assert_predicts(model, expected):
    with np.load(expected) as kept:
        np.testing.assert_allclose(model.predict(kept["x"], verbose=0), kept["y"], atol=1e-5)


def test_a_model_of_fused_layers_loads(old):
    with zipfile.ZipFile(old / "tiny.keras") as archive:
        assert json.loads(archive.read("config.json"))["class_name"] == "FusedNetwork"
    model = keras.models.load_model(old / "tiny.keras")
    assert type(model) is keras_resnet.Network
    assert_predicts(model, old / "expected.npz")


def test_a_preactivation_model_with_preprocessing_loads(old):
    model = keras.models.load_model(old / "preactivation.keras")
    assert_predicts(model, old / "expected_preactivation.npz")


@pytest.mark.parametrize("suffix", ["weights.h5", "npz", "safetensors"])
def test_weights_load(old, suffix):
    model = tiny()
    keras_resnet.load_weights(model, old / f"tiny.{suffix}")
    assert_predicts(model, old / "expected.npz")


class Noise:
    batch_size, steps_per_epoch = 4, 4

    def batches(self, start, stop=None):
        for step in range(start, 8 if stop is None else stop):
            random = np.random.default_rng(step)
            yield random.normal(size=(4, 8, 8, 3)).astype("float32"), random.integers(0, 4, 4)


def test_a_run_goes_on_from_its_checkpoint(old):
    model = tiny()
    model.compile(training.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy")
    if BACKEND != "torch":  # which made the run
        with pytest.raises(ValueError, match="backend: 'torch' before"):
            training.fit(model, Noise(), steps=8, out=old / "run", progress=False)
        return
    rows = training.fit(model, Noise(), steps=8, out=old / "run", progress=False)
    assert [row["step"] for row in rows] == [4, 6, 8]
    assert rows[0]["loss"] == pytest.approx(1.7537381649017334)  # read back, not trained again


def test_an_evaluation_is_read(old):
    found = read(old / "evaluation.json")
    assert found.images == 6
    assert found.record["configuration"]["protocol"]
