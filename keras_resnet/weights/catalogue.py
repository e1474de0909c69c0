"""The public weights that are known, a row each. Facts are the publishers' own.

Hashes and accuracies are as published; where a protocol is not stated by the source, the
record says so. `IMAGENET_DEFAULT` is the set that `weights="imagenet"` stands for.
"""

from collections.abc import Iterator

from keras_resnet.networks.paper import TABLE_1
from keras_resnet.weights import relatives
from keras_resnet.weights.records import ImageRule, Record, Result

CAFFE_MEAN = (123.68, 116.779, 103.939)
UNIT = (1.0, 1.0, 1.0)


def options(depth: int, stride_on: str, pool1: str = "symmetric") -> dict[str, str]:
    bottleneck = {"stride_on": stride_on} if TABLE_1[depth][0] == "bottleneck" else {}
    return {"shortcut": "B", "pool1": pool1, **bottleneck}


def protocol(image: ImageRule, note: str = "") -> str:
    text = f"centre crop {image.size} of shorter side {image.resize}, {image.interpolation}"
    return f"{text}; {note}" if note else text


# fmt: off
#    set, file, top-1, top-5
TORCHVISION = (
    (18,  "tv",  "resnet18-f37072fd",  69.758, 89.078),
    (34,  "tv",  "resnet34-b627a593",  73.314, 91.420),
    (50,  "tv",  "resnet50-0676ba61",  76.130, 92.862),
    (50,  "tv2", "resnet50-11ad3fa6",  80.858, 95.434),
    (101, "tv",  "resnet101-63fe2227", 77.374, 93.546),
    (101, "tv2", "resnet101-cd907fc2", 81.886, 95.780),
    (152, "tv",  "resnet152-394f9c45", 78.312, 94.046),
    (152, "tv2", "resnet152-f82ba261", 82.284, 96.002),
)
# timm's own table of results at 224 pixels, top-1; None where it has no entry at hand.
TIMM: dict[str, dict[int, float | None]] = {
    "a1":    {18: 71.504, 34: 76.42, 50: 80.382, 101: 81.494, 152: 81.998},
    "a2":    {18: 70.634, 34: 75.52, 50: 79.828, 101: 81.344, 152: 81.764},
    "a3":    {18: 68.25,  34: 73.0,  50: 78.052, 101: 79.836, 152: 80.548},
    "a1h":   {50: 80.654, 101: 81.95, 152: 82.818},
    "gluon": {18: None, 34: None, 50: 77.58, 101: None, 152: None},
}
KERAS = (
    (50,  "2cb95161c43110f7111970584f804107", 74.9, 92.1),
    (101, "f1aeb4b969a6efcfb50fad2f0c20cfc5", 76.4, 92.8),
    (152, "100835be76be38e30d865e96f2aaae62", 76.6, 93.1),
)
#    md5 of the fizyr release, then top-1 and top-5 error from MSRA's README
MSRA = (
    (50,  "3e9f4e4f77bbe2c9bec13b53ee1c2319", 24.7, 7.8),
    (101, "05dc86924389e5b401a9ea0348a3213c", 23.6, 7.1),
    (152, "6ee11ef2b135592f8031058820bb9e71", 23.0, 6.7),
)
#    release, file, stride, top-1 and top-5 error
OSMR = (
    (18,  "osmr",   "v0.0.478", "resnet18-0870-e1d3f22e",   "1x1", 26.80, 8.70),
    (34,  "osmr",   "v0.0.422", "resnet34-0744-7f7d70e7",   "1x1", 24.50, 7.44),
    (50,  "osmr",   "v0.0.422", "resnet50-0604-728800bf",   "1x1", 22.09, 6.04),
    (50,  "osmr_b", "v0.0.422", "resnet50b-0614-b2a49da6",  "3x3", None,  6.14),
    (101, "osmr",   "v0.0.499", "resnet101-0518-64320ac1",  "1x1", 20.52, 5.18),
    (152, "osmr",   "v0.0.518", "resnet152-0444-83163f54",  "1x1", 19.15, 4.44),
    (152, "osmr_b", "v0.0.517", "resnet152b-0431-b41ec90e", "3x3", None,  4.31),
)
OSMR_CIFAR = (
    (20,   "resnet20_cifar10-0597-451230e9",   5.97),
    (56,   "resnet56_cifar10-0452-a39ad94a",   4.52),
    (110,  "resnet110_cifar10-0369-c625643a",  3.69),
    (1202, "resnet1202_cifar10-0353-3559a943", 3.53),
)
AKAMASTER = (
    (20, "12fca82f", 8.27), (32, "d509ac18", 7.37), (44, "014dd654", 6.90),
    (56, "4bfd9763", 6.61), (110, "1d1ed7c2", 6.32), (1202, "f3b1deed", 6.18),
)
# fmt: on


