"""The recipes for ImageNet and for one's own images, as their users run them."""

import csv
import dataclasses
import json
import time

import keras
import numpy as np
import pytest
from PIL import Image
from support.recipes import WRITTEN, module_of, run

import keras_resnet
from keras_resnet.networks.family import network_row
from keras_resnet.weights.find import find

pytestmark = pytest.mark.portable


@pytest.fixture
def imagenet():
    return module_of("imagenet")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    out = tmp_path_factory.mktemp("imagenet")
    small = ["--smoke", "--model", "resnet18", "--width", "4", "--batch-size", "16"]
    return out, small, run("imagenet", *small, "--ema", "0.9", "--accumulate", "2", "--out", out)


def test_a_smoke_run_leaves_all_that_a_run_leaves(smoke):
    out, _, process = smoke
    assert process.returncode == 0, process.stderr
    assert {path.name for path in out.iterdir()} == WRITTEN
    config = json.loads((out / "config.json").read_text())
    assert config["recipe"]["recipe"] == "paper"
    assert config["settings"]["weight_decay"] == 1e-4
    assert config["versions"]["backend"] == keras.backend.backend()
    with (out / "log.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["step"] == "8"  # 64 images, 8 at a time
    assert row["test_images"] == "24"


def test_the_saved_network_takes_grey_levels_and_errs_as_was_recorded(smoke):
    from keras_resnet.data import CenterCrop, EvaluationBatches, samples

    out, _, _ = smoke
    model = keras.models.load_model(out / "model.keras")
    tested = EvaluationBatches(samples.noise(24, 4, 2), 8, crop=CenterCrop(36), size=32)
    recorded = json.loads((out / "results.json").read_text())["networks"]["resnet18"]["final"]
    measured = keras_resnet.training.evaluate(model, tested)
    assert measured["images"] == recorded["images"]
    assert np.isclose(measured["loss"], recorded["loss"], rtol=1e-4)


def test_the_same_command_goes_on_and_another_is_refused(smoke):
    out, small, _ = smoke
    other = run("imagenet", *small, "--ema", "0.9", "--out", out)
    assert other.returncode == 2
    assert "accumulate: 2 before, 1 now" in other.stderr
    assert "Traceback" not in other.stderr


def test_finetuning_learns_the_folders_of_a_folder(tmp_path):
    random = np.random.default_rng(0)
    for name, level in (("dark", 40), ("light", 200)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(level - 20, level + 20, (48, 40, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.png")
    (tmp_path / "data" / "dark" / "broken.jpg").write_bytes(b"\xff\xd8 not an image")
    process = run(
        "finetune",
        *("--data", tmp_path / "data", "--model", "cifar_resnet8", "--weights", "none"),
        *("--stage", "conv2", "--epochs", "2", "--head-epochs", "1", "--batch-size", "4"),
        *("--out", tmp_path / "out"),
    )
    assert process.returncode == 0, process.stderr
    assert "13 images of 2 classes, 4 held out" in process.stdout
    assert "Passed over: " in process.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == WRITTEN | {"head"}
    assert keras.models.load_model(tmp_path / "out" / "model.keras").output.shape == (None, 2)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["paper", "goyal", "a2", "a3", "fast"])
def test_every_recipe_runs_to_its_end(recipe, tmp_path):
    small = ["--smoke", "--model", "resnet18", "--width", "4", "--batch-size", "16"]
    process = run("imagenet", *small, "--recipe", recipe, "--out", tmp_path)
    assert process.returncode == 0, process.stderr
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN


@pytest.mark.once
def test_without_imagenet_the_recipe_says_in_five_lines_how_to_get_it():
    process = run("imagenet")
    assert process.returncode == 2
    lines = process.stderr[process.stderr.index("There is no ImageNet here") :].splitlines()
    assert [line.strip()[0] for line in lines[1:6]] == list("12345")
    assert "https://image-net.org/download" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.once
@pytest.mark.parametrize("flag", ["--data", "--data-dir"])
def test_the_folder_may_be_called_as_tfds_calls_it(imagenet, flag):
    read = imagenet.common.from_command_line(imagenet.Recipe, None, [flag, "imagenet/"])
    assert read.data == "imagenet/"


@pytest.mark.once
def test_a_shorter_run_has_its_drops_earlier_and_a_smaller_batch_a_smaller_rate(imagenet):
    settings = imagenet.Recipe(recipe="goyal", epochs=45, batch_size=128).settings()
    assert settings.drops == (15, 30, 40)
    assert settings.warmup == 2.5
    assert settings.learning_rate == 0.05


@pytest.mark.once
@pytest.mark.parametrize(
    ("recipe", "epochs", "expected"),
    [
        ("paper", (0, 29.99, 30, 60, 90), (0.1, 0.1, 0.01, 1e-3, 1e-4)),
        ("goyal", (0, 2.5, 5, 29.99, 30, 60, 80), (0.1, 0.45, 0.8, 0.8, 0.08, 8e-3, 8e-4)),
        ("a2", (0, 2.5, 5, 152.5, 300), (5e-7, 2.50025e-3, 5e-3, 2.5005e-3, 1e-6)),
        ("a3", (0, 2.5, 5, 52.5, 100), (8e-7, 4.0004e-3, 8e-3, 4.0005e-3, 1e-6)),
        ("fast", (0, 1, 2, 9, 16), (1.7e-4, 0.850085, 1.7, 0.85, 0)),
    ],
)
def test_learning_rates_are_those_of_the_papers(imagenet, recipe, epochs, expected):
    settings = imagenet.RECIPES[recipe]
    if recipe == "goyal":  # who warms up batches of more than 256 images
        settings = dataclasses.replace(settings, learning_rate=0.8)
    schedule = imagenet.learning_rate(settings, updates_per_epoch=100)
    found = [float(schedule(round(100 * epoch))) for epoch in epochs]
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-9)


@pytest.mark.once
def test_images_grow_between_two_epochs_to_the_nearest_multiple_of_32(imagenet):
    fast = imagenet.RECIPES["fast"]
    assert [imagenet.size_in(fast, epoch) for epoch in range(16)] == [160] * 12 + [192] * 4
    of_88 = dataclasses.replace(fast, rise=(65, 76))
    assert [imagenet.size_in(of_88, epoch) for epoch in (65, 70, 71, 76)] == [160, 160, 192, 192]
    wider = dataclasses.replace(fast, size=128, rise=(4, 14))
    sizes = [imagenet.size_in(wider, epoch) for epoch in range(16)]
    assert sizes == [128] * 7 + [160] * 5 + [192] * 4


@pytest.mark.once
def test_a_digit_is_not_measured_in_its_mirror_image(imagenet):
    chosen = {"recipe": "fast", "batch_size": 64}
    assert imagenet.Recipe(**chosen).settings().mirrored
    assert not imagenet.Recipe(dataset="digits", **chosen).settings().mirrored


@pytest.mark.once
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "a4"}, "`recipe` must be one of 'paper', 'goyal', 'a2', 'a3', 'fast'"),
        ({"dataset": "mnist"}, "`dataset` must be one of"),
        ({"model": "resnet19"}, "resnet19"),
        ({"epochs": -1}, "`epochs` must be at least 1. Received: -1"),
        ({"precision": "float8"}, "`precision` must be float32, mixed_bfloat16, mixed_float16"),
        ({"ema": 1.0}, "`ema` must be from 0 to below 1"),
        ({"accumulate": 0}, "`accumulate` must be at least 1"),
        ({"on_bad_image": "ignore"}, "`on_bad_image` must be one of 'skip', 'fatal'"),
    ],
)
def test_bad_flags_are_named(imagenet, changes, message):
    with pytest.raises(ValueError, match=message):
        imagenet.Recipe(**changes)


