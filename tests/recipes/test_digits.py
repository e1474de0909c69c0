"""The digits, and the recipe that a newcomer runs first."""

import json
import sys

import keras
import numpy as np
import pytest
from support.recipes import module_of, run

from keras_resnet.data import digits

pytestmark = pytest.mark.portable


def test_one_in_five_digits_of_every_class_is_held_out():
    (x, y), (x_test, y_test) = digits.load_data()
    assert x.shape == (1437, 16, 16, 1)
    assert x_test.shape == (360, 16, 16, 1)
    assert x.dtype == x_test.dtype == "float32"
    assert (x.min(), x.max()) == (0, 1)
    every, held_out = np.bincount(np.concatenate([y, y_test])), np.bincount(y_test)
    assert len(every) == digits.CLASSES
    assert np.all(np.abs(held_out - every / 5) < 1)


def test_the_split_is_the_same_every_time_and_everywhere():
    (_, y), (x_test, y_test) = digits.load_data()
    np.random.seed(1)
    keras.utils.set_random_seed(1)
    (_, y_again), (x_again, y_test_again) = digits.load_data()
    assert np.array_equal(y, y_again)
    assert np.array_equal(x_test, x_again)
    assert np.array_equal(y_test, y_test_again)
    assert list(y_test[:10]) == FIRST_TEST_LABELS
    assert int((16 * x_test).sum()) == INK_OF_THE_TEST_DIGITS


FIRST_TEST_LABELS = [7, 6, 3, 7, 7, 3, 2, 8, 9, 3]
INK_OF_THE_TEST_DIGITS = 449_400


def test_no_digit_is_both_learned_from_and_held_out():
    (x, _), (x_test, _) = digits.load_data()
    learned = {image.tobytes() for image in x}
    assert not [image for image in x_test if image.tobytes() in learned]
    assert len(learned) == len(x)


def test_every_pixel_is_repeated_twice_along_each_side():
    (x, _), _ = digits.load_data()
    assert np.array_equal(x[:, ::2, ::2], x[:, 1::2, 1::2])
    assert np.array_equal(x[:, ::2], x[:, 1::2])


@pytest.mark.usefixtures("channels_first")
def test_digits_come_in_the_configured_data_format():
    (x, _), (x_test, _) = digits.load_data()
    assert x.shape == (1437, 1, 16, 16)
    assert x_test.shape == (360, 1, 16, 16)


def test_without_scikit_learn_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r'pip install "keras3-resnet\[recipes\]"'):
        digits.load_data()


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """One epoch of two shallow networks, in a folder that holds an earlier result."""
    out = tmp_path_factory.mktemp("digits")
    (out / "results.json").write_text("earlier")
    networks = ["--networks", "cifar_plain8,cifar_resnet8"]
    flags = [*networks, "--epochs", "1", "--batch-size", "256", "--fresh", "--out", out]
    return out, run("digits", *flags)


def test_the_recipe_prints_a_line_for_every_network(first_run):
    _, process = first_run
    assert process.returncode == 0, process.stderr
    lines = [line.split() for line in process.stdout.splitlines()]
    rows = {words[0]: words[1:] for words in lines if words and len(words) == 6}
    for network in ("plain-8", "ResNet-8"):
        parameters, *losses_and_errors, _seconds = rows[network]
        assert parameters == "75,002"
        assert all(float(number) >= 0 for number in losses_and_errors)
    assert "ResNet-56 was not asked for" in process.stdout


def test_the_recipe_records_what_it_did(first_run):
    out, _ = first_run
    record = json.loads((out / "results.json").read_text())
    assert record["recipe"]["networks"] == ["cifar_plain8", "cifar_resnet8"]
    assert record["recipe"]["epochs"] == 1
    assert record["versions"]["keras"] == keras.__version__
    assert record["versions"]["backend"] == keras.backend.backend()
    assert keras.backend.backend() in record["versions"]
    for result in record["networks"].values():
        assert {len(values) for values in result["history"].values()} == {1}


