"""What can be set of a training on ImageNet. `imagenet_recipes.py` has the rows."""

import dataclasses
from typing import Literal

from keras_resnet.data.augmentation import Augmentation
from keras_resnet.data.mixing import Mixing
from keras_resnet.training import linear_scaling


@dataclasses.dataclass(frozen=True)
class Settings:
    """One way to train on ImageNet.

    Args:
        source: the paper or the file that the numbers come from.
        epochs: passes over the 1,281,167 training images.
        batch_size: images of one update of the weights.
        learning_rate: the highest rate, for `batch_size` images.
        schedule: `"steps"` multiplies the rate by `factor` after each of `drops`, `"exponential"`
            does so each time `every` epochs have passed, `"cosine"` goes from the highest rate to
            `final` along half a cosine, and `"triangle"` along a line to 0.
        drops: epochs after which `"steps"` lowers the rate.
        every: epochs between two changes of `"exponential"`.
        factor: what `"steps"` and `"exponential"` multiply the rate by.
        warmup: epochs at the start in which the rate rises along a line.
        start: part of the highest rate at which the warm-up of `"cosine"` and `"triangle"` starts.
        final: the rate at the end of `"cosine"`.
        optimizer: `"sgd"` or `"lamb"`.
        momentum: of SGD.
        nesterov: whether SGD uses Nesterov's momentum.
        weight_decay: c of c / 2 |w|^2 on kernels; biases, BN and PReLU's slopes have none.
        loss: `"softmax"` is cross-entropy over the classes; `"binary"` is one for each class, whose
            targets are 1 where a mixed label is above 0.2.
        label_smoothing: part of each label that is spread over all classes.
        size: side of the training images in the first epoch, in pixels.
        last_size: side in the last epoch; in between, sizes are multiples of 32.
        rise: epochs between which the size rises from `size` to `last_size`.
        evaluation: of a test image, the shorter side after resizing and the side of the center
            crop, in pixels.
        mirrored: whether a test image's outputs are averaged with those of its mirror image.
        augmentation: how a training image is cropped, flipped and colored.
        mixing: mixup and cutmix of training images, or None.
        repeats: times that an image is in a batch, each time augmented differently.
        drop_path: probability that the last residual branch is dropped (stochastic depth).
        stride_on: the convolution of a bottleneck that downsamples, `"1x1"` or `"3x3"`.
        zero_init_residual: whether gamma of the last BN of each residual branch starts at 0.
        fc_deviation: of the normal distribution that the kernel of `fc` is drawn from; 0 leaves
            it as the network was built.
        divides_by_deviation: whether images are divided by the standard deviation of each color,
            after its mean is subtracted.
        loss_weights: weights of the losses of several outputs, by the output's name.
        ema: decay of the running average of the weights that is tested and saved; 0 for none.
        recompute_batch_norm: whether BN's statistics are computed again after training.
    """

    source: str
    epochs: float
    batch_size: int
    learning_rate: float
    schedule: Literal["steps", "exponential", "cosine", "triangle"]
    drops: tuple[float, ...] = ()
    every: float = 0
    factor: float = 0.1
    warmup: float = 0
    start: float = 0.0
    final: float = 0.0
    optimizer: Literal["sgd", "lamb"] = "sgd"
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    loss: Literal["softmax", "binary"] = "softmax"
    label_smoothing: float = 0.0
    size: int = 224
    last_size: int = 224
    rise: tuple[float, float] = (0, 0)
    evaluation: tuple[int, int] = (256, 224)
    mirrored: bool = False
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    mixing: Mixing | None = None
    repeats: int = 1
    drop_path: float = 0.0
    stride_on: Literal["1x1", "3x3"] = "3x3"
    zero_init_residual: bool = False
    fc_deviation: float = 0.0
    divides_by_deviation: bool = True
    loss_weights: dict[str, float] = dataclasses.field(default_factory=dict)
    ema: float = 0.0
    recompute_batch_norm: bool = False

    def lasting(self, epochs: float) -> "Settings":
        """The same over another number of epochs: drops, warm-up and sizes move in proportion."""
        part = epochs / self.epochs
        return dataclasses.replace(
            self,
            epochs=epochs,
            drops=tuple(part * epoch for epoch in self.drops),
            every=part * self.every,
            warmup=part * self.warmup,
            rise=(part * self.rise[0], part * self.rise[1]),
        )

    def in_batches_of(self, images: int) -> "Settings":
        """The same with another batch size: the learning rate is scaled in proportion."""
        rate = linear_scaling(self.learning_rate, images, of=self.batch_size)
        return dataclasses.replace(self, batch_size=images, learning_rate=rate)

    def at(self, size: int) -> "Settings":
        """The same with images of one size: test images are resized in proportion."""
        shorter = size * self.evaluation[0] // self.evaluation[1]
        return dataclasses.replace(self, size=size, last_size=size, evaluation=(shorter, size))