def torchvision() -> Iterator[Record]:
    """https://docs.pytorch.org/vision/stable/models/resnet.html"""
    for depth, name, file, top1, top5 in TORCHVISION:
        image = ImageRule(crop_pct={"tv": 0.875, "tv2": 0.965}[name])
        yield Record(
            network=f"resnet{depth}",
            name=name,
            source=f"torchvision, IMAGENET1K_V{2 if name == 'tv2' else 1}",
            url=f"https://download.pytorch.org/models/{file}.pth",
            hash=f"sha256:{file.rpartition('-')[2]}",
            licence="BSD-3-Clause",
            dialect="torchvision",
            options=options(depth, "3x3"),
            image=image,
            results=(Result(top1, top5, protocol(image)),),
        )


def timm() -> Iterator[Record]:
    """https://huggingface.co/timm; the recipes are those of arXiv:2110.00476."""
    for tag, nets in TIMM.items():
        for depth, top1 in nets.items():
            crop_pct = 0.875 if tag == "gluon" else 0.95
            if (tag, depth) == ("a1h", 50):
                crop_pct = 1.0
            image = ImageRule(crop_pct=crop_pct, interpolation="bicubic")
            results = [Result(top1, None, protocol(image, "timm's results table"))] if top1 else []
            if (tag, depth) == ("a1", 50):
                at_288 = ImageRule(size=288, crop_pct=1.0, interpolation="bicubic")
                results.append(Result(81.24, None, protocol(at_288, "timm's results table")))
            yield Record(
                network=f"resnet{depth}",
                name=tag,
                source=f"timm, resnet{depth}.{tag}_in1k",
                url=f"hf://timm/resnet{depth}.{tag}_in1k/model.safetensors",
                hash="",
                licence="Apache-2.0",
                dialect="timm",
                options=options(depth, "3x3"),
                image=image,
                results=tuple(results),
            )


def microsoft() -> Iterator[Record]:
    """https://huggingface.co/microsoft/resnet-50; the cards publish no accuracy."""
    for depth in TABLE_1:
        yield Record(
            network=f"resnet{depth}",
            name="microsoft",
            source=f"Hugging Face transformers, microsoft/resnet-{depth}",
            url=f"hf://microsoft/resnet-{depth}/model.safetensors",
            hash="",
            licence="Apache-2.0",
            dialect="transformers",
            options=options(depth, "3x3"),
            image=ImageRule(interpolation="bicubic"),
        )


def keras() -> Iterator[Record]:
    """https://keras.io/api/applications"""
    image = ImageRule(mean=CAFFE_MEAN, std=UNIT, channels="BGR")
    base = "https://storage.googleapis.com/tensorflow/keras-applications/resnet"
    for depth, md5, top1, top5 in KERAS:
        yield Record(
            network=f"resnet{depth}",
            name="keras",
            source="keras.applications",
            url=f"{base}/resnet{depth}_weights_tf_dim_ordering_tf_kernels.h5",
            hash=f"md5:{md5}",
            licence="Apache-2.0",
            dialect="keras",
            options=options(depth, "1x1"),
            image=image,
            results=(Result(top1, top5, "224 pixels; how images are resized is not stated"),),
        )


