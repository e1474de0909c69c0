"""Trains on CIFAR-10 as Sec. 4.2 of the paper does, or in a few epochs.

    python recipes/cifar10.py                                  # the paper's ResNet-20
    python recipes/cifar10.py --model cifar_resnet110 --accumulate 2
    python recipes/cifar10.py --validation                     # 45,000 images; 5,000 to choose by
    python recipes/cifar10.py --recipe fast --data cifar10.zip
    python recipes/cifar10.py --smoke

Without --data Keras downloads CIFAR-10. --data is a folder, zip or tar with train/CLASS/ and
test/CLASS/. Writes to --out: config.json, log.csv, checkpoints, results.json, curves.png, mean.npy
and model.keras, which takes images of 0 to 1 less that mean and gives logits. If a run is stopped,
the same command continues it; --fresh starts over.

Cost: `fast` with ResNet-20 takes 11 minutes on two cores of a CPU (torch, mixed_bfloat16, 1,200
images/s, measured; docs/recipes.md). `paper` is 64,000 steps of 128 images: about 2 hours at that
speed, computed and not measured. ResNet-56 takes 0.7 GB of memory on torch (docs/performance.md).
On a GPU: not measured.

Expected error on the 10,000 test images: `paper` 8.75 % with ResNet-20, 7.51 % with 32 layers,
7.17 % with 44, 6.97 % with 56 and 6.43 % with 110 (He et al. 2016, Table 6; not measured here).
`fast` with ResNet-20: 14.44 % on JPEG files of the images (measured; docs/recipes.md), on which
networks trained on the original pixels have more errors than on those.
"""

import dataclasses
from pathlib import Path

import common
import keras
import numpy as np
import runs
from common import atomic_write, option

import keras_resnet
from keras_resnet import training
from keras_resnet.data import cifar10
from keras_resnet.data.arrays import ArrayBatches, PadCropFlip
from keras_resnet.networks.family import network_row
from keras_resnet.networks.paper import one_of


@dataclasses.dataclass(frozen=True)
class Settings:
    """A way to train. The sentences are of Sec. 4.2."""

    source: str
    steps: int
    batch_size: int
    learning_rate: float
    schedule: str  # "steps": by 10 at `drops`; "triangle": up to a quarter, straight to 0
    drops: tuple[int, ...] = ()
    warm_up_from: int | None = None  # depth of the nets that train at a tenth of the rate at first
    momentum: float = 0.9  # "and momentum of 0.9"
    nesterov: bool = False
    weight_decay: float = 1e-4  # "We use a weight decay of 0.0001"
    label_smoothing: float = 0.0
    pad: int = 4  # "4 pixels are padded on each side, and a 32x32 crop is randomly sampled"
    flip: bool = True  # "from the padded image or its horizontal flip"

    def lasting(self, steps: int) -> "Settings":
        """The same in another number of steps: drops move in proportion."""
        drops = tuple(round(drop * steps / self.steps) for drop in self.drops)
        return dataclasses.replace(self, steps=steps, drops=drops)

    def in_batches_of(self, images: int) -> "Settings":
        """The same with another batch size: the learning rate is scaled in proportion."""
        rate = training.linear_scaling(self.learning_rate, images, of=self.batch_size)
        return dataclasses.replace(self, batch_size=images, learning_rate=rate)


RECIPES = {
    "paper": Settings(
        source="He et al. 2016, Sec. 4.2, arXiv:1512.03385",
        steps=64_000,  # "and terminate training at 64k iterations"
        batch_size=128,  # "a mini-batch size of 128 on two GPUs": see --accumulate
        learning_rate=0.1,  # "We start with a learning rate of 0.1"
        schedule="steps",
        drops=(32_000, 48_000),  # "divide it by 10 at 32k and 48k iterations"
        warm_up_from=110,  # "In this case" (n = 18) "we use 0.01 to warm up the training"
    ),
    "fast": Settings(
        source="one cycle (Smith and Topin, arXiv:1708.07120) and label smoothing",
        steps=15 * 390,
        batch_size=128,
        learning_rate=0.2,
        schedule="triangle",
        nesterov=True,
        weight_decay=5e-4,
        label_smoothing=0.1,
    ),
}


