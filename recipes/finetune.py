"""Trains a network with public weights on the classes of your own images.

    python recipes/finetune.py --data flowers/                     # flowers/CLASS/*.jpg
    python recipes/finetune.py --data flowers/ --model resnet101 --weights tv2
    python recipes/finetune.py --data flowers/ --model resnet50 --weights my_weights.safetensors
    python recipes/finetune.py --smoke

First a new last layer is trained on what the frozen network sees, then the late stages with it, at
a lower rate. BN keeps the statistics it was trained with: see keras_resnet.freeze_batch_norm.
Where --data has no split (train, val), --held-out of each class is kept to be measured on.
Writes to --out: config.json, log.csv, checkpoints, results.json, curves.png and model.keras, which
takes images of 0 to 255. If a run is stopped, the same command continues it.

Cost: not measured for a data set of yours. Of a step of ResNet-50 with all its layers trained, two
cores of a CPU compute 9.3 images/s on torch in float32 and 17.1 in bfloat16, with 1.3 GB of memory
for 8 images (docs/performance.md); frozen layers save most of the backward pass. --smoke takes less
than a minute.

Expected error: it depends on the images; not measured.
"""

import dataclasses
from pathlib import Path

import common
import keras
import runs
from common import option

import keras_resnet
from keras_resnet import training
from keras_resnet.data import open_images, open_splits, samples
from keras_resnet.data.augmentation import Augmentation, CenterCrop
from keras_resnet.data.pipeline import EvaluationBatches, ImageBatches
from keras_resnet.data.sources import hold_out
from keras_resnet.networks.family import network_row
from keras_resnet.networks.paper import one_of
from keras_resnet.weights.find import find
from keras_resnet.weights.records import ImageRule, Record


@dataclasses.dataclass(frozen=True)
class Recipe(runs.Training):
    data: str = option("", "a folder with a folder of images for each class")
    model: str = option("resnet50", "a residual or plain network of `keras-resnet list`")
    weights: str = option("imagenet", "a set of `keras-resnet weights`, a file, or none")
    head_epochs: int = option(5, "of the new layer alone: its random weights would spoil the rest")
    epochs: int = option(15, "of the late stages with it")
    stage: str = option("conv4", "first stage that is trained; early ones serve any photograph")
    head_rate: float = option(0.01, "learning rate of the new layer")
    learning_rate: float = option(0.001, "of the late stages: they are nearly right")
    weight_decay: float = option(1e-4, '"a weight decay of 0.0001", of kernels')
    batch_size: int = option(32, "images of a step")
    least_area: float = option(0.25, "smallest part of an image that is cut out to train on")
    ema: float = option(0.0, "decay of a running average of weights and BN statistics; 0: none")
    label_smoothing: float = option(0.0, "part of each label that is spread over all classes")
    held_out: float = option(0.2, "part of each class to be measured on, where there is no split")
    workers: int = option(0, "threads that decode images; 0: as many as there are processors")
    on_bad_image: str = option("skip", "skip: name it and continue; fatal: stop")
    out: str = option("runs/finetune", "folder to write to, or to continue in")

    def __post_init__(self):
        self.check()
        one_of("on_bad_image", self.on_bad_image, ("skip", "fatal"))
        network_row(self.model)
        self.at_least(1, "epochs", "head_epochs", "batch_size")
        self.at_least(0, "head_rate", "learning_rate", "weight_decay", "workers")
        for name in ("least_area", "held_out"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(
                    f"`{name}` must be between 0 and 1. Received: {getattr(self, name)}"
                )
        if not self.data and not self.smoke:
            raise ValueError("`data` must name a folder with a folder of images for each class")


def collections(recipe):
    """Images to learn from and images to be measured on."""
    if recipe.smoke:
        return samples.noise(32, 4, seed=1), samples.noise(12, 4, seed=2)
    folders = {path.name for path in Path(recipe.data).glob("*") if path.is_dir()}
    if "train" in folders and folders & {"val", "validation", "test"}:
        split = "test" if not folders & {"val", "validation"} else "validation"
        return open_splits(recipe.data, "train", split)
    return hold_out(open_images(recipe.data), recipe.held_out, recipe.seed)


def pretrained(recipe, classes):
    """The network with its weights and a new last layer; and what it expects of an image."""
    weights = None if recipe.weights == "none" or recipe.smoke else recipe.weights
    found = find(weights, network_row(recipe.model))
    rule = found.image if isinstance(found, Record) else ImageRule()
    if recipe.smoke:
        rule = ImageRule(size=32, crop_pct=0.875)
    network = keras_resnet.build(
        recipe.model, weights=weights, input_shape=(None, None, 3), include_preprocessing=True
    )
    return keras_resnet.new_head(network, classes, classifier_activation=None), rule


def compile_model(model, recipe, rate, steps):
    updates = max(1, steps // recipe.accumulate)
    optimizer = training.SGD(
        training.cosine(rate, updates, warmup_steps=updates // 10),
        weight_decay=recipe.weight_decay,
        **runs.accumulation(recipe),
    )
    loss = training.SparseCategoricalCrossentropy(recipe.label_smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])


def main(recipe):
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    images, held_out = collections(recipe)
    model, rule = pretrained(recipe, len(images.class_names))
    shared = {"on_bad_image": recipe.on_bad_image, "workers": recipe.workers or None}
    batch = min(recipe.batch_size, len(images))
    size, head_epochs, epochs = rule.size or 224, recipe.head_epochs, recipe.epochs
    if recipe.smoke:
        head_epochs, epochs, batch = 1, 2, 8
    batches = ImageBatches(
        images,
        runs.part_of_batch(recipe, batch),
        augmentation=Augmentation(area=(recipe.least_area, 1.0)),
        size=size,
        seed=recipe.seed,
        **shared,
    )
    crop = CenterCrop(rule.resize or size, rule.interpolation, rule.antialias)
    tested = EvaluationBatches(held_out, min(64, len(held_out)), crop=crop, size=size, **shared)
    print(
        f"{recipe.model} ({recipe.weights}) on {len(images):,} images of "
        f"{len(images.class_names)} classes, {len(held_out):,} held out, on "
        f"{keras.backend.backend()}"
    )

    keras_resnet.unfreeze_from(model, "fc")
    steps = head_epochs * batches.steps_per_epoch
    compile_model(model, recipe, recipe.head_rate, steps)
    print("The new layer alone")
    training.fit(
        model,
        batches,
        steps=steps,
        out=Path(recipe.out, "head"),
        configuration=recipe.configuration(),
        checkpoint_every=recipe.checkpoint_every,
    )
    trained = keras_resnet.unfreeze_from(model, recipe.stage)
    steps = epochs * batches.steps_per_epoch
    compile_model(model, recipe, recipe.learning_rate, steps)
    print(f"{len(trained)} layers, from {trained[0]} on")
    runs.run(
        recipe,
        model,
        batches,
        network=recipe.model,
        steps=steps,
        image=(size, size, 3),
        evaluate=lambda model: training.evaluate(model, tested),
        ema=recipe.ema,
        settings={"image": dataclasses.asdict(rule), "classes": images.class_names},
    )
    for name, reason in {**batches.bad_images, **tested.bad_images}.items():
        print(f"Passed over: {name}: {reason}")


if __name__ == "__main__":
    common.start(Recipe, __doc__, main)
