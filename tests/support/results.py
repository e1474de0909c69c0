"""Results as recipes write them, for the tests of the tables."""

import dataclasses
import json
import pathlib

import paper_tables
from paper_rows import cifar10, imagenet
from published import TABLES, Model

from keras_resnet.evaluation.protocols import PROTOCOLS, as_dict
from keras_resnet.weights import record_named

ROOT = pathlib.Path(__file__).parents[2]


def result():
    """A result as recipes/evaluate.py writes it, as if of ResNet-50 on all validation images."""
    path = ROOT / "docs" / "results" / "cifar_resnet20.akamaster-1-crop.json"
    record = json.loads(path.read_text())
    record["top1"] |= {"error": 22.9, "images": 50_000}
    record["top5"] |= {"error": 6.5}
    configuration = record["configuration"]
    configuration["protocol"] = as_dict(PROTOCOLS["10-crop"])
    configuration["data"] |= {"images": 50_000, "classes": 1000}
    configuration["models"][0] |= {
        "model": "resnet50",
        "weights": "resnet50.msra",
        "graph": {"shortcut": "B", "stride_on": "1x1", "pool1": "caffe"},
        "image": as_json(record_named("resnet50.msra").image),
    }
    return record


def as_json(record):
    return json.loads(json.dumps(dataclasses.asdict(record)))


def trained_here(**changes):
    """The same of a ResNet-50 that recipes/imagenet.py trained as the paper did."""
    record, recipe = result(), imagenet.Recipe(model="resnet50")
    settings = as_json(imagenet.recipe_of("paper", "resnet50"))
    flags = dataclasses.asdict(recipe)
    for name, value in changes.items():
        (settings if name in settings else flags)[name] = value
    model = record["configuration"]["models"][0]
    model |= {"weights": None, "image": as_json(record_named("tv").image)}
    model["graph"] |= {"pool1": "symmetric"}
    return record | {"training": [{"recipe": flags, "settings": settings}]}


def line(row, results):
    """A row as it stands on the page, and the result that filled it."""
    cells, used = paper_tables.cells(row, results)
    return f"| {' | '.join(cells)} |", used


def row_20():
    return next(row for row in TABLES[4].rows if row.models == (Model("cifar_resnet20"),))


def row_50():
    return next(row for row in TABLES[1].rows if row.method == "ResNet-50")


def training_run(**changes):
    """results.json of recipes/cifar10.py, as if the paper's ResNet-20 had been trained."""
    recipe = dataclasses.asdict(cifar10.Recipe(accumulate=2))
    settings = as_json(cifar10.RECIPES["paper"])
    final = {"top1_error": 8.5, "top5_error": 0.4, "images": 10_000}
    for name, value in changes.items():
        part = next(part for part in (settings, recipe, final) if name in part)
        part[name] = value
    return {
        "recipe": recipe,
        "settings": settings,
        "network": "cifar_resnet20",
        "networks": {"cifar_resnet20": {"final": final}},
        "versions": {"backend": "jax"},
    }
