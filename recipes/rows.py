"""In what a result differs from what a row of the paper's tables is of."""

import dataclasses
import json

import cifar10
import imagenet

from keras_resnet.evaluation.metrics import error
from keras_resnet.evaluation.protocols import PROTOCOLS, as_dict, protocol_named
from keras_resnet.evaluation.published import CIFAR_TEST, IMAGENET_VALIDATION
from keras_resnet.weights import record_named

ERRORS = ("top1_error", "top5_error")
ORIGINAL = "CIFAR-10 as Keras downloads it"
RULE = ("size", "crop_pct", "interpolation", "antialias", "channels")
# Flags of the recipes that say nothing of how a network is trained, or whose effect is in a
# result's graph, data or protocol.
NEUTRAL = (
    *("out", "fresh", "checkpoint_every", "seed", "backend", "tensorboard", "distribute", "model"),
    *("data", "recipe", "shortcut", "blur_pool", "workers", "on_bad_image"),
)


def unlike(record, row) -> list[str] | None:
    """In what a result differs from what the command of a row measures.

    Returns:
        A list of differences, empty for a result of the row; None where the networks are others.
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
    found = others(configuration["protocol"], protocol)
    found += others(configuration, {"average": "softmax"})
    found += [f"data {text}" for text in others(configuration["data"], data_of(row))]
    for (model, trained), one in zip(measured, wanted, strict=True):
        differences = unlike_model(model, trained, one)
        several = f"{one.network}: " if len(set(names)) > 1 else ""
        found += [f"{several}{difference}" for difference in differences]
    return found


def others(measured, wanted) -> list[str]:
    """What is not as wanted, in words."""
    return [
        f"{name} {shown(measured.get(name))}, not {shown(value)}"
        for name, value in wanted.items()
        if measured.get(name) != value
    ]


def shown(value) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "another" if isinstance(value, dict) else "none" if value is None else str(value)


def data_of(row):
    if row.models[0].network.startswith("cifar_"):
        return {"kind": ORIGINAL, "images": CIFAR_TEST}
    return {"kind": "files", "images": IMAGENET_VALIDATION, "classes": 1000}


def unlike_model(model, trained, wanted) -> list[str]:
    """In what a network that was measured differs from a row's of that name."""
    public = f"{wanted.network}.{wanted.weights}" if wanted.weights else "none but trained here"
    if model["weights"] is None:
        wanted, found = dataclasses.replace(wanted, weights=""), unlike_training(trained, wanted)
    else:
        found = others(model, {"weights": public})
    options = wanted.graph.keys() | model["graph"].keys()
    found += others(model["graph"], {name: wanted.graph.get(name) for name in sorted(options)})
    if model["weights"] in (None, public) and model.get("image"):
        rule = as_json(record_named(model["weights"] or "tv").image)
        found += others(model["image"], {name: rule[name] for name in RULE})
    return found


def unlike_training(trained, wanted) -> list[str]:
    """What of the paper's training was changed, in what recipes/cifar10.py or imagenet.py tells."""
    if trained is None:
        return ["it is not recorded how it was trained"]
    told = trained["recipe"]
    if told["recipe"] != "paper":
        return [f"trained with recipe {told['recipe']}"]
    if wanted.network.startswith("cifar_"):
        recipe, settings = cifar10, cifar10.RECIPES["paper"]
        # "a mini-batch size of 128 on two GPUs", each with statistics of its own
        of_the_paper, neutral = {"accumulate": 2}, ()
    else:
        recipe, settings = imagenet, imagenet.recipe_of("paper", wanted.network)
        of_the_paper, neutral = {}, ("accumulate",)  # on how many GPUs the paper does not say
    settings = as_json(settings)
    flags = {field.name: field.default for field in dataclasses.fields(recipe.Recipe)}
    flags = {
        name: value
        for name, value in (flags | of_the_paper).items()
        if name in told and name not in (*NEUTRAL, *neutral, *settings)
    }
    return others(trained["settings"], settings) + others(told, flags)


def as_json(record):
    return json.loads(json.dumps(dataclasses.asdict(record)))


def of_a_run(record):
    """What a run of recipes/cifar10.py measured at its end, as if it were an evaluation."""
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