@dataclasses.dataclass(frozen=True)
class Recipe(runs.Training):
    recipe: str = option("paper", f"{', '.join(RECIPES)}")
    model: str = option("cifar_resnet20", "of Sec. 4.2: cifar_resnetN or cifar_plainN, N = 6n+2")
    data: str = option("", "folder or archive of images; by default Keras downloads them")
    validation: bool = option(False, '"a 45k/5k train/val split": measure on 5,000 training images')
    steps: int | None = option(None, "of the optimizer; drops move in proportion")
    batch_size: int | None = option(None, "the learning rate follows in proportion")
    learning_rate: float | None = option(None, "the highest")
    accumulate: int = option(
        1, 'parts of a batch, each normalized on its own; 2 are the paper\'s "two GPUs"'
    )
    recompute_batch_norm: bool = option(False, "statistics over 8,192 images, after the training")
    out: str = option("runs/cifar10", "folder to write to, or to continue in")

    def __post_init__(self):
        self.check()
        one_of("recipe", self.recipe, RECIPES)
        if network_row(self.model).stem != "cifar":
            raise ValueError(
                "`model` must be of the family of Sec. 4.2, cifar_resnetN or cifar_plainN with "
                f"N = 6n+2. Received: {self.model!r}"
            )
        self.at_least(1, "steps", "batch_size")
        self.at_least(0, "learning_rate")
        runs.part_of_batch(self, self.settings().batch_size)

    def settings(self) -> Settings:
        """The recipe's, with what the command line says instead."""
        settings = RECIPES[self.recipe]
        if self.smoke:
            settings = settings.lasting(4).in_batches_of(8)
        if self.steps:
            settings = settings.lasting(self.steps)
        if self.batch_size:
            settings = settings.in_batches_of(self.batch_size)
        return self.instead_of(settings)


def load(recipe):
    """Training images and those to measure on, of 0 to 1 with the mean subtracted; the mean."""
    if recipe.smoke:
        random = np.random.default_rng(0)
        x = random.integers(0, 256, (80, 32, 32, 3), "uint8")
        (x, y), (x_test, y_test) = (x[:64], np.arange(64) % 10), (x[64:], np.arange(16) % 10)
    else:
        (x, y), (x_test, y_test) = cifar10.load_data(recipe.data or None)
    if recipe.validation:
        order = np.random.default_rng(0).permutation(len(x))  # the same split for every seed
        train, held_out = np.split(order, [len(x) * 9 // 10])
        (x, y), (x_test, y_test) = (x[train], y[train]), (x[held_out], y[held_out])
    mean = cifar10.mean_image(x) / 255  # "32x32 images, with the per-pixel mean subtracted"
    prepared = [images.astype("float32") / 255 - mean for images in (x, x_test)]
    return (prepared[0], y), (prepared[1], y_test), mean


def learning_rate(settings, depth):
    """The rate at each step of the optimizer, and what changes it beside the steps."""
    if settings.schedule == "triangle":
        rise = settings.steps // 4
        # Where a line that is 0 at the end and passes the highest rate after the rise begins.
        begin = settings.learning_rate * settings.steps / (settings.steps - rise)
        fall = keras.optimizers.schedules.PolynomialDecay(begin, settings.steps, 0.0)
        return training.WarmUp(fall, rise), []
    drops = training.step_drops(settings.learning_rate, settings.drops)
    if settings.warm_up_from is None or depth < settings.warm_up_from:
        return drops, []
    # "until the training error is below 80% (about 400 iterations), and then go back to 0.1"
    schedule = training.WarmUpUntil(drops, warmup=settings.learning_rate / 10)
    return schedule, [training.EndWarmUp(schedule, error=0.8)]


def build(recipe, settings):
    """The network, compiled, and the callbacks it is trained with. Shortcuts are of option A."""
    model = keras_resnet.build(recipe.model, classifier_activation=None)
    rate, callbacks = learning_rate(settings, network_row(recipe.model).depth)
    model.compile(
        training.SGD(
            rate,
            settings.momentum,
            settings.nesterov,
            settings.weight_decay,
            **runs.accumulation(recipe),
        ),
        training.SparseCategoricalCrossentropy(settings.label_smoothing),
        metrics=["accuracy"],
    )
    return model, callbacks


def batches_of(recipe, settings, x, y):
    return ArrayBatches(
        x,
        y,
        runs.part_of_batch(recipe, settings.batch_size),
        classes=10,
        seed=recipe.seed,
        augment=PadCropFlip(settings.pad, settings.flip),
    )


def main(recipe):
    settings = recipe.settings()
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    (x, y), held_out, mean = load(recipe)
    batches = batches_of(recipe, settings, x, y)
    model, callbacks = build(recipe, settings)
    print(
        f"{recipe.model} on {len(y):,} images, {len(held_out[1]):,} to measure on; recipe "
        f"{recipe.recipe} ({settings.source}), on {keras.backend.backend()}"
    )
    if training.active().is_first:
        with atomic_write(Path(recipe.out, "mean.npy")) as path:
            np.save(path, mean)

    runs.run(
        recipe,
        model,
        batches,
        network=recipe.model,
        steps=settings.steps * recipe.accumulate,
        image=(32, 32, 3),
        # "we only evaluate the single view of the original 32x32 image"
        evaluate=lambda model: training.evaluate(model, held_out),
        callbacks=callbacks,
        settings=dataclasses.asdict(settings),
        ema=recipe.ema or 0.0,
        finish=runs.recompute_over(batches) if recipe.recompute_batch_norm else None,
    )


if __name__ == "__main__":
    common.start(Recipe, __doc__, main)
