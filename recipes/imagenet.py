"""Trains on ImageNet as the paper did, or as those who came after it.

    python recipes/imagenet.py --data imagenet/                          # the paper, ResNet-50
    python recipes/imagenet.py --data imagenet/ --recipe goyal --model resnet101
    python recipes/imagenet.py --data flowers/ --recipe fast --model resnet18 --epochs 30
    python recipes/imagenet.py --dataset digits --model resnet18 --recipe fast
    python recipes/imagenet.py --smoke

--data is a folder with train/CLASS/*.JPEG and val/CLASS/*.JPEG, a folder that holds the archives
ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, or imagenet2012 as TFDS prepared it.
Writes to --out: config.json, log.csv, checkpoints, results.json, curves.png and model.keras, which
takes images of 0 to 255. Stopped at any moment, the same command goes on where it was.
"""

import dataclasses
from pathlib import Path
from typing import Any

import common
import keras
import runs
from common import option

import keras_resnet
from keras_resnet import training
from keras_resnet.data import open_images, samples
from keras_resnet.data.augmentation import Augmentation, CentreCrop
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.pipeline import EvaluationBatches, ImageBatches
from keras_resnet.data.randaugment import RandAugment

WHERE_IMAGENET_IS = """There is no ImageNet here. To get it:
  1. Sign up at https://image-net.org/download and agree to its terms.
  2. Download ILSVRC2012_img_train.tar (138 GB) and ILSVRC2012_img_val.tar (6 GB) into a folder.
  3. python recipes/imagenet.py --data THAT_FOLDER: the archives are read as they are.
  4. Or use a folder of your own with train/CLASS/*.jpg and val/CLASS/*.jpg.
  5. To see the recipe run at once: --dataset digits, or --dataset synthetic."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """How one paper trained. Epochs are of 1,281,167 images; rates are of the batch named."""

    source: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str  # "steps": by 10 at `drops`; "cosine": to 0; "triangle": straight to 0
    drops: tuple[float, ...] = ()
    warmup: float = 0  # epochs
    optimizer: str = "sgd"
    nesterov: bool = False
    weight_decay: float = 1e-4
    loss: str = "softmax"  # or "binary"
    label_smoothing: float = 0.0
    size: int = 224
    last_size: int = 224  # where it is another, sizes rise in between by steps of 32
    rise: tuple[float, float] = (0, 0)  # epochs in which they do
    evaluation: tuple[int, int] = (256, 224)  # shorter side, then the square
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    mixing: Mixing | None = None
    repeats: int = 1
    drop_path: float = 0.0
    stride_on: str = "3x3"
    zero_init_residual: bool = False
    recompute_batch_norm: bool = False


RECIPES = {
    "paper": Settings(
        source="He et al. 2016, Sec. 3.4, arXiv:1512.03385",
        epochs=120,  # "for up to 60 x 10^4 iterations"
        batch_size=256,  # "a mini-batch size of 256"
        learning_rate=0.1,  # "starts from 0.1"
        schedule="steps",  # "divided by 10 when the error plateaus": they do not say when
        drops=(30, 60, 90),
        # "shorter side randomly sampled in [256, 480]", "the standard color augmentation"
        augmentation=Augmentation(crop="scale", shorter=(256, 480), lighting=0.1),
        stride_on="1x1",
        recompute_batch_norm=True,  # the authors' release notes; see `recompute_batch_norm`
    ),
    "goyal": Settings(
        source="Goyal et al. 2017, Sec. 5.1, arXiv:1706.02677",
        epochs=90,
        batch_size=256,  # "lr = 0.1 kn/256": another batch size scales the rate
        learning_rate=0.1,
        schedule="steps",
        drops=(30, 60, 80),  # "reduced by 1/10 at the 30-th, 60-th, and 80-th epoch"
        warmup=5,  # "gradual warmup ... after 5 epochs"
        nesterov=True,
        zero_init_residual=True,  # "we initialize gamma = 0" of "each residual block's last BN"
    ),
    "a2": Settings(
        source="Wightman et al. 2021, Table 2, arXiv:2110.00476",
        epochs=300,
        batch_size=2048,
        learning_rate=5e-3,
        schedule="cosine",
        warmup=5,
        optimizer="lamb",
        weight_decay=0.02,
        loss="binary",
        evaluation=(236, 224),
        augmentation=Augmentation(
            interpolation="bicubic", antialias=True, randaugment=RandAugment(magnitude=7)
        ),
        mixing=Mixing(mixup=0.1, cutmix=1.0),
        repeats=3,
        drop_path=0.05,
        zero_init_residual=True,
    ),
    "a3": Settings(
        source="Wightman et al. 2021, Table 2, arXiv:2110.00476",
        epochs=100,
        batch_size=2048,
        learning_rate=8e-3,
        schedule="cosine",
        warmup=5,
        optimizer="lamb",
        weight_decay=0.02,
        loss="binary",
        size=160,
        last_size=160,
        evaluation=(236, 224),
        augmentation=Augmentation(
            interpolation="bicubic", antialias=True, randaugment=RandAugment(magnitude=6)
        ),
        mixing=Mixing(mixup=0.1, cutmix=1.0),
        zero_init_residual=True,
    ),
    "fast": Settings(
        source="FFCV's rn50, https://github.com/libffcv/ffcv-imagenet; FixRes, arXiv:1906.06423",
        epochs=16,
        batch_size=1024,
        learning_rate=1.7,  # of a batch of 1024
        schedule="triangle",
        warmup=2,
        label_smoothing=0.1,
        size=160,
        last_size=192,
        rise=(11.8, 13.8),  # as 65 to 76 of 88
        evaluation=(256, 224),
        zero_init_residual=True,
    ),
}


@dataclasses.dataclass(frozen=True)
class Recipe(runs.Training):
    recipe: str = option("paper", f"{', '.join(RECIPES)}")
    model: str = option("resnet50", "any network of `keras-resnet list`")
    data: str = option("", "where the images are")
    dataset: str = option("imagenet", "imagenet; digits or synthetic need no --data")
    epochs: int = option(0, "0: as many as the recipe")
    steps: int = option(0, "batches to train on instead, to try it; 0: all of the epochs")
    batch_size: int = option(0, "0: that of the recipe; the learning rate follows in proportion")
    learning_rate: float = option(0.0, "0: that of the recipe")
    width: int = option(0, "channels of the first stage, for a narrow network; 0: the paper's")
    workers: int = option(0, "threads that decode images; 0: as many as there are processors")
    on_bad_image: str = option("skip", "skip: name it and go on; fatal: stop")
    out: str = option("runs/imagenet", "folder to write to, or to continue in")

    def __post_init__(self):
        self.check()
        keras_resnet.paper.one_of("recipe", self.recipe, RECIPES)
        keras_resnet.paper.one_of("dataset", self.dataset, ("imagenet", "digits", "synthetic"))
        keras_resnet.paper.one_of("on_bad_image", self.on_bad_image, ("skip", "fatal"))
        keras_resnet.paper.architecture(self.model)
        for name in ("epochs", "steps", "batch_size", "learning_rate", "width", "workers"):
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` must be at least 0. Received: {getattr(self, name)}")

    def settings(self) -> Settings:
        """The recipe's, with what the command line says instead."""
        chosen = RECIPES[self.recipe]
        batch = self.batch_size or (8 if self.smoke else chosen.batch_size)
        rate = self.learning_rate or chosen.learning_rate * batch / chosen.batch_size
        epochs = self.epochs or (1 if self.smoke else chosen.epochs)
        part = epochs / chosen.epochs  # a shorter run has its drops and its warm-up earlier
        changed = dataclasses.replace(
            chosen,
            epochs=epochs,
            batch_size=batch,
            learning_rate=rate,
            drops=tuple(part * epoch for epoch in chosen.drops),
            warmup=part * chosen.warmup,
            rise=(part * chosen.rise[0], part * chosen.rise[1]),
            label_smoothing=self.label_smoothing or chosen.label_smoothing,
        )
        if self.smoke:
            small = {"size": 32, "last_size": 32, "evaluation": (36, 32)}
            changed = dataclasses.replace(changed, **small)
        return changed


