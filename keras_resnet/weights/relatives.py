"""Public weights of networks beside the paper's own: VGG, BN-Inception, V2, ResNet-D.

As in `catalogue`, facts are the publishers' own.
"""

from collections.abc import Iterator

from keras_resnet.weights.records import ImageRule, Record, Result

CAFFE = ImageRule(mean=(123.68, 116.779, 103.939), std=(1.0, 1.0, 1.0), channels="BGR")
HALF = (127.5, 127.5, 127.5)
NOT_STATED = "224 pixels; how images are resized is not stated"
CENTRE = "centre crop 224 of shorter side {}, {}; {}"

# fmt: off
#    layers, torchvision's file and accuracy
TORCHVISION_VGG = (
    (11, "vgg11-8a719046", 69.020, 88.628),
    (13, "vgg13-19584684", 69.928, 89.246),
    (16, "vgg16-397923af", 71.592, 90.382),
    (19, "vgg19-dcbb9e9d", 72.376, 90.876),
)
#    network, folder, md5, top-1, top-5 of https://keras.io/api/applications
KERAS = (
    ("vgg16",       "vgg16",  "64373286793e3c8b2b4e3219cbf3544b", 71.3, 90.1),
    ("vgg19",       "vgg19",  "cbe5617147190e668d6c5d5026f83318", 71.3, 90.0),
    ("resnet50v2",  "resnet", "3ef43a0b657b3be2300d5770ece849e0", 76.0, 93.0),
    ("resnet101v2", "resnet", "6343647c601c52e1368623803854d971", 77.2, 93.8),
    ("resnet152v2", "resnet", "a49b44d1979771252814e80f8ec446f9", 78.0, 94.2),
)
# timm's own table of results at 224 pixels, top-1; None where it has no entry at hand.
#    layers, tag, crop_pct
TIMM_V2 = (
    (18,  "ra4_e3600_r224", 0.9, None),
    (34,  "ra4_e3600_r224", 0.9, None),
    (50,  "a1h",            0.95, 80.41),
    (101, "a1h",            0.95, 82.04),
)
TIMM_D = (
    (18, "ra2", 0.875),
    (34, "ra2", 0.875),
    (50, "ra2", 0.875),
    (50, "a1",  0.95),
    (50, "a2",  0.95),
)
# fmt: on


def vgg() -> Iterator[Record]:
    """https://docs.pytorch.org/vision/stable/models/vgg.html"""
    for depth, file, top1, top5 in TORCHVISION_VGG:
        yield Record(
            network=f"vgg{depth}",
            name="tv",
            source="torchvision, IMAGENET1K_V1",
            url=f"https://download.pytorch.org/models/{file}.pth",
            hash=f"sha256:{file.rpartition('-')[2]}",
            licence="BSD-3-Clause",
            dialect="torchvision",
            options={},
            image=ImageRule(),
            results=(Result(top1, top5, CENTRE.format(256, "bilinear", "torchvision")),),
        )


def keras() -> Iterator[Record]:
    """https://keras.io/api/applications"""
    base = "https://storage.googleapis.com/tensorflow/keras-applications"
    residual = {"shortcut": "B", "pool1": "symmetric", "stride_on": "3x3"}
    for network, folder, md5, top1, top5 in KERAS:
        v2 = folder == "resnet"
        yield Record(
            network=network,
            name="keras",
            source="keras.applications",
            url=f"{base}/{folder}/{network}_weights_tf_dim_ordering_tf_kernels.h5",
            hash=f"md5:{md5}",
            licence="Apache-2.0",
            dialect="keras",
            options=residual if v2 else {},
            image=ImageRule(mean=HALF, std=HALF) if v2 else CAFFE,
            results=(Result(top1, top5, NOT_STATED),),
        )


def timm_v2() -> Iterator[Record]:
    """timm/models/resnetv2.py"""
    for depth, tag, crop_pct, top1 in TIMM_V2:
        image = ImageRule(HALF, HALF, crop_pct=crop_pct, interpolation="bicubic")
        bottleneck = {"stride_on": "3x3"} if depth >= 50 else {}
        how = CENTRE.format(image.resize, "bicubic", "timm's results table")
        yield Record(
            network=f"preact_resnet{depth}",
            name=tag.partition("_")[0],
            source=f"timm, resnetv2_{depth}.{tag}_in1k",
            url=f"hf://timm/resnetv2_{depth}.{tag}_in1k/model.safetensors",
            hash="",
            licence="Apache-2.0",
            dialect="timm",
            options={"shortcut": "B", "first_norm": "conv2_1", **bottleneck},
            image=image,
            results=(Result(top1, None, how),) if top1 else (),
        )


def timm_d() -> Iterator[Record]:
    """timm/models/resnet.py"""
    for depth, tag, crop_pct in TIMM_D:
        bottleneck = {"stride_on": "3x3"} if depth >= 50 else {}
        yield Record(
            network=f"resnet{depth}",
            name=f"d_{tag}",
            source=f"timm, resnet{depth}d.{tag}_in1k",
            url=f"hf://timm/resnet{depth}d.{tag}_in1k/model.safetensors",
            hash="",
            licence="Apache-2.0",
            dialect="timm",
            options={
                "shortcut": "B",
                "pool1": "symmetric",
                "stem": "deep",
                "downsample": "avg",
                **bottleneck,
            },
            image=ImageRule(crop_pct=crop_pct, interpolation="bicubic"),
        )


def osmr() -> Iterator[Record]:
    """https://github.com/osmr/imgclsmob, the weights for TensorFlow 2"""
    yield Record(
        network="bn_inception",
        name="osmr",
        source="osmr/imgclsmob",
        url="https://github.com/osmr/imgclsmob/releases/download/v0.0.423/"
        "bninception-0865-4cab3cce.tf2.h5.zip",
        hash="sha1:4cab3cce",
        licence="MIT",
        dialect="osmr",
        options={"pool_proj": 128, "conv1": "dense"},
        image=ImageRule(),
        results=(Result(73.38, 91.35, CENTRE.format(256, "bilinear", "imgclsmob's table")),),
    )


FAMILIES = (vgg, keras, timm_v2, timm_d, osmr)

# The set that `weights="imagenet"` stands for, where it is not the catalogue's default: files
# that are read without torch where there are such.
DEFAULTS = {
    **{name: "keras" for name, *_ in KERAS},
    **{f"vgg{depth}": "tv" for depth in (11, 13)},
    **{f"preact_resnet{depth}": tag.partition("_")[0] for depth, tag, *_ in TIMM_V2},
    "bn_inception": "osmr",
}