def msra() -> Iterator[Record]:
    """The paper's own weights: https://github.com/KaimingHe/deep-residual-networks, converted in
    https://github.com/fizyr/keras-models/releases/tag/v0.0.1"""
    # Channel means of ResNet_mean.binaryproto, to two decimals.
    image = ImageRule(mean=(123.15, 115.90, 103.06), std=UNIT, channels="BGR")
    base = "https://github.com/fizyr/keras-models/releases/download/v0.0.1"
    for depth, md5, error1, error5 in MSRA:
        yield Record(
            network=f"resnet{depth}",
            name="msra",
            source="MSRA, converted from Caffe by fizyr",
            url=f"{base}/ResNet-{depth}-model.keras.h5",
            hash=f"md5:{md5}",
            licence="MIT",
            dialect="caffe",
            options=options(depth, "1x1", "caffe"),
            image=image,
            results=(accuracy(error1, error5, protocol(image, "MSRA's README")),),
        )


def accuracy(error1: float | None, error5: float | None, how: str) -> Result:
    return Result(
        None if error1 is None else round(100 - error1, 3),
        None if error5 is None else round(100 - error5, 3),
        how,
    )


def osmr() -> Iterator[Record]:
    """https://github.com/osmr/imgclsmob, the weights for TensorFlow 2"""
    base = "https://github.com/osmr/imgclsmob/releases/download"
    for depth, name, release, file, stride_on, error1, error5 in OSMR:
        image = ImageRule()
        yield Record(
            network=f"resnet{depth}",
            name=name,
            source="osmr/imgclsmob",
            url=f"{base}/{release}/{file}.tf2.h5.zip",
            hash=f"sha1:{file.rpartition('-')[2]}",
            licence="MIT",
            dialect="osmr",
            options=options(depth, stride_on),
            image=image,
            results=(accuracy(error1, error5, protocol(image)),),
        )
    for depth, file, error in OSMR_CIFAR:
        yield Record(
            network=f"cifar_resnet{depth}",
            name="osmr",
            source="osmr/imgclsmob",
            url=f"{base}/v0.0.438/{file}.tf2.h5.zip",
            hash=f"sha1:{file.rpartition('-')[2]}",
            licence="MIT",
            dialect="osmr",
            options={"shortcut": "B"},
            image=OSMR_CIFAR_IMAGE,
            results=(accuracy(error, None, "CIFAR-10 test set"),),
        )


# tensorflow2/datasets/cifar10_cls_dataset.py of imgclsmob, on the scale of 0 to 255.
OSMR_CIFAR_IMAGE = ImageRule(
    mean=(125.307, 122.961, 113.8575), std=(51.5865, 50.847, 51.255), size=None, crop_pct=1.0
)


def akamaster() -> Iterator[Record]:
    """https://github.com/akamaster/pytorch_resnet_cifar10"""
    base = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models"
    for depth, sha256, error in AKAMASTER:
        yield Record(
            network=f"cifar_resnet{depth}",
            name="akamaster",
            source="akamaster/pytorch_resnet_cifar10",
            url=f"{base}/resnet{depth}-{sha256}.th",
            hash=f"sha256:{sha256}",
            licence="BSD-2-Clause",
            dialect="akamaster",
            options={"shortcut": "A", "zero_channels": "center"},
            image=ImageRule(size=None, crop_pct=1.0),
            results=(
                accuracy(error, None, "CIFAR-10 test set; the best checkpoint, chosen on it"),
            ),
        )


FAMILIES = (torchvision, timm, microsoft, keras, msra, osmr, akamaster)
RECORDS: tuple[Record, ...] = tuple(
    record for family in (*FAMILIES, *relatives.FAMILIES) for record in family()
)

# One recipe and one licence for all five depths, read without torch, and the highest published
# top-1 of such sets for 18, 34 and 50 layers (ResNet-50: 81.24 % at 288 pixels).
IMAGENET_DEFAULT = "a1"


def imagenet_default(network: str) -> str:
    """The name of the set that `weights="imagenet"` stands for."""
    return relatives.DEFAULTS.get(network, IMAGENET_DEFAULT)
