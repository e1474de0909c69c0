"""How each network was trained, as its paper says: data, which the recipes read. No Keras here.

Every number stands beside the sentence it comes from. What a paper leaves out is `None`, or is
taken from its authors' public solver and said so in `sources`.
"""

from dataclasses import dataclass, field
from typing import Literal

from keras_resnet.networks.family import network_row

Scheduled = Literal["plateau", "steps", "exponential"]


@dataclass(frozen=True)
class Schedule:
    """How the learning rate falls.

    Args:
        kind: `"plateau"`: times `factor` where validation stops improving; `"steps"`: at
            `boundaries`; `"exponential"`: every `every` iterations.
        factor: that the rate is multiplied by.
        boundaries: fractions of training after which a step is taken, for `"steps"` and as what a
            run without validation does for `"plateau"`.
        every: iterations between two changes, for `"exponential"`.
    """

    kind: Scheduled
    factor: float
    boundaries: tuple[float, ...] = ()
    every: int | None = None


@dataclass(frozen=True)
class Augmentation:
    """What is done to a training image.

    Args:
        shorter_side: range that the shorter side is drawn from before a square of 224 pixels is
            cut anywhere; None where `area` is used.
        area: range of the part of the image that a crop covers, whose aspect ratio is drawn from
            `aspect`; None where `shorter_side` is used.
        aspect: width over height of such a crop.
        lighting: standard deviation of AlexNet's noise along the principal components of colour.
        photometric: how far the factors of contrast, brightness and colour are from 1, at most.
        mean: `"pixel"` takes off the mean image, `"channel"` the mean colour.
        flip: whether half the images are mirrored.
    """

    shorter_side: tuple[int, int] | None = None
    area: tuple[float, float] | None = None
    aspect: tuple[float, float] = (1.0, 1.0)
    lighting: float = 0.1
    photometric: float = 0.0
    mean: Literal["pixel", "channel"] = "channel"
    flip: bool = True


@dataclass(frozen=True)
class TrainingSettings:
    """One paper's training on ImageNet.

    Args:
        batch_size: images of one step.
        learning_rate: at the start.
        momentum: of SGD, as Caffe has it: v = momentum v + rate g; w -= v.
        weight_decay: c of c / 2 |w|^2 on kernels; biases, BN and PReLU's slopes are left alone.
        schedule: of the learning rate.
        iterations: steps in all.
        augmentation: of images of 224 x 224 pixels.
        dropout: that the network has, for the record: the rows of `networks.systems` hold it.
        loss_weights: of the outputs where there are several.
        averaging: whether the weights that are tested are averaged over training (Polyak).
        sources: sentences of the paper, or where else a number comes from.
    """

    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: Schedule
    iterations: int
    augmentation: Augmentation
    dropout: tuple[float, ...] = ()
    loss_weights: dict[str, float] = field(default_factory=dict)
    averaging: bool = False
    sources: tuple[str, ...] = ()

    @property
    def epochs(self) -> float:
        """Passes over the 1,281,167 training images."""
        return self.iterations * self.batch_size / 1_281_167


VGG = TrainingSettings(
    batch_size=256,
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=5e-4,
    # "In total, the learning rate was decreased 3 times, and the learning was stopped after
    # 370K iterations (74 epochs)." When is not said: quarters here.
    schedule=Schedule("plateau", 0.1, (0.25, 0.5, 0.75)),
    iterations=370_000,
    augmentation=Augmentation(shorter_side=(256, 512)),
    dropout=(0.5, 0.5),
    sources=(
        'arXiv:1409.1556, Sec. 3.1: "The batch size was set to 256, momentum to 0.9."',
        '"The training was regularised by weight decay (the L2 penalty multiplier set to 5e-4) '
        "and dropout regularisation for the first two fully-connected layers (dropout ratio set "
        'to 0.5)."',
        '"The learning rate was initially set to 10^-2, and then decreased by a factor of 10 when '
        'the validation set accuracy stopped improving."',
        "Scale jittering, S in [256; 512]; multi-scale nets are fine-tuned from S = 384.",
    ),
)

