"""Trains on ImageNet as the paper did, or by a later recipe.

    python recipes/imagenet.py --data imagenet/                          # the paper, ResNet-50
    python recipes/imagenet.py --data imagenet/ --model googlenet        # as its own paper says
    python recipes/imagenet.py --data imagenet/ --recipe goyal --model resnet101
    python recipes/imagenet.py --data flowers/ --recipe fast --model resnet18 --batch-size 64
    python recipes/imagenet.py --dataset digits --model resnet18 --recipe fast --batch-size 64
    python recipes/imagenet.py --smoke

--data (or --data-dir) is a folder with train/CLASS/*.JPEG and val/CLASS/*.JPEG, a folder that
holds the archives ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, or imagenet2012 as TFDS
prepared it.
Writes to --out: config.json, log.csv, checkpoints, results.json, curves.png and model.keras, which
takes images of 0 to 255. If a run is stopped, the same command continues it.

A flag that is not given has the recipe's value; --ema 0, --label-smoothing 0 and
--no-recompute-batch-norm switch off what the recipe has on.

Cost: a training of ImageNet was not measured. One step of ResNet-50 was: on two cores of a CPU
torch trains 9.3 images/s in float32 and 17.1 in bfloat16, with 1.3 GB of memory for 8 images
(docs/performance.md), so that an epoch would take a day. On one A100, 120 epochs would take 17
hours at the 2,470 images/s that NVIDIA publishes (docs/scaling.md; computed, not measured). --smoke
takes less than a minute.

Expected top-1 error of ResNet-50 on the validation images, center crop, as published; this package
was not trained on ImageNet to check it:

    paper   24.7 %   He et al., released model, github.com/KaimingHe/deep-residual-networks
    goyal   23.6 %   Goyal et al., arXiv:1706.02677, Table 2b
    a2      20.2 %   Wightman et al., arXiv:2110.00476, Table 2
    a3      21.9 %   the same
    fast    26.2 %   github.com/libffcv/ffcv-imagenet, rn50, 16 epochs, with --blur-pool
"""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import common
import keras
import numpy as np
import runs
from common import option
from imagenet_recipes import RECIPES, recipe_of
from imagenet_settings import Settings

import keras_resnet
from keras_resnet import training
from keras_resnet.data import CenterCrop, EvaluationBatches, ImageBatches, open_splits, samples
from keras_resnet.networks.family import narrowed, network_row
from keras_resnet.networks.options import MEAN, STD
from keras_resnet.networks.paper import one_of

WHERE_IMAGENET_IS = """There is no ImageNet here. To get it:
  1. Sign up at https://image-net.org/download and agree to its terms.
  2. Download ILSVRC2012_img_train.tar (138 GB) and ILSVRC2012_img_val.tar (6 GB) into a folder.
  3. python recipes/imagenet.py --data THAT_FOLDER: the archives are read as they are.
  4. Or use a folder of your own with train/CLASS/*.jpg and val/CLASS/*.jpg.
  5. To see the recipe run at once: --dataset digits, or --dataset synthetic."""


# A mirrored digit is none, and neither is a small part of one.
OF_DIGITS = {"flip": False, "area": (0.7, 1.0), "shorter": (224, 256)}


