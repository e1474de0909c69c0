"""Measures the error of networks by the paper's protocols, each into a JSON file.

    python recipes/evaluate.py --models resnet50.tv2 --data ILSVRC2012_img_val.tar
    python recipes/evaluate.py --models resnet50.msra resnet101.msra resnet152.msra \\
        --data ILSVRC2012_img_val.tar --protocols 10-crop multi-scale --ensemble
    python recipes/evaluate.py --models runs/plain34/model.keras --image tv --data val/
    python recipes/evaluate.py --models vgg16.keras --data val/ --protocols dense \\
        --scales 256 384 512

With MSRA's weights, 10-crop is Table 3 (22.9 %, 21.8 %, 21.4 %) and multi-scale Table 4. On all
50,000 images 10-crop costs ten times as many multiply-adds as 1-crop, multi-scale about 70 times.

Writes --out/NETWORKS-PROTOCOL.json. A run that was stopped continues where it was, and a result
that exists is not measured again. `python tools/paper_tables.py --results OUT` puts the numbers
into the tables of the paper.
"""

import dataclasses
from pathlib import Path

from common import option, start, table

from keras_resnet.data import open_images
from keras_resnet.evaluation import PROTOCOLS, evaluate_named, protocol_named
from keras_resnet.evaluation.opening import HOW


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
        self.protocols_by_name()

    def protocols_by_name(self):
        """The protocols, by the names that the files of their results have."""
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


def main(recipe):
    data = open_images(recipe.data, recipe.split or None)
    rows = []
    for names in [recipe.models] if recipe.ensemble else [(name,) for name in recipe.models]:
        networks = "+".join(map(short, names))
        for name, protocol in recipe.protocols_by_name().items():
            print(f"{networks}, {name}, {len(data):,} images", flush=True)
            found = evaluate_named(
                names,
                data,
                protocol,
                image=recipe.image or None,
                average=recipe.average,
                batch_size=recipe.batch_size or None,
                comment=recipe.comment,
                thumbnails=recipe.thumbnails,
                out=Path(recipe.out, f"{networks}-{name}.json"),
            )
            low, high = found.record["top1"]["interval_95"]
            top5 = found.top5_error
            rows.append(
                {
                    "networks": networks,
                    "protocol": name,
                    "top-1 error (%)": f"{found.top1_error:.2f}",
                    "95 % interval": f"{low:.2f} to {high:.2f}",
                    "top-5 error (%)": "" if top5 is None else f"{top5:.2f}",
                }
            )
    print(f"\n{table(rows)}\n\nIn {recipe.out}")


if __name__ == "__main__":
    start(Recipe, __doc__, main)
