"""Tables 2 to 6 as the paper prints them, with what would measure each row again.

Errors are in per cent. Needs no Keras.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from keras_resnet.networks.systems import network_row

IMAGENET_VALIDATION = 50_000
CIFAR_TEST = 10_000
VALIDATION_TAR = "ILSVRC2012_img_val.tar"


@dataclass(frozen=True)
class Model:
    """A network of a row.

    Args:
        network: of `list_models()`.
        shortcut: of Sec. 3.3, where there are several.
        weights: public ones that the paper measured; those of VGG that `keras.applications` has
            are the authors' own. Without any the network has to be trained.
    """

    network: str
    shortcut: str = ""
    weights: str = ""

    @property
    def trained_in(self) -> str:
        """Folder of the recipe that trains it."""
        return f"runs/{self.network}{'-' if self.shortcut else ''}{self.shortcut}"

    @property
    def graph(self) -> dict[str, Any]:
        """The options of the paper's network that `graph_options` shows of a model.

        >>> Model("resnet50", "B").graph
        {'stride_on': '1x1', 'pool1': 'symmetric', 'shortcut': 'B'}
        """
        row = network_row(self.network)
        if row.family != "resnet":
            return {"pool_proj": 96, "conv1": "dense"} if row.family == "bn_inception" else {}
        found = {"stride_on": "1x1"} if row.block == "bottleneck" else {}
        if row.stem == "imagenet":
            found["pool1"] = "caffe" if self.weights == "msra" else "symmetric"
        if self.shortcut:
            found["shortcut"] = self.shortcut
        return found | ({"zero_channels": "end"} if self.shortcut == "A" else {})


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Args:
        method: as printed.
        top1: error as printed; empty where the paper prints none.
        top5: likewise.
        protocol: a name of `PROTOCOLS`.
        models: what is measured, several together; none where nothing like it is built here.
        scales: of the protocol, where they are not its own.
        note: in what the printed number is of something else than what is measured.
    """

    method: str
    top1: str = ""
    top5: str = ""
    protocol: str = ""
    models: tuple[Model, ...] = ()
    scales: tuple[int, ...] = ()
    note: str = ""

    @property
    def paper(self) -> tuple[float | None, float | None]:
        """The two errors as numbers; of "7.54 (7.72±0.16)" the first."""
        return tuple(  # type: ignore[return-value]
            float(text.split()[0].rstrip("†")) if text else None for text in (self.top1, self.top5)
        )

    @property
    def measured(self) -> str:
        """The protocol in words, and how the printed number differs.

        >>> TABLE_4.rows[2].measured
        "dense at 256, 384, 512; the paper's is of these and 150 crops together"
        """
        scales = f" at {', '.join(map(str, self.scales))}" if self.scales else ""
        return "; ".join(filter(None, (f"{self.protocol}{scales}", self.note)))


@dataclass(frozen=True)
class Table:
    number: int
    title: str
    measured_on: str
    rows: tuple[Row, ...]


def of(network: str, shortcut: str = "") -> tuple[Model]:
    """A network that has to be trained, alone."""
    return (Model(network, shortcut),)


MSRA = tuple(Model(f"resnet{depth}", "B", "msra") for depth in (50, 101, 152))
VGG_16, VGG_19 = Model("vgg16", "", "keras"), Model("vgg19", "", "keras")

