"""The rows of `recipes/imagenet.py`: how each paper trained its networks, and how others did later.

Beside every number is the sentence or the file that it comes from. What a paper leaves out is
taken from its authors' public solver, and `SOURCES` says so.
"""

from imagenet_settings import Settings

from keras_resnet.data.augmentation import Augmentation
from keras_resnet.data.mixing import Mixing
from keras_resnet.data.randaugment import Photometric, RandAugment
from keras_resnet.networks.family import network_row

IMAGES = 1_281_167  # of an epoch


def passes(iterations: int, batch_size: int) -> float:
    """The epochs of so many iterations."""
    return iterations * batch_size / IMAGES


# The sentences of the papers, by the family of the networks.
SOURCES = {
    "resnet": (
        'arXiv:1512.03385, Sec. 3.4: "We use SGD with a mini-batch size of 256. The learning rate '
        "starts from 0.1 and is divided by 10 when the error plateaus, and the models are trained "
        "for up to 60 x 10^4 iterations. We use a weight decay of 0.0001 and a momentum of 0.9. "
        'We do not use dropout".',
    ),
    "vgg": (
        'arXiv:1409.1556, Sec. 3.1: "The batch size was set to 256, momentum to 0.9."',
        '"The training was regularised by weight decay (the L2 penalty multiplier set to 5e-4) '
        "and dropout regularisation for the first two fully-connected layers (dropout ratio set "
        'to 0.5)."',
        '"The learning rate was initially set to 10^-2, and then decreased by a factor of 10 when '
        'the validation set accuracy stopped improving." "In total, the learning rate was '
        'decreased 3 times, and the learning was stopped after 370K iterations (74 epochs)."',
        "Scale jittering, S in [256; 512]; multi-scale nets are fine-tuned from S = 384.",
    ),
    "googlenet": (
        'arXiv:1409.4842, Sec. 6: "asynchronous stochastic gradient descent with 0.9 momentum, '
        "fixed learning rate schedule (decreasing the learning rate by 4% every 8 epochs). "
        'Polyak averaging was used to create the final model used at inference time."',
        '"sampling of various sized patches of the image whose size is distributed evenly between '
        "8% and 100% of the image area and whose aspect ratio is chosen randomly between 3/4 and "
        '4/3"; "the photometric distortions by Andrew Howard were useful": here contrast, '
        "brightness and color by factors of 0.5 to 1.5. Interpolation at random, whose effect "
        "they could not tell, is left out.",
        'Sec. 5: "the losses of the auxiliary classifiers were weighted by 0.3".',
        "Batch size, rate, weight decay and iterations are not in the paper: Caffe's "
        "bvlc_googlenet solver.prototxt, which steps by 0.96 every 320,000 of 10,000,000.",
    ),
    "prelu_net": (
        'arXiv:1502.01852, Sec. 3: "The weight decay is 0.0005, and momentum is 0.9. Dropout (50%) '
        "is used in the first two fc layers. We fix the mini-batch size as 128. The learning rate "
        "is 1e-2, 1e-3, and 1e-4, and is switched when the error plateaus. The total number of "
        'epochs is about 80 for each model."',
        '"From a resized image whose shorter side is s, a 224 x 224 crop is randomly sampled, with '
        "the per-pixel mean subtracted. The scale s is randomly jittered in the range of [256, "
        '512]"; half of the crops are flipped; "Random color altering is also used."',
        'Sec. 2.1: "we do not use weight decay (l2 regularization) when updating a_i".',
    ),
    "bn_inception": (
        'arXiv:1502.03167, Sec. 4.2.2: "BN-x30: Like BN-x5, but with the initial learning rate '
        '0.045 (30 times that of Inception)", 74.8 % after 6 x 10^6 steps of 32 images.',
        'Sec. 4.2.1: "Remove Dropout", "Reduce the L2 weight regularization" by a factor of 5, '
        '"Accelerate the learning rate decay" 6 times, "Shuffle training examples more '
        'thoroughly", "Reduce the photometric distortions": by half here.',
        "The weight decay that is divided by 5 is not in the paper: 2e-4, Caffe's bvlc_googlenet. "
        "Nor are the decay's own numbers: GoogLeNet's, whose paper this one starts from.",
    ),
}
ITERATIONS = {
    "resnet": 600_000,
    "vgg": 370_000,
    "googlenet": 10_000_000,
    "prelu_net": 800_000,
    "bn_inception": 6_000_000,
}
# "When the error plateaus" is at parts of the training that the papers do not name. Their mean
# image is the mean color here, which is the same for images of any size.
PAPERS = {
    "resnet": Settings(
        source="arXiv:1512.03385, Sec. 3.4",
        epochs=round(passes(ITERATIONS["resnet"], 256)),
        batch_size=256,
        learning_rate=0.1,
        schedule="steps",
        drops=(30, 60, 90),  # quarters
        weight_decay=1e-4,
        augmentation=Augmentation(crop="scale", shorter=(256, 480), lighting=0.1),
        stride_on="1x1",
        recompute_batch_norm=True,  # the released networks: github.com/KaimingHe, disclaimer
    ),
    "vgg": Settings(
        source="arXiv:1409.1556, Sec. 3.1",
        epochs=round(passes(ITERATIONS["vgg"], 256)),
        batch_size=256,
        learning_rate=0.01,
        schedule="steps",
        drops=(18.5, 37, 55.5),  # quarters
        weight_decay=5e-4,
        augmentation=Augmentation(crop="scale", shorter=(256, 512), lighting=0.1),
        stride_on="1x1",
        divides_by_deviation=False,
    ),
    "googlenet": Settings(
        source="arXiv:1409.4842, Sec. 6",
        epochs=round(passes(ITERATIONS["googlenet"], 32)),
        batch_size=32,
        learning_rate=0.01,
        schedule="exponential",
        every=passes(320_000, 32),
        factor=0.96,
        weight_decay=2e-4,
        augmentation=Augmentation(
            area=(0.08, 1.0), ratio=(3 / 4, 4 / 3), lighting=0.1, randaugment=Photometric(0.5)
        ),
        stride_on="1x1",
        divides_by_deviation=False,
        loss_weights={"fc": 1.0, "loss1": 0.3, "loss2": 0.3},
        ema=0.9999,  # Polyak's averaging, whose decay is not in the paper
    ),
    "prelu_net": Settings(
        source="arXiv:1502.01852, Sec. 3",
        epochs=round(passes(ITERATIONS["prelu_net"], 128)),
        batch_size=128,
        learning_rate=0.01,
        schedule="steps",
        drops=(40, 64),  # a half and four fifths
        weight_decay=5e-4,
        augmentation=Augmentation(crop="scale", shorter=(256, 512), lighting=0.1),
        stride_on="1x1",
        divides_by_deviation=False,
    ),
    "bn_inception": Settings(
        source="arXiv:1502.03167, Sec. 4.2.2",
        epochs=round(passes(ITERATIONS["bn_inception"], 32)),
        batch_size=32,
        learning_rate=0.045,  # BN-x30's, of the ensemble; BN-Baseline has 0.0015, BN-x5 0.0075
        schedule="exponential",
        every=passes(53_333, 32),  # GoogLeNet's 8 epochs, six times as fast
        factor=0.96,
        weight_decay=4e-5,
        augmentation=Augmentation(
            area=(0.08, 1.0), ratio=(3 / 4, 4 / 3), lighting=0.1, randaugment=Photometric(0.25)
        ),
        stride_on="1x1",
        recompute_batch_norm=True,  # Algorithm 2
    ),
}


RECIPES = {
    "paper": PAPERS["resnet"],  # of another network: `recipe_of`
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


def recipe_of(name: str, network) -> Settings:
    """The settings of a recipe for a network: `"paper"` is another for each family.

    Args:
        name: of `RECIPES`.
        network: a name of `keras_resnet.list_models()`, or a row.
    """
    return PAPERS[network_row(network).family] if name == "paper" else RECIPES[name]