def build(recipe, settings, classes):
    """The network, which takes images of 0 to 255 and gives logits."""
    row = keras_resnet.paper.architecture(recipe.model)
    if recipe.width:
        row = dataclasses.replace(row, width=recipe.width)
    options: dict[str, Any] = {}
    if row.block == "bottleneck":
        options["stride_on"] = settings.stride_on
    if row.shortcut:
        options["zero_init_residual"] = settings.zero_init_residual
        options["drop_path_rate"] = settings.drop_path
    return keras_resnet.build(
        row,
        classes=classes,
        input_shape=(None, None, 3),
        classifier_activation=None,
        include_preprocessing=True,
        name=recipe.model,
        **options,
    )


def learning_rate(settings, updates_per_epoch):
    """The rate at each update: rises along a line for `warmup` epochs, then falls."""
    top, total = settings.learning_rate, round(settings.epochs * updates_per_epoch)
    warmup = round(settings.warmup * updates_per_epoch)
    if settings.schedule == "cosine":
        return training.cosine(top, total, warmup_steps=warmup)
    if settings.schedule == "triangle":
        at_zero = top * total / (total - warmup)  # the line that passes `top` after the warm-up
        fall = keras.optimizers.schedules.PolynomialDecay(at_zero, total, 0.0)
        return training.WarmUp(fall, warmup)
    fall = training.step_drops(top, [round(epoch * updates_per_epoch) for epoch in settings.drops])
    # "a small learning rate": that of one worker's 256 images
    return training.WarmUp(fall, warmup, start=min(0.1, top))


