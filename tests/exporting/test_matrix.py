"""Every format of the paper's networks, and 8 bits, on real images: minutes a backend."""

import zipfile

import numpy as np
import pytest
from support import filled

import keras_resnet
from keras_resnet.exporting import FORMATS, export, open_exported
from keras_resnet.exporting.verification import TOLERANCES


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "side", "options"),
    [("resnet18", 64, {}), ("resnet50", 64, {"stride_on": "3x3"}), ("resnet50", 224, {})],
)
def test_every_format_of_the_papers_networks(name, side, options, tmp_path, shared_data):
    """On crops of real photographs, normalized inside the file."""
    image = pytest.importorskip("PIL.Image")
    with zipfile.ZipFile(shared_data / "imagenet-sample.zip") as members:
        files = [n for n in members.namelist() if n.lower().endswith(".jpeg")][::100]
        pictures = [image.open(members.open(n)).convert("RGB").resize((256, 300)) for n in files]
    model = filled(name, input_shape=(side, side, 3), **options)
    paths = [tmp_path / f"net{row.suffix}" for row in FORMATS.values()]
    reports = export(
        model,
        paths,
        preprocessing=keras_resnet.weights.ImageRule(size=224),
        image_size=(300, 256),
        images=np.stack([np.asarray(one) for one in pictures]),
    )
    for report in reports:
        assert report.relative < 1e-4, report
        assert report.top1_agreement == 1, report
        assert report.images == len(files) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_computes_what_the_model_does_in_every_format_that_has_it(dtype, tmp_path):
    """And halves the file, but for the last layer; other formats refuse it by name."""
    model = filled("cifar_resnet8", input_shape=(16, 16, 3))
    able = [name for name, row in FORMATS.items() if dtype in row.dtypes]
    paths = [tmp_path / f"net{FORMATS[name].suffix}" for name in able]
    whole = export(model, [tmp_path / f"whole{path.suffix}" for path in paths], verify=False)
    for before, report in zip(whole, export(model, paths, dtype=dtype), strict=True):
        assert report.relative < TOLERANCES[dtype], report.format
        assert report.bytes < before.bytes - 1.8 * model.count_params(), report.format
    for name in set(FORMATS) - set(able):
        with pytest.raises(ValueError, match=f"`dtype` of format '{name}' must be one of"):
            export(model, tmp_path / f"other{FORMATS[name].suffix}", name, dtype=dtype)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_eight_bits_keep_the_accuracy_of_real_images(format, tmp_path, shared_data):
    image = pytest.importorskip("PIL.Image")

    def read(part, every):
        with zipfile.ZipFile(shared_data / "cifar10-jpeg.zip") as members:
            names = sorted(n for n in members.namelist() if n.startswith(part))
            names = [name for name in names if name.endswith(".jpg")][::every]
            return np.stack([np.asarray(image.open(members.open(n))) for n in names])

    model = keras_resnet.build("cifar_resnet20", shortcut="A", zero_channels="center")
    keras_resnet.load_weights(model, shared_data / "cifar-resnet20.th", "akamaster")
    pixels, calibration = read("test/", 20), read("train/", 250)
    says = {}
    for dtype in ("float32", "int8"):
        report = export(
            model,
            tmp_path / f"{dtype}{FORMATS[format].suffix}",
            dtype=dtype,
            preprocessing="cifar_resnet20.akamaster",
            image_size=32,
            images=pixels[::50],
            calibration=calibration if dtype == "int8" else None,
        )
        says[dtype] = open_exported(report.path)(pixels)[0].argmax(1)
    assert np.mean(says["float32"] == says["int8"]) > 0.95
    assert report.bytes < 0.4 * (tmp_path / f"float32{FORMATS[format].suffix}").stat().st_size