GOOGLENET = TrainingSettings(
    batch_size=32,
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=2e-4,
    # 8 epochs of 1,281,167 images in batches of 32.
    schedule=Schedule("exponential", 0.96, every=320_000),
    iterations=10_000_000,
    augmentation=Augmentation(area=(0.08, 1.0), aspect=(3 / 4, 4 / 3), photometric=0.5),
    dropout=(0.4, 0.7, 0.7),
    loss_weights={"fc": 1.0, "loss1": 0.3, "loss2": 0.3},
    averaging=True,
    sources=(
        'arXiv:1409.4842, Sec. 6: "asynchronous stochastic gradient descent with 0.9 momentum, '
        "fixed learning rate schedule (decreasing the learning rate by 4% every 8 epochs). "
        'Polyak averaging was used to create the final model used at inference time."',
        '"sampling of various sized patches of the image whose size is distributed evenly between '
        "8% and 100% of the image area and whose aspect ratio is chosen randomly between 3/4 and "
        '4/3"; "the photometric distortions by Andrew Howard were useful": here contrast, '
        "brightness and colour by factors of 0.5 to 1.5. Interpolation at random, whose effect "
        "they could not tell, is left out.",
        'Sec. 5: "the losses of the auxiliary classifiers were weighted by 0.3".',
        "Batch size, rate, weight decay and iterations are not in the paper: Caffe's "
        "bvlc_googlenet solver.prototxt, which steps by 0.96 every 320,000 of 10,000,000.",
    ),
)

PRELU_NET = TrainingSettings(
    batch_size=128,
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=5e-4,
    schedule=Schedule("plateau", 0.1, (0.5, 0.8)),
    iterations=800_000,
    augmentation=Augmentation(shorter_side=(256, 512), mean="pixel"),
    dropout=(0.5, 0.5),
    sources=(
        'arXiv:1502.01852, Sec. 3: "The weight decay is 0.0005, and momentum is 0.9. Dropout (50%) '
        "is used in the first two fc layers. We fix the mini-batch size as 128. The learning rate "
        "is 1e-2, 1e-3, and 1e-4, and is switched when the error plateaus. The total number of "
        'epochs is about 80 for each model."',
        '"From a resized image whose shorter side is s, a 224 x 224 crop is randomly sampled, with '
        "the per-pixel mean subtracted. The scale s is randomly jittered in the range of [256, "
        '512]"; half of the crops are flipped; "Random color altering is also used."',
        'Sec. 2.1: "we do not use weight decay (l2 regularization) when updating a_i".',
    ),
)

BN_INCEPTION = TrainingSettings(
    batch_size=32,
    # BN-x30, the network of the ensemble; BN-Baseline has 0.0015, BN-x5 0.0075.
    learning_rate=0.045,
    momentum=0.9,
    weight_decay=4e-5,
    # GoogLeNet's 8 epochs, six times as fast.
    schedule=Schedule("exponential", 0.96, every=53_333),
    iterations=6_000_000,
    augmentation=Augmentation(area=(0.08, 1.0), aspect=(3 / 4, 4 / 3), photometric=0.25),
    sources=(
        'arXiv:1502.03167, Sec. 4.2.2: "BN-x30: Like BN-x5, but with the initial learning rate '
        '0.045 (30 times that of Inception)", 74.8 % after 6 x 10^6 steps of 32 images.',
        'Sec. 4.2.1: "Remove Dropout", "Reduce the L2 weight regularization" by a factor of 5, '
        '"Accelerate the learning rate decay" 6 times, "Shuffle training examples more '
        'thoroughly", "Reduce the photometric distortions": by half here.',
        "The weight decay that is divided by 5 is not in the paper: 2e-4, Caffe's bvlc_googlenet. "
        "Nor are the decay's own numbers: GoogLeNet's, whose paper this one starts from.",
    ),
)

RESNET = TrainingSettings(
    batch_size=256,
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=1e-4,
    schedule=Schedule("plateau", 0.1, (0.25, 0.5, 0.75)),
    iterations=600_000,
    augmentation=Augmentation(shorter_side=(256, 480), mean="pixel"),
    sources=(
        'arXiv:1512.03385, Sec. 3.4: "We use SGD with a mini-batch size of 256. The learning rate '
        "starts from 0.1 and is divided by 10 when the error plateaus, and the models are trained "
        "for up to 60 x 10^4 iterations. We use a weight decay of 0.0001 and a momentum of 0.9. "
        'We do not use dropout".',
    ),
)

SETTINGS = {
    "resnet": RESNET,
    "vgg": VGG,
    "googlenet": GOOGLENET,
    "prelu_net": PRELU_NET,
    "bn_inception": BN_INCEPTION,
}


def settings_of(network) -> TrainingSettings:
    """How a network of `list_models()`, or a row, was trained on ImageNet by its authors.

    Raises:
        ValueError: an unknown network, or one for CIFAR (Sec. 4.2 of the paper: `recipes/cifar10`).

    Example:

    >>> settings_of("vgg16").batch_size, settings_of("googlenet").loss_weights["loss1"]
    (256, 0.3)
    """
    row = network_row(network)
    if row.size != 224:
        raise ValueError(f"CIFAR networks are not trained on ImageNet. Received: {network!r}")
    return SETTINGS[row.family]
