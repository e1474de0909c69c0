"""Draws the paper's figures from a run, and what a network makes of an image.

    python recipes/figures.py --run runs/digits
    python recipes/figures.py --model resnet50.tv2 --picture cat.jpg --layers conv1 conv3_4
    python recipes/figures.py --model mine.keras --image resnet50.tv --picture cat.jpg

Of a run: training and test error (Fig. 6), and the layers' responses of the networks it saved
(Fig. 7). Of a network: its first filters, the maps of any layer and of all stages, and where it
sees the class. Each as .png and .svg into --out. Seconds to a minute on a CPU.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
from common import from_command_line, option

from keras_resnet import figures, paper
from keras_resnet.classify import imagenet_classes, rgb
from keras_resnet.data import digits
from keras_resnet.evaluation.opening import HOW, open_model, saved_model
from keras_resnet.preprocessing import Preprocessing


@dataclasses.dataclass(frozen=True)
class Recipe:
    run: str = option("", "folder of recipes/digits.py")
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
        if self.run and not Path(self.run, "results.json").is_file():
            raise ValueError(f"`run` must be a folder with results.json. Received: {self.run}")


def shown(name):
    row = paper.architecture(name)
    return f"{'ResNet' if row.shortcut else 'plain'}-{row.depth}"


def of_a_run(recipe, draw):
    """Fig. 6 and Fig. 7 of a run, then its last network on a digit."""
    networks = json.loads(Path(recipe.run, "results.json").read_text())["networks"]
    panels: dict[str, dict] = {}
    for name, result in networks.items():
        title = "residual networks" if paper.architecture(name).shortcut else "plain networks"
        panels.setdefault(title, {})[shown(name)] = result["history"]
    draw(figures.training_curves(panels), "curves")
    _, (x, labels) = digits.load_data()
    files = {name: Path(recipe.run, f"{name.removeprefix('cifar_')}.keras") for name in networks}
    models = {name: saved_model(str(path)) for name, path in files.items() if path.exists()}
    responses = {shown(name): figures.layer_responses(model, x) for name, model in models.items()}
    for name, found in responses.items():
        values = list(found.values())
        print(f"{name:>10}  mean {np.mean(values):.3f}  median {np.median(values):.3f}")
    draw(figures.responses_figure(responses), "responses")
    for name, model in models.items():
        last, title = model, f"{shown(name)} sees a {labels[0]}"
    of_a_network(recipe, draw, last, x[0], x[0].squeeze(), int(labels[0]), title)


def of_a_file(recipe, draw):
    model, record = open_model(recipe.model, recipe.image or None)
    pixels = rgb(recipe.picture)
    if record is None:
        raise ValueError("`image` must name a record: what the weights expect of an image")
    size = model.input.shape[1]
    x = np.asarray(Preprocessing(record, size, data_format="channels_last")(pixels))
    picture = np.asarray(
        Preprocessing(record, size, normalise=False, data_format="channels_last")(pixels)
    ).astype("uint8")
    label = figures.class_activation_map(model, x)[1]
    classes = model.output.shape[-1]
    name = imagenet_classes()[label][1] if classes == 1000 else f"class {label}"
    of_a_network(recipe, draw, model, x, picture, label, f"{model.name} sees: {name}")


def of_a_network(recipe, draw, model, x, picture, label, title):
    draw(figures.first_layer_filters(model), "filters")
    draw(figures.stages_figure(model, x, picture), "stages")
    for layer in recipe.layers:
        draw(figures.feature_maps(model, x, layer), f"maps-{layer}")
    found, _ = figures.class_activation_map(model, x, label)
    draw(figures.activation_figure(picture, found, title), "activation")


def main(recipe):
    out = Path(recipe.out or Path(recipe.run, "figures"))

    def draw(figure, name):
        print(", ".join(map(str, figures.save(figure, out / name))), flush=True)

    if recipe.run:
        of_a_run(recipe, draw)
    if recipe.model:
        of_a_file(recipe, draw)


if __name__ == "__main__":
    main(from_command_line(Recipe, __doc__))