@dataclasses.dataclass(frozen=True)
class Recipe(runs.Training):
    recipe: str = option("paper", f"{', '.join(RECIPES)}")
    model: str = option("resnet50", "any network of `keras-resnet list`")
    data: str = option("", "where the images are", "--data-dir")
    dataset: str = option("imagenet", "imagenet; digits or synthetic need no --data")
    epochs: int | None = option(None, "drops and warm-up move in proportion")
    steps: int | None = option(None, "batches to train on, to try it", shown="all of the epochs")
    batch_size: int | None = option(None, "the learning rate follows in proportion")
    learning_rate: float | None = option(None, "the highest")
    recompute_batch_norm: bool | None = option(None, "BN's statistics again after the training")
    shortcut: str = option("", "A, B or C of Sec. 3.3, instead of the network's own")
    blur_pool: bool = option(False, "strided convolutions read a blurred map (arXiv:1904.11486)")
    width: int | None = option(
        None, "channels of the first stage, for a narrow network", shown="the network's own"
    )
    size: int | None = option(None, "side of the images in pixels, to try it on few")
    workers: int = option(0, "threads that decode images; 0: as many as there are processors")
    on_bad_image: str = option("skip", "skip: name it and continue; fatal: stop")
    out: str = option("runs/imagenet", "folder to write to, or to continue in")

    def __post_init__(self):
        self.check()
        one_of("recipe", self.recipe, RECIPES)
        one_of("dataset", self.dataset, ("imagenet", "digits", "synthetic"))
        one_of("on_bad_image", self.on_bad_image, ("skip", "fatal"))
        row, chosen = network_row(self.model), RECIPES[self.recipe]
        self.at_least(1, "epochs", "steps", "batch_size", "width", "size")
        self.at_least(0, "learning_rate", "workers")
        if self.size and self.size < row.stride:
            raise ValueError(
                f"`size` must be at least {row.stride} for {self.model}. Received: {self.size}"
            )
        sides = {chosen.size, chosen.last_size, chosen.evaluation[1]}
        if row.flattens and len(sides) > 1 and not (self.size or self.smoke):
            raise ValueError(
                f"{self.model} takes images of one size: give `size`. "
                f"Received: recipe {self.recipe}, whose images have {sorted(sides)} pixels a side"
            )

    def settings(self) -> Settings:
        """The recipe's, with what the command line says instead."""
        settings = recipe_of(self.recipe, self.model)
        if self.smoke:  # auxiliary heads average squares of a map that is 16 times as small
            settings = settings.lasting(1).in_batches_of(8)
            settings = settings.at(96 if settings.loss_weights else 32)
        if self.dataset == "digits":
            gentle = dataclasses.replace(settings.augmentation, **OF_DIGITS)
            settings = dataclasses.replace(settings, augmentation=gentle, mirrored=False)
        if self.epochs:
            settings = settings.lasting(self.epochs)
        if self.batch_size:
            settings = settings.in_batches_of(self.batch_size)
        if self.size:
            settings = settings.at(self.size)
        return self.instead_of(settings)


def build(recipe, settings, classes):
    """The network, which takes images of 0 to 255 and gives logits."""
    row = network_row(recipe.model)
    if recipe.width:
        row = narrowed(row, recipe.width)
    options: dict[str, Any] = {"shortcut": recipe.shortcut or None, "blur_pool": recipe.blur_pool}
    options["auxiliary"] = bool(settings.loss_weights)
    if row.family == "resnet" and row.block == "bottleneck":
        options["stride_on"] = settings.stride_on
    if row.shortcut:
        options["zero_init_residual"] = settings.zero_init_residual and not row.preactivated
        options["drop_path_rate"] = settings.drop_path
    side = settings.size if row.flattens or settings.loss_weights else None
    image = keras.Input((side, side, 3), name="image")
    variance = [std**2 if settings.divides_by_deviation else 1.0 for std in STD]
    model = keras_resnet.build(
        row,
        input_tensor=keras.layers.Normalization(-1, MEAN, variance, name="preprocessing")(image),
        classes=classes,
        classifier_activation=None,
        name=recipe.model,
        **options,
    )
    if settings.fc_deviation:
        kernel = model.get_layer("fc").kernel
        normal = keras.initializers.RandomNormal(stddev=settings.fc_deviation)
        kernel.assign(normal(kernel.shape, kernel.dtype))
    return model


def learning_rate(settings, updates_per_epoch):
    """The rate at each update: rises along a line for `warmup` epochs, then falls."""
    top, total = settings.learning_rate, round(settings.epochs * updates_per_epoch)
    warmup = round(settings.warmup * updates_per_epoch)
    if settings.schedule == "cosine":
        return training.cosine(top, total, warmup, settings.start * top, settings.final)
    if settings.schedule == "triangle":
        at_zero = top * total / (total - warmup)  # the line that passes `top` after the warm-up
        fall = keras.optimizers.schedules.PolynomialDecay(at_zero, total, 0.0)
        return training.WarmUp(fall, warmup, start=settings.start * top)
    if settings.schedule == "exponential":
        every = max(1, round(settings.every * updates_per_epoch))
        return keras.optimizers.schedules.ExponentialDecay(
            top, every, settings.factor, staircase=True
        )
    drops = [round(epoch * updates_per_epoch) for epoch in settings.drops]
    fall = training.step_drops(top, drops, settings.factor)
    # "a small learning rate": that of one worker's 256 images
    return training.WarmUp(fall, warmup, start=min(0.1, top))


