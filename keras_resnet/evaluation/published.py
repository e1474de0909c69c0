"""Tables 2 to 6 as the paper prints them, with what would measure each row again.

Errors are in per cent. Needs no Keras.
"""

from dataclasses import dataclass

IMAGENET_VALIDATION = 50_000
CIFAR_TEST = 10_000
VALIDATION_TAR = "ILSVRC2012_img_val.tar"


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Args:
        method: as printed.
        top1: error as printed; empty where the paper prints none.
        top5: likewise.
        protocol: a name of `PROTOCOLS`, empty where none of them is meant.
        network: of `list_models()` that the row is about, empty where it is not built here.
        shortcut: of Sec. 3.3, where the row says.
        weights: public weights that are the paper's own, such as `"msra"`.
        note: what a reader must know besides.
    """

    method: str
    top1: str = ""
    top5: str = ""
    protocol: str = ""
    network: str = ""
    shortcut: str = ""
    weights: str = ""
    note: str = ""

    @property
    def paper(self) -> tuple[float | None, float | None]:
        """The two errors as numbers; of "7.54 (7.72±0.16)" the first."""
        return tuple(  # type: ignore[return-value]
            float(text.split()[0].rstrip("†")) if text else None for text in (self.top1, self.top5)
        )


@dataclass(frozen=True)
class Table:
    number: int
    title: str
    measured_on: str
    rows: tuple[Row, ...]


TABLE_2 = Table(
    2,
    "Plain and residual networks, top-1 error (%)",
    "ImageNet validation set",
    (
        Row("18 layers, plain", "27.94", "", "10-crop", "plain18"),
        Row("18 layers, ResNet", "27.88", "", "10-crop", "resnet18", "A"),
        Row("34 layers, plain", "28.54", "", "10-crop", "plain34"),
        Row("34 layers, ResNet", "25.03", "", "10-crop", "resnet34", "A"),
    ),
)
TABLE_3 = Table(
    3,
    "10-crop testing, top-1 / top-5 error (%)",
    "ImageNet validation set",
    (
        Row("VGG-16", "28.07", "9.33", "10-crop", "vgg16"),
        Row("GoogLeNet", "", "9.15", "10-crop", "googlenet"),
        Row("PReLU-net", "24.27", "7.38", "10-crop", "prelu_net_c"),
        Row("plain-34", "28.54", "10.02", "10-crop", "plain34"),
        Row("ResNet-34 A", "25.03", "7.76", "10-crop", "resnet34", "A"),
        Row("ResNet-34 B", "24.52", "7.46", "10-crop", "resnet34", "B"),
        Row("ResNet-34 C", "24.19", "7.40", "10-crop", "resnet34", "C"),
        Row("ResNet-50", "22.85", "6.71", "10-crop", "resnet50", "B", "msra"),
        Row("ResNet-101", "21.75", "6.05", "10-crop", "resnet101", "B", "msra"),
        Row("ResNet-152", "21.43", "5.71", "10-crop", "resnet152", "B", "msra"),
    ),
)
TEST_SET = "† reported on the test set, whose labels are not public"
TABLE_4 = Table(
    4,
    "Single models, top-1 / top-5 error (%)",
    "ImageNet validation set, except where marked †",
    (
        Row("VGG (ILSVRC'14)", "", "8.43†", "", note=TEST_SET),
        Row("GoogLeNet (ILSVRC'14)", "", "7.89", "144-crop", "googlenet"),
        Row("VGG (v5)", "24.4", "7.1", "", "vgg19", note="multi-crop and dense together"),
        Row("PReLU-net", "21.59", "5.71", "multi-scale", "prelu_net_c"),
        Row("BN-inception", "21.99", "5.81", "144-crop", "bn_inception"),
        Row("ResNet-34 B", "21.84", "5.71", "multi-scale", "resnet34", "B"),
        Row("ResNet-34 C", "21.53", "5.60", "multi-scale", "resnet34", "C"),
        Row("ResNet-50", "20.74", "5.25", "multi-scale", "resnet50", "B", "msra"),
        Row("ResNet-101", "19.87", "4.60", "multi-scale", "resnet101", "B", "msra"),
        Row("ResNet-152", "19.38", "4.49", "multi-scale", "resnet152", "B", "msra"),
    ),
)
TABLE_5 = Table(
    5,
    "Ensembles, top-5 error (%)",
    "ImageNet test set, whose labels are not public",
    tuple(
        Row(method, "", top5, note="test set")
        for method, top5 in (
            ("VGG (ILSVRC'14)", "7.32"),
            ("GoogLeNet (ILSVRC'14)", "6.66"),
            ("VGG (v5)", "6.8"),
            ("PReLU-net", "4.94"),
            ("BN-inception", "4.82"),
            ("ResNet (ILSVRC'15)", "3.57"),
        )
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
        Row("ResNet, 20 layers, 0.27M", "8.75", "", "1-crop", "cifar_resnet20", "A"),
        Row("ResNet, 32 layers, 0.46M", "7.51", "", "1-crop", "cifar_resnet32", "A"),
        Row("ResNet, 44 layers, 0.66M", "7.17", "", "1-crop", "cifar_resnet44", "A"),
        Row("ResNet, 56 layers, 0.85M", "6.97", "", "1-crop", "cifar_resnet56", "A"),
        Row("ResNet, 110 layers, 1.7M", "6.43 (6.61±0.16)", "", "1-crop", "cifar_resnet110", "A"),
        Row("ResNet, 1202 layers, 19.4M", "7.93", "", "1-crop", "cifar_resnet1202", "A"),
    ),
)
TABLES = (TABLE_2, TABLE_3, TABLE_4, TABLE_5, TABLE_6)


def command(row: Row) -> str:
    """The command that measures a row, empty where nothing here does."""
    if not row.network or not row.protocol:
        return ""
    if row.network.startswith("cifar_"):
        return f"python recipes/cifar10.py --network {row.network}"
    option = f"-{row.shortcut}" if row.shortcut else ""
    model = f"{row.network}.{row.weights}" if row.weights else f"{row.network}{option}.keras"
    image = "" if row.weights else " --image tv"
    return (
        f"python recipes/evaluate.py --models {model}{image} "
        f"--data {VALIDATION_TAR} --protocols {row.protocol}"
    )
