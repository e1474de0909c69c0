"""`keras-resnet export`: a model as a file for another runtime."""

import argparse

from keras_resnet.commands.common import model_of, positive, sides

EXAMPLES = """
keras-resnet export resnet50 resnet50.onnx
keras-resnet export resnet50 resnet50.onnx resnet50.tflite --pixels --size 480x640
keras-resnet export trained.keras trained.onnx --dtype int8 --images calibration.npy
keras-resnet export resnet18 served --format tf_saved_model --pixels
keras-resnet export resnet50 net.onnx --weights net.pth --pixels resnet50.tv2 --size 256
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a name that `list` prints, or the path of a .keras file")
    parser.add_argument(
        "--weights",
        metavar="SET",
        help="a set that `weights` prints, a file of weights, or none (default: the best set)",
    )
    parser.add_argument(
        "path",
        nargs="+",
        help="file to write: .onnx, .tflite, .xml (OpenVINO), .pt2 (torch), .keras, or a folder "
        "(SavedModel)",
    )
    parser.add_argument("--format", help="Keras' name of it, where the suffix does not say")
    parser.add_argument("--no-fold", action="store_true", help="keep batch normalization")
    parser.add_argument(
        "--pixels",
        nargs="?",
        const=True,
        metavar="SET",
        help="take pixels, uint8, and resize, crop and normalize them inside as the weights want, "
        "or as SET does where they are a file of your own",
    )
    parser.add_argument("--size", type=sides, help="side of the images, or HEIGHTxWIDTH")
    parser.add_argument("--batch", type=positive, help="images of every call (default: any number)")
    dtypes = ("float32", "float16", "bfloat16", "int8")
    parser.add_argument("--dtype", choices=dtypes, default="float32", help="of the weights")
    parser.add_argument(
        "--images",
        metavar="FILE",
        help="a .npy of images as the file takes them: to compare on, and for int8 to calibrate",
    )
    parser.add_argument("--no-verify", action="store_true", help="do not run the file")


def run(options: argparse.Namespace) -> tuple[list[dict], str]:
    from keras_resnet.exporting import export

    images = None if options.images is None else array_in(options.images)
    size = None if options.pixels else options.size
    model, record = model_of(options.model, options.weights, options.pixels, size)
    if options.pixels and record is None:
        raise ValueError("A file does not say what it expects of an image: pass --pixels SET")
    reports = export(
        model,
        options.path,
        options.format,
        fold=not options.no_fold,
        preprocessing=record if options.pixels else None,
        image_size=options.size,
        batch=options.batch or "dynamic",
        dtype=options.dtype,
        images=None if images is None else images[:16],
        calibration=images if options.dtype == "int8" else None,
        verify=not options.no_verify,
    )
    return [report.as_dict() for report in reports], "\n".join(map(summary, reports))


def summary(report) -> str:
    """One exported file, in a line, and how well it agrees in another."""
    line = f"{report.path}: {report.format}, {report.bytes / 1e6:.1f} MB, {report.dtype}"
    if not report.images:
        return line
    return (
        f"{line}\n  agrees with the model to {report.relative:.1e} of the largest output, "
        f"top-1 {report.top1_agreement:.0%}, batches of {report.batches}"
    )


def array_in(path: str):
    """The array of a .npy file."""
    import numpy as np

    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise
    # What is no such file raises EOFError, ValueError, BadZipFile and others.
    except Exception as error:
        raise ValueError(f"{path} must be a .npy, one array of images. {error}") from error
    if not isinstance(found, np.ndarray):
        found.close()
        raise ValueError(f"{path} must be a .npy, one array of images. Received: a .npz")
    return found