@pytest.mark.once
@pytest.mark.parametrize("model", ["resnet50", "preact_resnet50", "resnet50v2"])
def test_finetuning_crops_as_the_networks_own_weights_expect(monkeypatch, model):
    finetune = module_of("finetune")
    for name in ("build", "new_head"):
        monkeypatch.setattr(keras_resnet, name, lambda *arguments, **options: None)
    _, rule = finetune.pretrained(finetune.Recipe(data="photos", model=model), 2)
    assert rule == find("imagenet", network_row(model)).image


def test_finetuning_begins_with_the_weights_of_a_file(tmp_path):
    finetune = module_of("finetune")
    trained = keras_resnet.build("cifar_resnet8")
    keras_resnet.save_weights(trained, tmp_path / "mine.safetensors")
    flags = {"model": "cifar_resnet8", "weights": str(tmp_path / "mine.safetensors")}
    network, _ = finetune.pretrained(finetune.Recipe(data="photos", **flags), 2)
    kernels = [model.get_layer("conv2_1_a").get_weights()[0] for model in (trained, network)]
    np.testing.assert_array_equal(*kernels)
    assert network.output.shape == (None, 2)


@pytest.mark.once
def test_tensorboard_reads_the_rows_that_were_written_for_it(tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    writing = module_of("runs").EventFiles(tmp_path)
    for step, loss in ((8, 2.5), (16, 1.25)):
        writing.on_epoch_end(step // 8 - 1, {"step": step, "loss": loss})
    read = events.EventAccumulator(str(tmp_path))
    read.Reload()
    assert [(one.step, one.value) for one in read.Scalars("loss")] == [(8, 2.5), (16, 1.25)]
    assert abs(read.Scalars("loss")[0].wall_time - time.time()) < 600


@pytest.mark.once
def test_without_tensorboard_its_flag_names_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"keras3-resnet\[recipes\]"):
        module_of("imagenet").Recipe(tensorboard=True)


@pytest.mark.once
@pytest.mark.parametrize("recipe", ["imagenet", "finetune"])
def test_training_and_validation_of_other_classes_are_refused(recipe, tmp_path):
    for name in ("train/cat", "train/dog", "val/dog"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.jpg").write_bytes(b"")
    module = module_of(recipe)
    with pytest.raises(ValueError, match="cat is in train and not in validation"):
        module.collections(module.Recipe(data=str(tmp_path)))


@pytest.mark.once
@pytest.mark.parametrize("recipe", ["cifar10", "evaluate", "finetune", "imagenet"])
def test_help_names_every_flag_with_its_default(recipe, capsys):
    module = module_of(recipe)
    with pytest.raises(SystemExit) as ended:
        module_of("common").from_command_line(module.Recipe, module.__doc__, ["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert module.__doc__.splitlines()[0] in said
    for field in dataclasses.fields(module.Recipe):
        assert f"--{field.name.replace('_', '-')}" in said
    assert said.count("(default:") == len(dataclasses.fields(module.Recipe))
