"""The CIFAR-10 recipe: what the paper says, and the same on every backend."""

import json

import keras
import numpy as np
import pytest
from support import BACKEND
from support.golden_cases import FOLDER, REGENERATE
from support.recipes import module_of, run
from support.training import twenty_steps

from keras_resnet import training


@pytest.fixture
def cifar10():
    return module_of("cifar10")


def test_twenty_steps_are_the_same_on_every_backend():
    golden = json.loads((FOLDER / "training.json").read_text())
    found = twenty_steps()
    for name, values in golden.items():
        np.testing.assert_allclose(found[name], values, 1e-4, 1e-5, err_msg=REGENERATE)


@pytest.mark.once
def test_the_papers_recipe_is_that_of_its_section(cifar10):
    settings = cifar10.Recipe().settings()
    assert (settings.steps, settings.drops) == (64_000, (32_000, 48_000))
    assert (settings.batch_size, settings.learning_rate) == (128, 0.1)
    assert (settings.momentum, settings.weight_decay, settings.nesterov) == (0.9, 1e-4, False)
    assert (settings.pad, settings.flip, settings.label_smoothing) == (4, True, 0.0)
    shorter = cifar10.Recipe(steps=640, batch_size=64).settings()
    assert (shorter.drops, shorter.learning_rate) == ((320, 480), 0.05)


def test_only_110_layers_and_more_are_warmed_up(cifar10):
    settings = cifar10.Recipe().settings()
    for depth, warmed in ((20, False), (56, False), (110, True), (1202, True)):
        schedule, callbacks = cifar10.learning_rate(settings, depth)
        assert isinstance(schedule, training.WarmUpUntil) == bool(callbacks) == warmed
        rate = float(keras.ops.convert_to_numpy(schedule(0)))
        assert rate == pytest.approx(0.01 if warmed else 0.1)
    assert callbacks[0].error == 0.8


@pytest.mark.once
def test_the_fast_recipe_rises_for_a_quarter_and_ends_at_nothing(cifar10):
    settings = cifar10.Recipe(recipe="fast", steps=100).settings()
    schedule, _ = cifar10.learning_rate(settings, 20)
    rates = [float(keras.ops.convert_to_numpy(schedule(step))) for step in (0, 25, 62.5, 100)]
    assert rates == pytest.approx([0, 0.2, 0.1, 0], abs=1e-6)


@pytest.mark.once
def test_a_tenth_of_the_training_images_can_be_held_out(cifar10):
    (x, y), (held_out, labels), mean = cifar10.load(cifar10.Recipe(smoke=True, validation=True))
    assert (len(x), len(held_out), len(y), len(labels)) == (57, 7, 57, 7)
    assert not {image.tobytes() for image in x} & {image.tobytes() for image in held_out}
    np.testing.assert_allclose(x.mean(axis=0), np.zeros((32, 32, 3)), atol=1e-6)
    assert mean.shape == (32, 32, 3)


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"recipe": "slow"}, "slow"),
        ({"model": "resnet50"}, "model"),
        ({"steps": -1}, "steps"),
        ({"accumulate": 3}, "multiple of `accumulate`"),
    ],
)
def test_a_bad_flag_is_named(cifar10, arguments, message):
    with pytest.raises(ValueError, match=message):
        cifar10.Recipe(**arguments)


def test_a_smoke_run_leaves_all_its_files(tmp_path):
    flags = ["--model", "cifar_resnet8", "--accumulate", "2", "--ema", "0.9"]
    flags += ["--precision", "mixed_bfloat16", "--recompute-batch-norm", "--backend", BACKEND]
    done = run("cifar10", "--smoke", "--out", tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    there = {path.name for path in tmp_path.iterdir()}
    assert there >= {"config.json", "results.json", "curves.png", "model.keras", "mean.npy"}
    result = json.loads((tmp_path / "results.json").read_text())
    assert 0 <= result["networks"]["cifar_resnet8"]["final"]["top1_error"] <= 100
