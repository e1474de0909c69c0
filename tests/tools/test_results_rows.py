"""What fills a row of the paper's tables: its networks and protocol, trained as in the paper."""

import copy
import json

import paper_tables
import pytest
from paper_rows import as_evaluation
from published import Model
from support import without_values
from support.results import line, result, row_20, row_50, trained_here, training_run

from keras_resnet.evaluation.opening import training_of
from keras_resnet.models import build
from keras_resnet.weights import graph_options

pytestmark = pytest.mark.once


def change(record, part, name, value):
    found = copy.deepcopy(record)
    inner = found["configuration"] if part == "configuration" else found["configuration"][part]
    inner = inner[0] if part == "models" else inner
    inner[name] = inner[name] | value if isinstance(value, dict) else value
    return found


@pytest.mark.parametrize(
    ("part", "name", "value", "differs"),
    [
        ("protocol", "name", "1-crop", "name 1-crop, not 10-crop"),
        ("protocol", "scales", [384], "scales 384, not 256"),
        ("protocol", "multiple", 32, "multiple 32, not 1"),
        ("protocol", "views", "dense", "views dense, not ten"),
        ("configuration", "average", "logits", "average logits, not softmax"),
        ("data", "kind", "arrays", "data kind arrays, not files"),
        ("data", "images", 49_999, "data images 49999, not 50000"),
        ("data", "classes", 10, "data classes 10, not 1000"),
        ("models", "weights", "resnet50.tv2", "weights resnet50.tv2, not resnet50.msra"),
        ("models", "weights", None, "it is not recorded how it was trained"),
        ("models", "graph", {"shortcut": "C"}, "shortcut C, not B"),
        ("models", "graph", {"stride_on": "3x3"}, "stride_on 3x3, not 1x1"),
        ("models", "graph", {"pool1": "symmetric"}, "pool1 symmetric, not caffe"),
        ("models", "graph", {"blur_pool": True}, "blur_pool True, not none"),
        ("models", "graph", {"output_stride": 8}, "output_stride 8, not none"),
        ("models", "image", {"interpolation": "bicubic"}, "interpolation bicubic, not bilinear"),
        ("models", "image", {"size": 320}, "size 320, not 224"),
        ("models", "model", "resnet26", "no row is of these networks"),
    ],
)
def test_a_result_of_something_else_fills_no_row(part, name, value, differs):
    """It stands below the tables with what differs."""
    record = change(result(), part, name, value)
    assert line(row_50(), {"a.json": record})[1] is None
    assert differs in paper_tables.page({"a.json": record}).splitlines()[-1]


def test_a_network_trained_here_as_in_the_paper_fills_its_row():
    assert line(row_50(), {"a": trained_here(seed=3, workers=2)})[1] == "a"


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"recipe": "goyal"}, "trained with recipe goyal"),
        ({"label_smoothing": 0.1}, "label_smoothing 0.1, not 0.0"),
        ({"epochs": 90}, "epochs 90, not "),
        ({"precision": "mixed_bfloat16"}, "precision mixed_bfloat16, not float32"),
        ({"width": 32}, "width 32, not none"),
        ({"dataset": "digits"}, "dataset digits, not imagenet"),
    ],
)
def test_a_network_that_was_trained_otherwise_fills_no_row(changes, differs):
    record = trained_here(**changes)
    assert line(row_50(), {"a": record})[1] is None
    assert differs in paper_tables.page({"a": record}).splitlines()[-1]


@pytest.mark.parametrize("kind", ["arrays", "files"])
def test_ten_thousand_images_need_not_be_those_of_cifar_10(kind):
    record = as_evaluation(training_run())
    assert line(row_20(), {"a": record})[1] == "a"
    record["configuration"]["data"] = {"kind": kind, "images": 10_000, "classes": 10}
    assert line(row_20(), {"a": record})[1] is None


def test_the_newest_of_two_results_fills_a_row():
    old, new = (result() | {"date": date} for date in ("2026-01-01", "2026-02-01"))
    assert line(row_50(), {"old": old, "new": new})[1] == "new"
    assert "(Table 3): measured again later" in paper_tables.page({"old": old, "new": new})


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": "fast"},
        {"data": "x.zip"},
        {"validation": True},
        {"steps": 500},
        {"images": 16},
        {"label_smoothing": 0.1},
        {"momentum": 0.8},
        {"drops": [500]},
        {"accumulate": 1},
        {"precision": "mixed_float16"},
        {"ema": 0.9},
        {"recompute_batch_norm": True},
    ],
)
def test_a_run_that_trained_otherwise_stands_below_the_tables(change):
    record = as_evaluation(training_run(**change))
    assert line(row_20(), {"a": record})[1] is None
    last = paper_tables.page({"a": record}).splitlines()[-1]
    assert "trained with recipe" in last
    assert "(Table 6): " in last


@pytest.mark.parametrize(
    ("network", "shortcut"),
    [
        ("plain18", ""),
        ("resnet18", "A"),
        ("resnet18", "C"),
        ("resnet50", "B"),
        ("cifar_resnet20", "A"),
        ("bn_inception", ""),
        ("googlenet", ""),
    ],
)
def test_the_graph_of_a_row_is_what_its_builder_makes(network, shortcut):
    choice = {"shortcut": shortcut} if network.startswith("resnet") else {}
    with without_values():
        built = build(network, weights=None, **choice)
    assert graph_options(built) == Model(network, shortcut).graph


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ("resnet18", {"blur_pool": True}),
        ("resnet18", {"output_stride": 8}),
        ("cifar_resnet8", {"output_stride": 2}),
        ("googlenet", {"conv1": "separable"}),
        ("prelu_net_a", {"spp": "caffe"}),
    ],
)
def test_what_changes_a_graph_is_recorded(network, options):
    with without_values():
        built, usual = (build(network, weights=None, **given) for given in (options, {}))
    assert graph_options(built) == graph_options(usual) | options


def test_how_a_network_was_trained_is_read_beside_it(tmp_path):
    trained = {"recipe": {"recipe": "goyal", "out": "a", "data": "b"}, "settings": {"epochs": 90}}
    (tmp_path / "config.json").write_text(json.dumps(trained | {"steps": 9}))
    found = training_of(str(tmp_path / "model.keras"))
    assert found == {"recipe": {"recipe": "goyal"}, "settings": {"epochs": 90}}
    for other in (tmp_path / "other.keras", tmp_path / "elsewhere" / "model.keras", "resnet50.tv"):
        assert training_of(str(other)) is None
