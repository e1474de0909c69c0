"""Measures the error of networks by the paper's protocols, each into a JSON of its own.

    python recipes/evaluate.py --models resnet50.tv2 --data ILSVRC2012_img_val.tar
    python recipes/evaluate.py --models resnet50.msra resnet101.msra resnet152.msra \\
        --data ILSVRC2012_img_val.tar --protocols 10-crop multi-scale --ensemble
    python recipes/evaluate.py --models runs/plain34/model.keras --image tv --data val/
    python recipes/evaluate.py --models vgg16.keras --data val/ --protocols dense \\
        --scales 256 384 512

With MSRA's weights, 10-crop is Table 3 (22.9 %, 21.8 %, 21.4 %) and multi-scale Table 4. On all
50,000 images 10-crop costs ten times as many multiply-adds as 1-crop, multi-scale about 70 times.

Writes --out/NETWORKS-PROTOCOL.json. A run that was stopped goes on where it was; what is there is
not measured again. `python recipes/tables.py --results OUT` puts the numbers into the tables.
"""

import dataclasses
import json
from pathlib import Path

from common import option, start, table, write_json

from keras_resnet.data import open_images
from keras_resnet.evaluation import PROTOCOLS, evaluate, protocol_named
from keras_resnet.evaluation.opening import HOW, open_models


@dataclasses.dataclass(frozen=True)
class Recipe:
    models: tuple[str, ...] = option((), HOW)
    data: str = option("", "folder, zip, official archive of ImageNet, or data set of TFDS")
    split: str = option("", "of the data, where it has several")
    protocols: tuple[str, ...] = option(("1-crop",), f"of {', '.join(PROTOCOLS)}")
    scales: tuple[str, ...] = option((), "lengths of the shorter side, not the protocol's own")
    ensemble: bool = option(False, "whether the networks are measured together, not one by one")
    average: str = option("softmax", '"softmax" or "logits"')
    image: str = option("", "the record whose images weights of your own expect")
    batch_size: int = option(0, "views that go through together; 0 is what suits the protocol")
    comment: str = option("", "kept with the results, such as where the images are from")
    thumbnails: int = option(24, "of the most confident mistakes, kept with the results")
    out: str = option("runs/evaluation", "folder to write to")

    def __post_init__(self):
        if not self.models:
            raise ValueError("`models` must name at least one. Received: none")
        if not self.data:
            raise ValueError("`data` must name a folder or an archive. Received: none")
        if not self.protocols:
            raise ValueError(f"`protocols` must be of {', '.join(PROTOCOLS)}. Received: none")
        if not all(map(str.isdigit, self.scales)):
            raise ValueError(f"`scales` must be in pixels. Received: {', '.join(self.scales)}")
        self.looks()

    def looks(self):
        """The protocols, by the names that their results' files have."""
        scales = tuple(map(int, self.scales))
        return {
            "-".join((name, *self.scales)): protocol_named(name, scales) for name in self.protocols
        }


def short(model):
    """resnet50.tv2 of resnet50.tv2=/some/folder/weights.pth, mine of folder/mine.keras.

    Recipes call what they save model.keras: plain34 of runs/plain34/model.keras.
    """
    path = Path(model.partition("=")[0])
    if path.name == "model.keras" and path.parent.name:
        return path.parent.name
    return path.name.removesuffix(".keras")


def trained(model):
    """How a recipe trained a network that it left as model.keras in a folder; None of others."""
    told = Path(model).with_name("config.json")
    if Path(model).name != "model.keras" or not told.is_file():
        return None
    record = json.loads(told.read_text())
    flags = {name: flag for name, flag in record["recipe"].items() if name not in ("out", "data")}
    return {"recipe": flags, "settings": record["settings"]}


def main(recipe):
    data = open_images(recipe.data, recipe.split or None)
    groups = [recipe.models] if recipe.ensemble else [(name,) for name in recipe.models]
    rows = []
    for names in groups:
        models, records = open_models(names, recipe.image or None)
        together = "+".join(map(short, names))
        for look, protocol in recipe.looks().items():
            print(f"{together}, {look}, {len(data):,} images", flush=True)
            path = Path(recipe.out, f"{together}-{look}.json")
            found = evaluate(
                models,
                data,
                protocol,
                records,
                average=recipe.average,
                batch_size=recipe.batch_size or None,
                comment=recipe.comment,
                thumbnails=recipe.thumbnails,
                out=path,
            )
            write_json(path, found.record | {"training": list(map(trained, names))})
            low, high = found.record["top1"]["interval_95"]
            rows.append(
                {
                    "networks": together,
                    "protocol": look,
                    "top-1 error (%)": f"{found.top1_error:.2f}",
                    "95 % interval": f"{low:.2f} to {high:.2f}",
                    "top-5 error (%)": f"{found.top5_error:.2f}" if found.top5_error else "",
                }
            )
    print(f"\n{table(rows)}\n\nIn {recipe.out}")


if __name__ == "__main__":
    start(Recipe, __doc__, main)
