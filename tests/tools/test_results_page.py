"""The tables of the paper beside what was measured: what is printed, and what fills a row."""

import copy
import dataclasses
import doctest
import json
import pathlib

import paper_tables
import published
import pytest
from paper_rows import as_evaluation, imagenet
from published import TABLES, command
from support.results import as_json, line, result, row_20, row_50, trained_here, training_run

from keras_resnet.evaluation.protocols import PROTOCOLS, as_dict, protocol_named
from keras_resnet.networks.family import list_models
from keras_resnet.weights import record_named

pytestmark = pytest.mark.once
ROOT = pathlib.Path(__file__).parents[2]
ROWS = [(table.number, row) for table in TABLES for row in table.rows]


def test_the_page_is_what_the_results_give():
    page = paper_tables.page(paper_tables.read_results([ROOT / "docs" / "results"]))
    assert page == (ROOT / "docs" / "results.md").read_text(), "run: python tools/paper_tables.py"


def test_all_rows_of_the_paper_are_there():
    assert [len(table.rows) for table in TABLES] == [4, 10, 10, 6, 12]
    assert {row.protocol for _, row in ROWS} <= {"", *PROTOCOLS}


def test_the_examples_of_the_tables_run():
    assert doctest.testmod(published).failed == 0


def test_a_row_nobody_measured_says_so():
    text, used = line(row_50(), {})
    assert used is None
    assert "| ResNet-50 | 22.85 / 6.71 | not measured |  | 10-crop | `python recipes" in text


def test_a_result_fills_its_row_with_the_difference():
    text, used = line(row_50(), {"a.json": result()})
    assert used == "a.json"
    assert "| 22.85 / 6.71 | 22.90 / 6.50 | +0.05 / -0.21 | 10-crop |" in text


def test_every_command_names_a_file_and_flags_that_exist():
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
                assert record.options == model.graph


def together(record, *names):
    """The same of several networks, with public weights."""
    found = copy.deepcopy(record)
    models = [(name, record_named(name)) for name in names]
    found["configuration"]["models"] = [
        {
            "model": public.network,
            "weights": name,
            "graph": dict(public.options),
            "image": as_json(public.image),
        }
        for name, public in models
    ]
    return found


def test_an_ensemble_fills_its_row_without_a_difference():
    row = next(row for row in TABLES[3].rows if row.method.startswith("ResNet"))
    models = [f"resnet{depth}.msra" for depth in (152, 50, 101)]
    record = together(result(), *models)
    record["configuration"]["protocol"] = as_dict(PROTOCOLS["multi-scale"])
    text, used = line(row, {"a": record})
    assert used == "a"
    assert "| - / 3.57 | - / 6.50 |  | multi-scale; the paper's is of six networks |" in text
    assert "resnet50.msra resnet101.msra resnet152.msra --data" in text
    for other in (models[:2], [*models, models[0]], [models[0], models[0], models[1]]):
        record = together(record, *other)
        assert line(row, {"a": record})[1] is None


def test_networks_trained_alike_are_numbered_as_a_shell_does():
    row = next(row for row in TABLES[3].rows if row.method.startswith("GoogLeNet"))
    record = trained_here()
    settings = as_json(imagenet.recipe_of("paper", "googlenet"))
    model = record["configuration"]["models"][0] | {"model": "googlenet", "graph": {}}
    record["configuration"] |= {"models": [model] * 7}
    record["configuration"]["protocol"] = as_dict(PROTOCOLS["144-crop"])
    record["training"] = [record["training"][0] | {"settings": settings}] * 7
    assert line(row, {"a": record})[1] == "a"
    record["training"][6] = None
    assert line(row, {"a": record})[1] is None
    assert "--models runs/googlenet-{1..7}/model.keras --image tv" in command(row)


def test_vggs_row_is_of_vggs_scales():
    row = next(row for row in TABLES[2].rows if row.method == "VGG (v5)")
    record = together(result(), "vgg19.keras")
    for scales, used in (((256, 384, 512), "a"), ((256,), None)):
        record["configuration"]["protocol"] = as_dict(protocol_named("dense", scales))
        assert line(row, {"a": record})[1] == used


def test_a_training_run_as_in_the_paper_fills_a_row_of_table_6():
    text, used = line(row_20(), {"a": as_evaluation(training_run())})
    assert used == "a"
    assert "| 8.75 | 8.50 | -0.25 | 1-crop | `python recipes/cifar10.py --model" in text


def test_a_smoke_run_is_no_result():
    assert as_evaluation(training_run(smoke=True)) is None


# Tables 2 to 6 of arXiv:1512.03385, typed from the paper.
PRINTED = {
    2: "27.94 27.88 28.54 25.03",
    3: "28.07/9.33 /9.15 24.27/7.38 28.54/10.02 25.03/7.76 24.52/7.46 24.19/7.40 22.85/6.71 "
    "21.75/6.05 21.43/5.71",
    4: "/8.43† /7.89 24.4/7.1 21.59/5.71 21.99/5.81 21.84/5.71 21.53/5.60 20.74/5.25 19.87/4.60 "
    "19.38/4.49",
    5: "/7.32 /6.66 /6.8 /4.94 /4.82 /3.57",
    6: "9.38 8.81 8.22 8.39 7.54(7.72±0.16) 8.80 8.75 7.51 7.17 6.97 6.43(6.61±0.16) 7.93",
}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.number))
def test_tables_2_to_6_have_the_digits_of_the_paper(table):
    errors = [f"{row.top1}/{row.top5}" if row.top5 else row.top1 for row in table.rows]
    assert [error.replace(" ", "") for error in errors] == PRINTED[table.number].split()


def test_no_difference_is_printed_where_prelu_nets_scales_are_others():
    row = next(row for row in TABLES[2].rows if row.method == "PReLU-net")
    record = trained_here()
    settings = as_json(imagenet.recipe_of("paper", "prelu_net_c"))
    record["training"][0] |= {"settings": settings}
    record["configuration"]["models"][0] |= {"model": "prelu_net_c", "graph": {}}
    record["configuration"]["protocol"] = as_dict(PROTOCOLS["multi-scale"])
    text, used = line(row, {"a": record})
    assert used == "a"
    assert "| 21.59 / 5.71 | 22.90 / 6.50 |  | multi-scale; the paper's is of scales" in text


def test_the_record_of_fig_7_says_what_the_documentation_does():
    record = json.loads((ROOT / "docs" / "results" / "responses.json").read_text())
    plain, residual = record["plain-56"], record["ResNet-56"]
    assert list(plain) == list(residual)
    pairs = zip(sorted(residual.values()), sorted(plain.values()), strict=True)
    assert all(low < high for low, high in pairs)
    assert [layer for layer in plain if residual[layer] >= plain[layer]] == ["conv1"]
    assert len(plain) == 55
