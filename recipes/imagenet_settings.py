"""How networks are trained on ImageNet: the settings of `recipes/imagenet.py`, paper by paper."""

import dataclasses

from keras_resnet.data.augmentation import Augmentation
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.randaugment import Photometric, RandAugment
from keras_resnet.networks.family import network_row
from keras_resnet.networks.settings import SETTINGS

IMAGES = 1_281_167  # of an epoch


@dataclasses.dataclass(frozen=True)
class Settings:
    """How one paper trained. Epochs are of 1,281,167 images; rates are of the batch named."""

    source: str
    epochs: int
    batch_size: int
    learning_rate: float
    schedule: str  # "steps", "exponential"; "cosine"; "triangle": straight to 0
    drops: tuple[float, ...] = ()  # epochs after which "steps" multiply by `factor`
    every: float = 0  # epochs after which "exponential" does, again and again
    factor: float = 0.1
    warmup: float = 0  # epochs
    start: float = 0.0  # part of the rate that the warm-up of "cosine" and "triangle" begins with
    final: float = 0.0  # the rate at the end of "cosine"
    optimizer: str = "sgd"
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    loss: str = "softmax"  # or "binary"
    label_smoothing: float = 0.0
    size: int = 224
    last_size: int = 224  # where it is another, sizes rise to it over multiples of 32
    rise: tuple[float, float] = (0, 0)  # epochs between which they do
    evaluation: tuple[int, int] = (256, 224)  # shorter side, then the square
    mirrored: bool = False  # outputs are averaged over a test image and its mirror image
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    mixing: Mixing | None = None
    repeats: int = 1
    drop_path: float = 0.0
    stride_on: str = "3x3"
    zero_init_residual: bool = False
    fc_deviation: float = 0.0  # of the normal that `fc` is drawn from; 0: as its builder draws it
    divides_by_deviation: bool = True  # or images are only less the mean colour
    loss_weights: dict[str, float] = dataclasses.field(default_factory=dict)  # auxiliary heads
    ema: float = 0.0
    recompute_batch_norm: bool = False


def paper(network: str) -> Settings:
    """As its authors trained a network; `keras_resnet.networks.settings` quotes their sentences.

    "When the error plateaus" is at parts of the training that they do not name. BN's statistics
    are computed anew after training, as ResNets' authors and BN-Inception's Algorithm 2 have it.
    """
    row = network_row(network)
    told, fall = SETTINGS[row.family], SETTINGS[row.family].schedule
    crops, epochs = told.augmentation, round(told.epochs)
    how = {"shorter": crops.shorter_side} if crops.shorter_side else {"area": crops.area}
    normalizes = row.family in ("resnet", "bn_inception")
    return Settings(
        source=told.sources[0].partition(': "')[0],
        epochs=epochs,
        batch_size=told.batch_size,
        learning_rate=told.learning_rate,
        schedule="exponential" if fall.every else "steps",
        drops=tuple(epochs * part for part in fall.boundaries),
        every=(fall.every or 0) * told.batch_size / IMAGES,
        factor=fall.factor,
        momentum=told.momentum,
        weight_decay=told.weight_decay,
        augmentation=Augmentation(
            crop="scale" if crops.shorter_side else "area",
            flip=crops.flip,
            lighting=crops.lighting,
            randaugment=Photometric(crops.photometric) if crops.photometric else None,
            **how,
        ),
        stride_on="1x1",
        divides_by_deviation=normalizes,
        loss_weights=told.loss_weights,
        ema=0.9999 if told.averaging else 0.0,
        recompute_batch_norm=normalizes,
    )


RECIPES = {
    "paper": paper("resnet50"),
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
        fc_deviation=0.01,  # the classifier is drawn from N(0, 0.01^2), Sec. 5.1
    ),
    "a2": Settings(
        source="Wightman et al. 2021, Table 2, arXiv:2110.00476",
        epochs=300,  # half as many as A1; Table 2, as what follows
        batch_size=2048,  # of all procedures
        learning_rate=5e-3,  # that of A1
        schedule="cosine",  # after the warm-up
        warmup=5,  # epochs
        start=1e-4,  # not in the table: mmpretrain's configuration of A2
        final=1e-6,  # the same
        optimizer="lamb",  # in place of SGD; gradients are not clipped
        weight_decay=0.02,  # twice that of A1; not on biases and normalization
        loss="binary",  # BCE of mixed labels; those above 0.2 are ones: timm's bce_target_thresh
        evaluation=(236, 224),  # a test crop ratio of 0.95 of images tested at 224
        augmentation=Augmentation(
            interpolation="bicubic",  # in training and in the test
            antialias=True,  # as PIL resizes, which timm takes
            randaugment=RandAugment(magnitude=7),  # 7/0.5: strength and its deviation
        ),
        mixing=Mixing(mixup=0.1, cutmix=1.0),  # the two alphas
        repeats=3,  # repeated augmentation: yes
        drop_path=0.05,  # stochastic depth
        zero_init_residual=True,  # timm's default
    ),
    "a3": Settings(
        source="Wightman et al. 2021, Table 2, arXiv:2110.00476",
        epochs=100,  # the shortest procedure; Table 2, as what follows
        batch_size=2048,  # of all procedures
        learning_rate=8e-3,  # more than A1 and A2
        schedule="cosine",  # after the warm-up
        warmup=5,  # epochs
        start=1e-4,  # not in the table: mmpretrain's configuration of A3
        final=1e-6,  # the same
        optimizer="lamb",  # in place of SGD; gradients are not clipped
        weight_decay=0.02,  # that of A2
        loss="binary",  # as A2
        size=160,  # trained at 160 pixels and tested at 224
        last_size=160,
        evaluation=(236, 224),  # a test crop ratio of 0.95
        augmentation=Augmentation(
            interpolation="bicubic",  # as A2
            antialias=True,
            randaugment=RandAugment(magnitude=6),  # 6/0.5, a little weaker than A2's
        ),
        mixing=Mixing(mixup=0.1, cutmix=1.0),  # as A2; images are neither repeated nor dropped
        zero_init_residual=True,  # timm's default
    ),
    "fast": Settings(
        source="FFCV's rn50_16_epochs.yaml, https://github.com/libffcv/ffcv-imagenet",
        epochs=16,  # the shortest of its six trainings
        batch_size=4096,  # 512 in each of 8 processes: ffcv-imagenet, issue 4
        learning_rate=1.7,  # of the 4,096 together
        schedule="triangle",  # its "cyclic"
        warmup=2,  # lr_peak_epoch
        start=1e-4,  # of the highest rate: train_imagenet.py
        momentum=0.9,
        weight_decay=1e-4,  # its weight_decay, which leaves batch normalization alone
        label_smoothing=0.1,  # its label_smoothing
        size=160,  # min_res
        last_size=192,  # max_res
        rise=(11, 13),  # start_ramp and end_ramp
        evaluation=(293, 256),  # 256 pixels that show 224/256 of the shorter side; FixRes
        mirrored=True,  # lr_tta
    ),
}


def recipe_of(name: str, network: str) -> Settings:
    """The settings of a recipe for a network: the papers' differ."""
    return paper(network) if name == "paper" else RECIPES[name]
