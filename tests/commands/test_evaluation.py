"""Evaluation from the command line and from recipes, on image files in folders."""

import json
import os
import pathlib
import sys
import zipfile

import keras
import paper_tables
import pytest
from support import filled
from support.evaluation import encoded, picture

import keras_resnet
from keras_resnet import commands as cli
from keras_resnet.evaluation.opening import open_model
from keras_resnet.weights import record_named

pytestmark = pytest.mark.portable

ROOT = pathlib.Path(__file__).parents[2]
IMAGE = "cifar_resnet20.akamaster"


@pytest.fixture
def recipe(monkeypatch):
    """A recipe by name, as Python finds it beside the others."""

    def find(name, folder="recipes"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
        sys.modules.pop(name, None)
        return __import__(name)

    return find


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten classes of two images, a saved network and weights of it."""
    folder = tmp_path_factory.mktemp("files")
    for label in range(10):
        for index in range(2):
            path = folder / "data" / f"class-{label}" / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(picture(32, 32, label=str(path.name) + str(label))))
    model = filled("cifar_resnet8")
    model.save(folder / "mine.keras")
    keras_resnet.save_weights(model, folder / "mine.npz")
    return folder


def test_the_command_prints_errors_with_their_interval(folder, tmp_path, capsys):
    out = tmp_path / "found.json"
    arguments = ["evaluate", str(folder / "mine.keras"), "--data", str(folder / "data")]
    arguments += ["--image", IMAGE, "--out", str(out)]
    assert cli.main([*arguments, "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert "20 images, 1-crop\ntop-1 error " in printed
    assert " (95 % interval " in printed
    assert cli.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())
    assert cli.main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").exists()


@pytest.mark.once
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["nothing.keras"], "There is no saved model nothing.keras"),
        (["resnet51.tv"], "A model must be a record"),
        (["resnet50.tv=none.pth"], "There is no file of weights none.pth"),
        (["MINE", "--image", "tv9"], "Received: weights='tv9'"),
        (["MINE"], "pass weights_record="),
        (["MINE", "--image", IMAGE, "--protocol", "10-crop"], "only the protocol '1-crop'"),
        (["MINE", "--image", IMAGE, "--protocol", "2-crop"], "`protocol` must be one of"),
    ],
)
def test_bad_input_is_one_line_and_status_2(change, message, folder, capsys):
    change = [str(folder / "mine.keras") if word == "MINE" else word for word in change]
    assert cli.main(["evaluate", *change, "--data", str(folder / "data")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


@pytest.mark.once
def test_weights_of_ones_own_are_loaded_into_the_network_named(folder):
    model, record = open_model(f"cifar_resnet8={folder / 'mine.npz'}", IMAGE)
    saved = keras.saving.load_model(folder / "mine.keras")
    assert record == record_named(IMAGE).image, "not a name, as if they were those weights"
    for ours, theirs in zip(model.get_weights(), saved.get_weights(), strict=True):
        assert (ours == theirs).all()


@pytest.mark.once
@pytest.mark.once
def test_a_saved_model_that_ends_the_interpreter_or_fills_memory_is_refused(tmp_path):
    """Without a limit on recursion, Python's JSON overflows the stack of C at 200,000 brackets."""
    path = tmp_path / "mine.keras"
    for config, message in (("[" * 200_000, "RecursionError"), (" " * 2**24, "config.json is of")):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", config)
        with pytest.raises(ValueError, match=message):
            open_model(str(path))
        with pytest.raises(ValueError, match="is a whole model"):
            open_model(f"cifar_resnet8={path}", IMAGE)
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(ValueError, match="must be a file"):
        open_model(str(tmp_path / "pipe.keras"))


def test_a_recipe_measures_each_network_and_both_together(folder, tmp_path, recipe, capsys):
    evaluate = recipe("evaluate")
    names = (str(folder / "mine.keras"), f"cifar_resnet8={folder / 'mine.npz'}")
    shared = {"data": str(folder / "data"), "image": IMAGE, "out": str(tmp_path), "thumbnails": 0}
    evaluate.main(evaluate.Recipe(models=names, **shared))
    evaluate.main(evaluate.Recipe(models=names, ensemble=True, comment="a | b", **shared))
    written = sorted(path.name for path in tmp_path.glob("*.json"))
    assert written == [
        f"{name}-1-crop.json" for name in ("cifar_resnet8", "mine+cifar_resnet8", "mine")
    ]
    found = json.loads((tmp_path / "mine-1-crop.json").read_text())["configuration"]["models"]
    assert [model["weights"] for model in found] == [None], "they are nobody else's"
    assert "95 % interval" in capsys.readouterr().out
    page = tmp_path / "page.md"
    paper_tables.main(["--results", str(tmp_path), "--out", str(page)])
    assert page.read_text().count("| 1-crop | 20") == 3


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"models": ("a",)},
        {"models": ("a",), "data": "d", "protocols": ("5-crop",)},
        {"models": ("a",), "data": "d", "scales": ("-3",)},
        {"models": ("a",), "data": "d", "protocols": ("dense",), "scales": ("100",)},
    ],
)
def test_a_recipe_without_what_it_needs_is_refused(arguments, recipe):
    with pytest.raises(ValueError, match=r"must (name|be).*Received: "):
        recipe("evaluate").Recipe(**arguments)