TABLE_2 = Table(
    2,
    "Plain and residual networks, top-1 error (%)",
    "ImageNet validation set",
    (
        Row("18 layers, plain", "27.94", "", "10-crop", of("plain18")),
        Row("18 layers, ResNet", "27.88", "", "10-crop", of("resnet18", "A")),
        Row("34 layers, plain", "28.54", "", "10-crop", of("plain34")),
        Row("34 layers, ResNet", "25.03", "", "10-crop", of("resnet34", "A")),
    ),
)
TABLE_3 = Table(
    3,
    "10-crop testing, top-1 / top-5 error (%)",
    "ImageNet validation set",
    (
        Row("VGG-16", "28.07", "9.33", "10-crop", (VGG_16,)),
        Row("GoogLeNet", "", "9.15", "10-crop", of("googlenet")),
        Row("PReLU-net", "24.27", "7.38", "10-crop", of("prelu_net_c")),
        Row("plain-34", "28.54", "10.02", "10-crop", of("plain34")),
        Row("ResNet-34 A", "25.03", "7.76", "10-crop", of("resnet34", "A")),
        Row("ResNet-34 B", "24.52", "7.46", "10-crop", of("resnet34", "B")),
        Row("ResNet-34 C", "24.19", "7.40", "10-crop", of("resnet34", "C")),
        Row("ResNet-50", "22.85", "6.71", "10-crop", MSRA[:1]),
        Row("ResNet-101", "21.75", "6.05", "10-crop", MSRA[1:2]),
        Row("ResNet-152", "21.43", "5.71", "10-crop", MSRA[2:]),
    ),
)
VGG_SCALES = (256, 384, 512)  # arXiv:1409.1556, Sec. 4.2, for networks trained at many scales
CROPS_TOO = "the paper's is of these and 150 crops together"
# arXiv:1502.01852, Table 4, has 256, 384 and 480, and does not say which were averaged.
OTHER_SCALES = "the paper's is of scales that it does not list"
TABLE_4 = Table(
    4,
    "Single models, top-1 / top-5 error (%)",
    "ImageNet validation set, except the number marked †, which is of the test set",
    (
        Row("VGG (ILSVRC'14)", "", "8.43†", "dense", (VGG_16,), VGG_SCALES, "†"),
        Row("GoogLeNet (ILSVRC'14)", "", "7.89", "144-crop", of("googlenet")),
        Row("VGG (v5)", "24.4", "7.1", "dense", (VGG_19,), VGG_SCALES, CROPS_TOO),
        Row("PReLU-net", "21.59", "5.71", "multi-scale", of("prelu_net_c"), (), OTHER_SCALES),
        Row("BN-inception", "21.99", "5.81", "144-crop", of("bn_inception")),
        Row("ResNet-34 B", "21.84", "5.71", "multi-scale", of("resnet34", "B")),
        Row("ResNet-34 C", "21.53", "5.60", "multi-scale", of("resnet34", "C")),
        Row("ResNet-50", "20.74", "5.25", "multi-scale", MSRA[:1]),
        Row("ResNet-101", "19.87", "4.60", "multi-scale", MSRA[1:2]),
        Row("ResNet-152", "19.38", "4.49", "multi-scale", MSRA[2:]),
    ),
)
PRELU_NETS = (*of("prelu_net_a"), *of("prelu_net_b"), *of("prelu_net_c"))
SEVEN, SIX = "the paper's is of seven networks", "the paper's is of six networks"
TABLE_5 = Table(
    5,
    "Ensembles, top-5 error (%)",
    "ImageNet test set, whose labels are not public: the commands measure on the validation set",
    (
        Row("VGG (ILSVRC'14)", "", "7.32", "dense", (VGG_16, VGG_19), VGG_SCALES, SEVEN),
        Row("GoogLeNet (ILSVRC'14)", "", "6.66", "144-crop", 7 * of("googlenet"), (), "†"),
        Row("VGG (v5)", "", "6.8", "dense", (VGG_16, VGG_19), VGG_SCALES, CROPS_TOO),
        Row("PReLU-net", "", "4.94", "multi-scale", PRELU_NETS, (), f"{SIX}, at other scales"),
        Row("BN-inception", "", "4.82", "144-crop", 6 * of("bn_inception"), (), "†"),
        Row("ResNet (ILSVRC'15)", "", "3.57", "multi-scale", MSRA, (), SIX),
    ),
)
TABLE_6 = Table(
    6,
    "CIFAR-10 with augmentation, error (%)",
    "CIFAR-10 test set",
    (
        Row("Maxout", "9.38"),
        Row("NIN", "8.81"),
        Row("DSN", "8.22"),
        Row("FitNet, 19 layers, 2.5M", "8.39"),
        Row("Highway, 19 layers, 2.3M", "7.54 (7.72±0.16)"),
        Row("Highway, 32 layers, 1.25M", "8.80"),
        Row("ResNet, 20 layers, 0.27M", "8.75", "", "1-crop", of("cifar_resnet20", "A")),
        Row("ResNet, 32 layers, 0.46M", "7.51", "", "1-crop", of("cifar_resnet32", "A")),
        Row("ResNet, 44 layers, 0.66M", "7.17", "", "1-crop", of("cifar_resnet44", "A")),
        Row("ResNet, 56 layers, 0.85M", "6.97", "", "1-crop", of("cifar_resnet56", "A")),
        Row(
            "ResNet, 110 layers, 1.7M",
            "6.43 (6.61±0.16)",
            "",
            "1-crop",
            of("cifar_resnet110", "A"),
        ),
        Row("ResNet, 1202 layers, 19.4M", "7.93", "", "1-crop", of("cifar_resnet1202", "A")),
    ),
)
TABLES = (TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6)


def command(row: Row) -> str:
    """The command that measures a row, empty where nothing here does."""
    if not row.models:
        return ""
    first = row.models[0]
    if first.network.startswith("cifar_"):
        # "a mini-batch size of 128 on two GPUs", each with statistics of its own
        return f"python recipes/cifar10.py --model {first.network} --accumulate 2"
    words = ["python recipes/evaluate.py --models", *map(words_for, Counter(row.models).items())]
    if not first.weights:
        words.append("--image tv")
    words.append(f"--data {VALIDATION_TAR} --protocols {row.protocol}")
    if row.scales:
        words.append(f"--scales {' '.join(map(str, row.scales))}")
    if len(row.models) > 1:
        words.append("--ensemble")
    return " ".join(words)


def words_for(counted: tuple[Model, int]) -> str:
    """How a command names a network, or several trained alike, as a shell spells numbers."""
    model, times = counted
    if model.weights:
        return f"{model.network}.{model.weights}"
    return f"{model.trained_in}{f'-{{1..{times}}}' if times > 1 else ''}/model.keras"