def test_the_recipe_leaves_pictures_and_networks_and_nothing_else(first_run):
    out, _ = first_run
    pictures, networks = ["curves.png", "predictions.png"], ["plain8.keras", "resnet8.keras"]
    files = {path.name for path in out.iterdir()}
    assert files == {"results.json", *pictures, *networks, "networks", "earlier-1"}
    for picture in pictures:
        assert (out / picture).read_bytes().startswith(b"\x89PNG")


def test_results_of_an_earlier_run_are_kept(first_run):
    out, _ = first_run
    assert (out / "earlier-1" / "results.json").read_text() == "earlier"


def test_the_same_command_again_finds_the_run_finished(first_run):
    out, process = first_run
    networks = ["--networks", "cifar_plain8,cifar_resnet8"]
    again = run("digits", *networks, "--epochs", "1", "--batch-size", "256", "--out", out)
    assert again.stdout.count("This run has ended with step 5 of 5") == 2
    summary = next(line for line in process.stdout.splitlines() if line.startswith("ResNet-8  "))
    assert summary in again.stdout


def test_the_saved_network_makes_the_mistakes_that_were_recorded(first_run):
    out, _ = first_run
    record = json.loads((out / "results.json").read_text())
    _, (x_test, y_test) = digits.load_data()
    logits = keras.models.load_model(out / "resnet8.keras").predict(x_test, verbose=0)
    error = 100 * np.mean(logits.argmax(axis=1) != y_test)
    recorded = record["networks"]["cifar_resnet8"]["history"]["test_error"][-1]
    assert abs(error - recorded) <= 100 / len(y_test)  # a tie of logits may fall either way


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epoch", "1"], "unrecognized arguments: --epoch"),
        (["--epochs", "two"], "invalid int value: 'two'"),
        (["--epochs", "0"], "`epochs` must be at least 1. Received: 0"),
        (["--networks", "resnet56"], "Did you mean 'cifar_resnet56'"),
        (["--networks", "cifar_resnet55"], "nearest are 50 and 56"),
        (["--networks", "resnet50"], "Received: 'resnet50'"),
        (["--networks", ","], "must name at least one"),
        (["--networks", "cifar_plain8", "cifar_plain8"], "names one twice"),
        (["--learning-rate", "nan"], "`learning_rate` must be at least 0. Received: nan"),
        (["--warmup", "2"], "`warmup` must be from 0 to 1. Received: 2.0"),
        (["--seed", "-1"], "`seed` must be"),
        (["--backend", "caffe"], "`backend` must be tensorflow, jax, torch. Received: 'caffe'"),
        (["--checkpoint-every", "0"], "`checkpoint_every` must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(arguments, message, recipe, capsys):
    with pytest.raises(SystemExit) as end:
        recipe.common.from_command_line(recipe.Recipe, recipe.__doc__, arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert "--networks, --epochs" in error


@pytest.mark.slow
@pytest.mark.once
def test_responses_of_resnet_56_lie_below_those_of_plain_56(tmp_path):
    networks = "--networks", "cifar_plain56", "cifar_resnet56"
    process = run("digits", *networks, "--epochs", "60", "--out", tmp_path, timeout=3600)
    assert process.returncode == 0, process.stderr
    process = run("figures", "--run", tmp_path, "--out", tmp_path)
    assert process.returncode == 0, process.stderr
    responses = json.loads((tmp_path / "responses.json").read_text())
    plain, residual = (sorted(responses[name].values()) for name in ("plain-56", "ResNet-56"))
    assert len(plain) == len(residual) == 55
    assert all(low < high for low, high in zip(residual, plain, strict=True))


@pytest.fixture
def recipe():
    """The recipe as a module: what its command line is read with."""
    return module_of("digits")


def test_help_shows_every_flag_with_its_default(recipe, capsys):
    with pytest.raises(SystemExit) as end:
        recipe.common.from_command_line(recipe.Recipe, recipe.__doc__, ["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for flag in ("--networks", "--epochs", "--seed", "--out"):
        assert flag in text
    assert "(default: runs/digits)" in text