@pytest.mark.once
def test_results_are_called_by_networks_and_scales(recipe):
    evaluate = recipe("evaluate")
    names = ("resnet50.tv2=a/b.pth", "a/mine.keras", "runs/resnet34-A/model.keras")
    assert [evaluate.short(name) for name in names] == ["resnet50.tv2", "mine", "resnet34-A"]
    asked = evaluate.Recipe(models=("a",), data="d", protocols=("dense",), scales=("256", "384"))
    assert {name: found.scales for name, found in asked.protocols_by_name().items()} == {
        "dense-256-384": (256, 384)
    }


@pytest.mark.once
def test_the_figures_of_a_network_are_written(folder, tmp_path, recipe):
    figures = recipe("figures")
    picture_file = next((folder / "data").rglob("*.png"))
    figures.main(
        figures.Recipe(
            model=str(folder / "mine.keras"),
            image=IMAGE,
            picture=str(picture_file),
            layers=("conv2_1_a",),
            out=str(tmp_path),
        )
    )
    names = {path.name for path in tmp_path.iterdir()}
    stems = ("filters", "stages", "maps-conv2_1_a", "activation")
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}
    for wrong in ({}, {"model": "mine.keras"}, {"run": (str(tmp_path),)}):
        with pytest.raises(ValueError, match="Received: "):
            figures.Recipe(**wrong)


@pytest.mark.once
def test_the_benchmark_compares_as_many_windows_as_dense_has_positions(tmp_path, monkeypatch):
    from benchmarks.training import dense

    arguments = ["dense.py", "--network", "resnet18", "--scales", "224", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--batch", "4", "--out", str(tmp_path)])
    dense.main()
    (path,) = tmp_path.iterdir()
    rows = {row["what"]: row for row in json.loads(path.read_text())["rows"]}
    assert rows["dense"]["views"] == rows["windows"]["views"] == 3
    assert rows["10-crop"]["views"] == 10
    assert rows["dense"]["times_dense"] == 1


@pytest.mark.once
def test_the_figures_of_runs_are_written(folder, tmp_path, recipe):
    """Of digits with a saved network, and of a run whose networks were measured by steps."""
    pytest.importorskip("sklearn")
    history = {"training_error": [50.0, 20.0], "test_error": [51.0, 25.0]}
    model = filled("cifar_resnet8", input_shape=(16, 16, 1))
    runs = []
    for name, record in {
        "digits": {"digits": {}, "networks": {"cifar_resnet8": {"history": history}}},
        "steps": {"networks": {"resnet18": {"history": history | {"step": [1, 2]}}}},
    }.items():
        runs.append(tmp_path / name)
        runs[-1].mkdir()
        (runs[-1] / "results.json").write_text(json.dumps(record))
    model.save(runs[0] / "resnet8.keras")
    figures = recipe("figures")
    for run in runs:
        figures.main(figures.Recipe(run=(str(run),)))
    written = [{path.stem for path in (run / "figures").iterdir()} for run in runs]
    assert written[0] == {"curves", "responses", "filters", "stages", "maps-conv1", "activation"}
    assert written[1] == {"curves"}
    with pytest.raises(ValueError, match=r"different networks. Received: resnet18 in .* and in"):
        figures.main(figures.Recipe(run=(str(runs[1]), str(runs[1]) + "/")))
