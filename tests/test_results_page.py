"""The tables of the paper beside what was measured: what is printed, and what fills a row."""

import copy
import dataclasses
import json
import pathlib
import sys

import pytest

from keras_resnet.evaluation.protocols import PROTOCOLS, as_dict, protocol_named
from keras_resnet.evaluation.published import (
    TABLE_3,
    TABLE_4,
    TABLE_5,
    TABLE_6,
    TABLES,
    command,
    of,
)
from keras_resnet.family import list_models
from keras_resnet.paper import TABLE_6 as SIX
from keras_resnet.weights import record_named

pytestmark = pytest.mark.once
ROOT = pathlib.Path(__file__).parents[1]
ROWS = [(table.number, row) for table in TABLES for row in table.rows]


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "recipes"))
    sys.modules.pop("tables", None)
    import tables

    return tables


def result(tables):
    """A result as recipes/evaluate.py writes it, as if of ResNet-50 on all validation images."""
    path = ROOT / "docs" / "results" / "cifar_resnet20.akamaster-1-crop.json"
    record = json.loads(path.read_text())
    record["top1"] |= {"error": 22.9, "images": 50_000}
    record["top5"] |= {"error": 6.5}
    configuration = record["configuration"]
    configuration["protocol"] |= {"name": "10-crop", "scales": [256]}
    configuration["data"] |= {"images": 50_000, "classes": 1000}
    configuration["models"][0] |= {
        "model": "resnet50",
        "weights": "resnet50.msra",
        "graph": {"shortcut": "B"},
    }
    return record


def row_20():
    return next(row for row in TABLE_6.rows if row.models == of("cifar_resnet20", "A"))


def row_50():
    return next(row for row in TABLE_3.rows if row.method == "ResNet-50")


def test_the_page_is_what_the_results_give(tables):
    page = tables.page(tables.read_results([ROOT / "docs" / "results"]))
    assert page == (ROOT / "docs" / "results.md").read_text(), "run: python recipes/tables.py"


def test_all_rows_of_the_paper_are_there():
    assert [len(table.rows) for table in TABLES] == [4, 10, 10, 6, 12]
    assert {row.protocol for _, row in ROWS} <= {"", *PROTOCOLS}


def test_the_errors_of_table_6_are_those_that_the_builders_know():
    printed = {row.models[0].network: row.paper[0] for row in TABLE_6.rows if row.models}
    assert printed == {f"cifar_resnet{depth}": error for depth, (_, error) in SIX.items()}


def test_a_row_nobody_measured_says_so(tables):
    text, used = tables.line(row_50(), {})
    assert used is None
    assert "| ResNet-50 | 22.85 / 6.71 | not measured |  | 10-crop | `python recipes" in text


def test_a_result_fills_its_row_with_the_difference(tables):
    text, used = tables.line(row_50(), {"a.json": result(tables)})
    assert used == "a.json"
    assert "| 22.85 / 6.71 | 22.90 / 6.50 | +0.05 / -0.21 | 10-crop |" in text


@pytest.mark.parametrize(
    "path",
    [
        ("protocol", "name", "1-crop"),
        ("protocol", "scales", [384]),
        ("data", "images", 49_999),
        ("data", "classes", 10),
        ("models", 0, {"model": "resnet50", "weights": "resnet50.tv2", "graph": {"shortcut": "B"}}),
        ("models", 0, {"model": "resnet50", "weights": None, "graph": {"shortcut": "C"}}),
        ("models", 0, {"model": "resnet101", "weights": None, "graph": {"shortcut": "B"}}),
    ],
)
def test_a_result_of_something_else_fills_no_row(path, tables):
    record = copy.deepcopy(result(tables))
    part, name, value = path
    record["configuration"][part][name] = value
    assert tables.line(row_50(), {"a.json": record})[1] is None


def test_every_command_names_a_file_and_flags_that_exist(tables):
    sys.modules.pop("evaluate", None)
    import evaluate

    flags = {f"--{field.name.replace('_', '-')}" for field in dataclasses.fields(evaluate.Recipe)}
    for _, row in ROWS:
        words = command(row).split()
        if words and words[1] == "recipes/evaluate.py":
            assert {word for word in words if word.startswith("--")} <= flags


