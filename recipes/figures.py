"""Draws the paper's figures from a run, and what a network makes of an image.

    python recipes/figures.py --run runs/digits
    python recipes/figures.py --run runs/plain20 runs/plain56 runs/resnet20 --most 20
    python recipes/figures.py --model resnet50.tv2 --picture cat.jpg --layers conv1 conv3_4
    python recipes/figures.py --model mine.keras --image resnet50.tv --picture cat.jpg

Of runs: training and test error (Fig. 1, 4, 6), and the layers' responses of the plain and residual
networks they saved (Fig. 7). Of a network: its first filters, the maps of any layer and of all
stages, and where it sees the class, if it ends in global average pooling. Each as .png and .svg
into --out. Seconds to a minute on a CPU.
"""

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
from common import option, start, write_json

from keras_resnet import figures
from keras_resnet.data import cifar10, digits
from keras_resnet.evaluation.opening import HOW, open_model, saved_model
from keras_resnet.images.classification import imagenet_classes, rgb
from keras_resnet.images.preprocessing import Preprocessing
from keras_resnet.report.runs import panel, shown
from keras_resnet.weights import Record


@dataclasses.dataclass(frozen=True)
class Recipe:
    run: tuple[str, ...] = option((), "folders of recipes/digits.py, cifar10.py or imagenet.py")
    most: float = option(100.0, "error at the top of the curves, in percent; 20 in Fig. 6")
    model: str = option("", HOW)
    image: str = option("", "the record whose images weights of your own expect")
    picture: str = option("", "image file to show to the model; of a run, a test digit")
    layers: tuple[str, ...] = option(("conv1",), "whose maps to draw")
    out: str = option("", "folder to write to (default: figures, in the run's folder if any)")

    def __post_init__(self):
        if not self.run and not self.model:
            raise ValueError("`run` or `model` must be given. Received: neither")
        if self.model and not self.picture:
            raise ValueError("`picture` must name an image file with `model`. Received: none")
        for run in self.run:
            if not Path(run, "results.json").is_file():
                raise ValueError(f"`run` must be folders with results.json. Received: {run}")


def of_runs(recipe, draw, out):
    """Fig. 6 and Fig. 7 of runs; of digits also the last network, on a digit."""
    panels: dict[str, dict] = {}
    responses: dict[str, dict[str, float]] = {}
    records = {run: json.loads(Path(run, "results.json").read_text()) for run in recipe.run}
    refuse_twice({run: record["networks"] for run, record in records.items()})
    for run, record in records.items():
        x, _ = test_images(run, record)
        for name, result in record["networks"].items():
            panels.setdefault(panel(name), {})[shown(name)] = result["history"]
            path = Path(run, f"{name.removeprefix('cifar_')}.keras")
            path = path if path.exists() else Path(run, "model.keras")
            if x is not None and path.exists():
                responses[shown(name)] = figures.layer_responses(saved_model(str(path)), x)
    draw(figures.training_curves(panels, recipe.most), "curves")
    if responses:
        draw(figures.responses_figure(responses), "responses")
        write_json(out / "responses.json", responses)
    for name, found in responses.items():
        values = list(found.values())
        print(f"{name:>10}  responses: mean {np.mean(values):.3f}, median {np.median(values):.3f}")
    if "digits" in records[recipe.run[-1]] and path.exists():
        x, labels = test_images(recipe.run[-1], records[recipe.run[-1]])
        title = f"{name} sees a {labels[0]}"
        of_a_network(
            recipe, draw, saved_model(str(path)), x[0], x[0].squeeze(), int(labels[0]), title
        )


def refuse_twice(networks):
    """Raises where two runs are of one network: their curves would have one name."""
    trained: dict[str, str] = {}
    for run, names in networks.items():
        for name in names:
            if name in trained:
                raise ValueError(
                    "`run` must be runs of different networks. Received: "
                    f"{name} in {trained[name]} and in {run}"
                )
            trained[name] = run


def test_images(run, record):
    """What the networks of a run were measured on, as they take it; (None, None) if not known."""
    if "digits" in record:
        return digits.load_data()[1]
    if Path(run, "mean.npy").exists() and not record["recipe"]["smoke"]:
        _, (x, labels) = cifar10.load_data(record["recipe"]["data"] or None)
        return x / np.float32(255) - np.load(Path(run, "mean.npy")), labels
    return None, None


def of_a_file(recipe, draw):
    model, record = open_model(recipe.model, recipe.image or None)
    pixels = rgb(recipe.picture)
    if record is None:
        raise ValueError("`image` must name a record: what the weights expect of an image")

    def prepared(normalize):
        side = model.input.shape[1]
        x = Preprocessing(record, side, normalize, "channels_last")(pixels)
        return keras.ops.convert_to_numpy(x)

    inside = any(layer.name == "preprocessing" for layer in model.layers)
    x, picture = prepared(not inside), prepared(False).astype("uint8")
    label = int(np.argmax(model.predict_on_batch(x[None])))
    title = f"{shown(model.name)} sees: {class_name(label, model.output.shape[-1], record)}"
    of_a_network(recipe, draw, model, x, picture, label, title)


def class_name(label, classes, record):
    if classes == 1000:
        return imagenet_classes()[label][1]
    # Its other weights have other classes: only a record says that they are CIFAR-10's.
    if isinstance(record, Record) and record.network.startswith("cifar_") and classes == 10:
        return cifar10.CLASSES[label]
    return f"class {label}"


def of_a_network(recipe, draw, model, x, picture, label, title):
    draw(figures.first_layer_filters(model), "filters")
    draw(figures.stages_figure(model, x, picture), "stages")
    for layer in recipe.layers:
        draw(figures.feature_maps(model, x, layer), f"maps-{layer}")
    try:
        found, _ = figures.class_activation_map(model, x, label)
    except ValueError as error:
        print(f"no class activation map: {error}")
    else:
        draw(figures.activation_figure(picture, found, title), "activation")


def main(recipe):
    out = Path(recipe.out or Path(*recipe.run[:1], "figures"))

    def draw(figure, name):
        print(", ".join(map(str, figures.save(figure, out / name))), flush=True)

    if recipe.run:
        of_runs(recipe, draw, out)
    if recipe.model:
        of_a_file(recipe, draw)


if __name__ == "__main__":
    start(Recipe, __doc__, main)