def compile_model(model, recipe, settings, updates_per_epoch):
    rate = learning_rate(settings, updates_per_epoch)
    shared = {"weight_decay": settings.weight_decay, **runs.accumulation(recipe)}
    if settings.optimizer == "lamb":
        optimizer = training.LAMB(rate, **shared)
    else:
        optimizer = training.SGD(rate, settings.momentum, nesterov=settings.nesterov, **shared)
    if settings.loss == "binary":
        loss = training.BinaryCrossentropy(settings.label_smoothing, threshold=0.2)
    elif settings.mixing:
        loss = keras.losses.CategoricalCrossentropy(True, settings.label_smoothing)
    else:
        loss = training.SparseCategoricalCrossentropy(settings.label_smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])


def size_in(settings, epoch):
    """Side of the training images: the multiple of 32 nearest a line between two epochs."""
    side = np.interp(epoch, settings.rise, (settings.size, settings.last_size))
    return 32 * round(side / 32)


def collections(recipe):
    """Images to train on and images to measure on."""
    if recipe.smoke or recipe.dataset == "synthetic":
        return samples.noise(64, 4, seed=1), samples.noise(24, 4, seed=2)
    if recipe.dataset == "digits":
        return samples.handwritten("train"), samples.handwritten("test")
    if not recipe.data:
        raise ValueError(f"`data` is not given.\n{WHERE_IMAGENET_IS}")
    if not Path(recipe.data).exists():
        raise ValueError(f"`data` must be a folder. Received: {recipe.data}\n{WHERE_IMAGENET_IS}")
    return open_splits(recipe.data, "train", "validation")


def main(recipe):
    settings = recipe.settings()
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    images, held_out = collections(recipe)
    classes = len(images.class_names)
    shared = {"on_bad_image": recipe.on_bad_image, "workers": recipe.workers or None}
    rises = settings.size != settings.last_size
    batches = ImageBatches(
        images,
        runs.part_of_batch(recipe, settings.batch_size),
        augmentation=settings.augmentation,
        size=functools.partial(size_in, settings) if rises else settings.size,
        seed=recipe.seed,
        mixing=settings.mixing,
        repeats=settings.repeats,
        **shared,
    )
    resize, size = settings.evaluation
    crop = CenterCrop(resize, settings.augmentation.interpolation, antialias=True)
    tested = EvaluationBatches(
        held_out, min(256, settings.batch_size), crop=crop, size=size, **shared
    )
    network = trained = build(recipe, settings, classes)
    if settings.loss_weights:
        trained = training.WithAuxiliaryLosses(network, settings.loss_weights)
        network = keras.Model(network.input, network.output["fc"], name=recipe.model)
    compile_model(trained, recipe, settings, batches.steps_per_epoch / recipe.accumulate)
    print(
        f"{recipe.model} on {len(images):,} images of {classes} classes, {len(held_out):,} held "
        f"out; recipe {recipe.recipe} ({settings.source}), on {keras.backend.backend()}"
    )

    runs.run(
        recipe,
        trained,
        batches,
        network=recipe.model,
        steps=recipe.steps or round(settings.epochs * batches.steps_per_epoch),
        image=(size, size, 3),
        evaluate=lambda model: training.evaluate(network, tested, mirrored=settings.mirrored),
        settings=dataclasses.asdict(settings),
        ema=settings.ema,
        finish=runs.recompute_over(batches) if settings.recompute_batch_norm else None,
        kept=network,
    )
    for name, reason in {**batches.bad_images, **tested.bad_images}.items():
        print(f"Passed over: {name}: {reason}")


if __name__ == "__main__":
    common.start(Recipe, __doc__, main)