def test_every_row_about_a_network_of_the_package_has_a_command():
    without = [row.method.split()[0].strip(",") for _, row in ROWS if not command(row)]
    assert without == ["Maxout", "NIN", "DSN", "FitNet", "Highway", "Highway"]
    for _, row in ROWS:
        for model in row.models:
            assert model.network in list_models()
            if model.weights:
                record = record_named(f"{model.network}.{model.weights}")
                assert record.options.get("shortcut", "") == model.shortcut


def together(record, *models):
    found = copy.deepcopy(record)
    found["configuration"]["models"] = [
        {"model": name, "weights": weights, "graph": {"shortcut": "B"} if "resnet" in name else {}}
        for name, weights in models
    ]
    return found


def test_an_ensemble_fills_its_row_without_a_difference(tables):
    row = next(row for row in TABLE_5.rows if row.method.startswith("ResNet"))
    models = [(f"resnet{depth}", f"resnet{depth}.msra") for depth in (152, 50, 101)]
    record = together(result(tables), *models)
    record["configuration"]["protocol"] = as_dict(PROTOCOLS["multi-scale"])
    text, used = tables.line(row, {"a": record})
    assert used == "a"
    assert "| - / 3.57 | - / 6.50 |  | multi-scale; the paper's is of six networks |" in text
    assert "resnet50.msra resnet101.msra resnet152.msra --data" in text
    for other in (models[:2], [*models, models[0]], [models[0], models[0], models[1]]):
        record = together(record, *other)
        assert tables.line(row, {"a": record})[1] is None


def test_networks_trained_alike_are_numbered_as_a_shell_does(tables):
    row = next(row for row in TABLE_5.rows if row.method.startswith("GoogLeNet"))
    record = together(result(tables), *[("googlenet", None)] * 7)
    record["configuration"]["protocol"] = as_dict(PROTOCOLS["144-crop"])
    assert tables.line(row, {"a": record})[1] == "a"
    assert "--models runs/googlenet-{1..7}/model.keras --image tv" in command(row)


def test_vggs_row_is_of_vggs_scales(tables):
    row = next(row for row in TABLE_4.rows if row.method == "VGG (v5)")
    record = together(result(tables), ("vgg19", "vgg19.keras"))
    for scales, used in (((256, 384, 512), "a"), ((256,), None)):
        record["configuration"]["protocol"] = as_dict(protocol_named("dense", scales))
        assert tables.line(row, {"a": record})[1] == used


def training_run(**changes):
    """results.json of recipes/cifar10.py, as if the paper's ResNet-20 had been trained."""
    recipe = {"recipe": "paper", "data": "", "validation": False, "smoke": False, "ema": 0.0}
    settings = {"steps": 64_000, "batch_size": 128, "learning_rate": 0.1, "weight_decay": 1e-4}
    final = {"top1_error": 8.5, "top5_error": 0.4, "images": 10_000}
    for name, value in changes.items():
        part = next(part for part in (recipe, settings, final) if name in part)
        part[name] = value
    return {
        "recipe": recipe,
        "settings": settings,
        "network": "cifar_resnet20",
        "networks": {"cifar_resnet20": {"final": final}},
        "versions": {"backend": "jax"},
    }


def test_a_training_run_as_in_the_paper_fills_a_row_of_table_6(tables):
    text, used = tables.line(row_20(), {"a": tables.of_a_run(training_run())})
    assert used == "a"
    assert "| 8.75 | 8.50 | -0.25 | 1-crop | `python recipes/cifar10.py --model" in text


@pytest.mark.parametrize(
    "change",
    [{"recipe": "fast"}, {"data": "x.zip"}, {"validation": True}, {"steps": 500}, {"images": 16}],
)
def test_a_run_that_trained_otherwise_stands_below_the_tables(change, tables):
    record = tables.of_a_run(training_run(**change))
    assert tables.line(row_20(), {"a": record})[1] is None
    assert "trained with recipe" in tables.page({"a": record})


def test_a_smoke_run_is_no_result(tables):
    assert tables.of_a_run(training_run(smoke=True)) is None