def compile_model(model, recipe, settings, updates_per_epoch):
    rate = learning_rate(settings, updates_per_epoch)
    shared = {"weight_decay": settings.weight_decay, **runs.accumulation(recipe)}
    if settings.optimizer == "lamb":
        optimizer = training.LAMB(rate, **shared)
    else:
        optimizer = training.SGD(rate, 0.9, nesterov=settings.nesterov, **shared)
    if settings.loss == "binary":
        loss = training.BinaryCrossentropy(settings.label_smoothing, threshold=0.2)
    elif settings.mixing:
        loss = keras.losses.CategoricalCrossentropy(True, settings.label_smoothing)
    else:
        loss = training.SparseCategoricalCrossentropy(settings.label_smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])


def size_in(settings, epoch):
    """Side of the training images: it rises between two epochs, by steps of 32 pixels."""
    first, last = settings.rise
    part = 0.0 if epoch < first else 1.0 if epoch >= last else (epoch - first) / (last - first)
    return settings.size + int(part * (settings.last_size - settings.size)) // 32 * 32


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
    return open_images(recipe.data, "train"), open_images(recipe.data, "validation")


def main(recipe):
    settings = recipe.settings()
    keras.utils.set_random_seed(recipe.seed)
    keras.config.set_dtype_policy(recipe.precision)
    images, held_out = collections(recipe)
    classes = len(images.class_names)
    shared = {"on_bad_image": recipe.on_bad_image, "workers": recipe.workers or None}
    batches = ImageBatches(
        images,
        runs.part_of_batch(recipe, settings.batch_size),
        augmentation=settings.augmentation,
        size=settings.size
        if settings.size == settings.last_size
        else lambda epoch: size_in(settings, epoch),
        seed=recipe.seed,
        mixing=settings.mixing,
        repeats=settings.repeats,
        **shared,
    )
    resize, size = settings.evaluation
    crop = CentreCrop(resize, settings.augmentation.interpolation, antialias=True)
    tested = EvaluationBatches(
        held_out, min(256, settings.batch_size), crop=crop, size=size, **shared
    )
    model = build(recipe, settings, classes)
    compile_model(model, recipe, settings, batches.steps_per_epoch / recipe.accumulate)
    print(
        f"{recipe.model} on {len(images):,} images of {classes} classes, {len(held_out):,} held "
        f"out; recipe {recipe.recipe} ({settings.source}), on {keras.backend.backend()}"
    )

    def finish(model):
        if settings.recompute_batch_norm:
            sample = max(1, min(batches.steps_per_epoch, 8192 // batches.batch_size))
            training.recompute_batch_norm(model, batches.batches(0, sample))

    runs.run(
        recipe,
        model,
        batches,
        network=recipe.model,
        steps=recipe.steps or settings.epochs * batches.steps_per_epoch,
        image=(size, size, 3),
        evaluate=lambda model: training.evaluate(model, tested),
        settings=dataclasses.asdict(settings),
        finish=finish,
    )
    for name, reason in {**batches.bad_images, **tested.bad_images}.items():
        print(f"Passed over: {name}: {reason}")


if __name__ == "__main__":
    common.start(Recipe, __doc__, main)
