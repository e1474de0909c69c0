"""`keras-resnet evaluate`: the error of a model by a protocol of the paper."""

import argparse

EXAMPLES = """
keras-resnet evaluate resnet50.tv2 --data ILSVRC2012_img_val.tar
keras-resnet evaluate resnet152.msra --data val/ --protocol multi-scale --out r152.json
keras-resnet evaluate resnet50.tv resnet101.tv --data val/ --protocol 10-crop
keras-resnet evaluate vgg16.keras --data val/ --protocol dense --scales 256 384 512
keras-resnet evaluate mine.keras --image resnet50.tv --data photos.zip --split test
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="public weights (resnet50.tv2), a file of them (resnet50.tv2=weights.pth), a name "
        "that `list` prints and a file of weights (resnet50=weights.npz), or a saved model "
        "(mine.keras); several are an ensemble",
    )
    parser.add_argument(
        "--data",
        required=True,
        help="a folder with a sub-folder for every class, a zip or tar of one, ImageNet's official "
        "archives, or a data set that TFDS prepared",
    )
    parser.add_argument("--split", help="of the data, where it has several: train, test, ...")
    parser.add_argument(
        "--protocol",
        default="1-crop",
        help="1-crop, 10-crop, dense, multi-scale or 144-crop (default: 1-crop)",
    )
    parser.add_argument(
        "--scales",
        type=int,
        nargs="+",
        default=(),
        metavar="PIXELS",
        help="lengths of the images' shorter side, instead of the protocol's own",
    )
    parser.add_argument("--image", help="the record whose preprocessing weights of your own expect")
    parser.add_argument("--average", default="softmax", help="softmax or logits (default: softmax)")
    parser.add_argument("--batch-size", type=int, help="views in one batch")
    parser.add_argument("--out", help="JSON to write; a stopped run continues from it")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(options: argparse.Namespace) -> tuple[dict, str]:
    from keras_resnet.evaluation import evaluate_named, protocol_named

    found = evaluate_named(
        options.models,
        options.data,
        protocol_named(options.protocol, options.scales),
        image=options.image,
        split=options.split,
        average=options.average,
        batch_size=options.batch_size,
        out=options.out,
        verbose=0 if options.quiet or options.json else 1,
    )
    return found.record, str(found)
