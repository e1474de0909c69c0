"""How a result differs from what a row of the paper's tables measures."""

import dataclasses
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "recipes"))

import cifar10
import imagenet
from published import CIFAR_TEST, IMAGENET_VALIDATION, Model, Row

from keras_resnet.evaluation.metrics import error
from keras_resnet.evaluation.protocols import PROTOCOLS, as_dict, protocol_named, renamed
from keras_resnet.weights import record_named

ERRORS = ("top1_error", "top5_error")
ORIGINAL = "CIFAR-10 as Keras downloads it"
RULE = ("size", "crop_pct", "interpolation", "antialias", "channels")
# Flags of the recipes that do not change how a network is trained, or whose effect is seen in a
# result's graph, data or protocol.
NEUTRAL = (
    *("out", "fresh", "checkpoint_every", "seed", "backend", "tensorboard", "distribute", "model"),
    *("data", "recipe", "shortcut", "blur_pool", "workers", "on_bad_image"),
)


def differences(record: dict, row: Row) -> list[str] | None:
    """How a result differs from what the command of a row measures.

    Returns:
        Sentences, none for a result of the row; None where the result is of other networks.
    """
    configuration = record["configuration"]
    training = record.get("training") or [None] * len(configuration["models"])
    measured = sorted(
        zip(configuration["models"], training, strict=True), key=lambda pair: pair[0]["model"]
    )
    wanted = sorted(row.models, key=lambda model: model.network)
    names = [model["model"] for model, _ in measured]
    if not names or names != [model.network for model in wanted]:
        return None
    protocol = as_dict(protocol_named(row.protocol, row.scales))
    del protocol["source"]
    found = other_values(renamed(configuration["protocol"]), protocol)
    found += other_values(configuration, {"average": "softmax"})
    found += [f"data {text}" for text in other_values(configuration["data"], data_of(row))]
    for (model, trained), one in zip(measured, wanted, strict=True):
        several = f"{one.network}: " if len(set(names)) > 1 else ""
        found += [f"{several}{text}" for text in differences_of_model(model, trained, one)]
    return found


def other_values(measured: dict, wanted: dict) -> list[str]:
    """Which values are not as wanted, in words."""
    return [
        f"{name} {in_words(measured.get(name))}, not {in_words(value)}"
        for name, value in wanted.items()
        if measured.get(name) != value
    ]


def in_words(value) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "another" if isinstance(value, dict) else "none" if value is None else str(value)


def data_of(row: Row) -> dict:
    """The images that a row of the paper was measured on, as results describe them."""
    if row.models[0].network.startswith("cifar_"):
        return {"kind": ORIGINAL, "images": CIFAR_TEST}
    return {"kind": "files", "images": IMAGENET_VALIDATION, "classes": 1000}


def differences_of_model(model: dict, trained: dict | None, wanted: Model) -> list[str]:
    """How a network that was measured differs from a row's of that name."""
    public = f"{wanted.network}.{wanted.weights}" if wanted.weights else "none but trained here"
    if model["weights"] is None:
        wanted = dataclasses.replace(wanted, weights="")
        found = differences_of_training(trained, wanted.network)
    else:
        found = other_values(model, {"weights": public})
    options = sorted(wanted.graph.keys() | model["graph"].keys())
    found += other_values(model["graph"], {name: wanted.graph.get(name) for name in options})
    if model["weights"] in (None, public) and model.get("image"):
        rule = as_json(record_named(model["weights"] or "tv").image)
        found += other_values(model["image"], {name: rule[name] for name in RULE})
    return found


def differences_of_training(trained: dict | None, network: str) -> list[str]:
    """What of the paper's training was changed, as config.json of a recipe records it."""
    if trained is None:
        return ["it is not recorded how it was trained"]
    flags = trained["recipe"]
    if flags["recipe"] != "paper":
        return [f"trained with recipe {flags['recipe']}"]
    if network.startswith("cifar_"):
        recipe, settings = cifar10, cifar10.RECIPES["paper"]
        # "a mini-batch size of 128 on two GPUs", each with statistics of its own
        of_the_paper, neutral = {"accumulate": 2}, NEUTRAL
    else:
        recipe, settings = imagenet, imagenet.recipe_of("paper", network)
        # The paper does not say on how many GPUs.
        of_the_paper, neutral = {}, (*NEUTRAL, "accumulate")
    settings = as_json(settings)
    defaults = {field.name: field.default for field in dataclasses.fields(recipe.Recipe)}
    wanted = {
        name: value
        for name, value in (defaults | of_the_paper).items()
        if name in flags and name not in (*neutral, *settings)
    }
    # Version 0.1 wrote 0 for a number that was not given, which is None since.
    wanted = {name: value for name, value in wanted.items() if value or flags[name]}
    return other_values(trained["settings"], settings) + other_values(flags, wanted)


def as_json(record) -> dict:
    return json.loads(json.dumps(dataclasses.asdict(record)))


def as_evaluation(record: dict) -> dict | None:
    """The result of a run of recipes/cifar10.py in the form of an evaluation; None of others."""
    recipe, settings, network = record["recipe"], record["settings"], record["network"]
    final = record["networks"][network].get("final", {})
    if not network.startswith("cifar_") or recipe.get("smoke") or not final.get("images"):
        return None
    images = final["images"]
    top1, top5 = (error(round(final[name] * images / 100), images) for name in ERRORS)
    graph = {"shortcut": "A", "zero_channels": "end"} if "resnet" in network else {}
    kind = "files" if recipe["data"] else ORIGINAL
    return {
        "top1": top1,
        "top5": top5,
        "configuration": {
            "protocol": as_dict(PROTOCOLS["1-crop"]),
            "average": "softmax",
            "models": [{"model": network, "weights": None, "graph": graph}],
            "data": {"kind": kind, "images": images},
            "backend": record["versions"]["backend"],
        },
        "training": [{"recipe": recipe, "settings": settings}],
        "comment": f"trained with recipe {recipe['recipe']}, {settings['steps']:,} steps"
        + (", on images from files" if recipe["data"] else ""),
        "date": record.get("date", ""),
    }
