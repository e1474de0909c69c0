"""Every format, written on this backend or by crossing to another, and run where it is for."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support import BACKEND, filled, images
from support.golden_cases import TINY

import keras_resnet
from keras_resnet.exporting import (
    FORMATS,
    ExportError,
    export,
    open_exported,
    read_metadata,
    samples,
    verification,
    writers,
)
from keras_resnet.exporting import formats as formats_module

SIDE = 16
NAMES = [f"class {number}" for number in range(10)]
# Runtimes that can be loaded beside this backend; export has run the others where they belong.
HERE = {
    "tensorflow": ["tf_saved_model", "onnx", "litert", "openvino", "keras"],
    "torch": ["onnx", "litert", "openvino", "torch", "keras"],
    "jax": ["onnx", "litert", "keras"],  # OpenVINO forks, which JAX warns of
}[BACKEND]
WRITTEN = {name: row for name, row in FORMATS.items() if row.is_written_here}


@pytest.fixture(scope="module")
def model():
    return filled("cifar_resnet8", input_shape=(SIDE, SIDE, 3))


def test_every_format_computes_what_the_model_does(model, tmp_path):
    """One test, as all six files are written at once: each other backend is started but once."""
    extra = {"net.bin"} if "openvino" in WRITTEN else set()
    paths = [tmp_path / f"net{row.suffix}" for row in WRITTEN.values()]
    exported = dict(zip(WRITTEN, export(model, paths, class_names=NAMES), strict=True))
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths} | extra
    for format, report in exported.items():
        assert report.format == format
        assert report.relative < 1e-5, format
        assert (report.top1_agreement, report.batches) == (1, (1, 4)), format
        assert report.kept_batch_norms == 0
        assert report.bytes > 75_000 * 4
        assert report.compared_on == "photographs", "scikit-learn comes with the extra recipes"
        check_metadata(read_metadata(report.path), report)
    x = images(3, SIDE, SIDE, 3)
    expected = verification.outputs_of(model, x)[0]
    for format in set(HERE) & set(WRITTEN):
        run = open_exported(exported[format].path)
        for size in (3, 1, 2):
            (found,) = run(x[:size])
            assert np.abs(found - expected[:size]).max() < 1e-5, format
    if "onnx" in WRITTEN:  # from Keras 3.14 on
        check_names(exported["onnx"].path, exported["litert"].path)
        graph = Path(exported["openvino"].path).read_text()
        assert 'names="image"' in graph
        assert 'names="output_0"' in graph
    check_plain_keras(exported["keras"].path)


def check_metadata(metadata, report):
    assert metadata["input"] == {
        "name": "image",
        "shape": [None, SIDE, SIDE, 3],
        "dtype": "float32",
    }
    assert metadata["outputs"] == [{"name": "output_0", "shape": [None, 10], "dtype": "float32"}]
    assert metadata["class_names"] == NAMES
    assert metadata["verification"]["relative"] == report.relative
    assert metadata["verification"]["top1_agreement"] == 1


def check_names(onnx_file, litert_file):
    """What goes in and comes out is called as the documentation says."""
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    session = onnxruntime.InferenceSession(onnx_file)
    assert [x.name for x in session.get_inputs()] == ["image"]
    assert [x.name for x in session.get_outputs()] == ["output_0"]
    assert session.get_inputs()[0].shape == ["batch", SIDE, SIDE, 3]
    signatures = Interpreter(litert_file).get_signature_list()
    assert signatures == {"serving_default": {"inputs": ["image"], "outputs": ["output_0"]}}


def check_plain_keras(*paths):
    """Keras alone loads the files, and there is no batch normalization in them."""
    program = f"""
import sys, keras
for path in {paths!r}:
    model = keras.saving.load_model(path)
    assert "keras_resnet" not in sys.modules
    assert not any("BatchNorm" in type(x).__name__ for x in model.layers[1].layers)
    print(model.output.shape)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout.splitlines() == ["(None, 10)"] * len(paths), ran.stderr


@pytest.mark.portable
def test_a_keras_file_needs_this_package_for_no_network(tmp_path):
    """Keras has neither local response normalization nor a spatial pyramid."""
    paths = []
    for kind in ("vgg_lrn", "prelu_net", "v2"):
        side = 2 * TINY[kind].stride
        model = filled(TINY[kind], input_shape=(side, side, 3), classes=10)
        report = export(model, tmp_path / f"{kind}.keras")
        assert report.relative < 1e-5
        assert report.kept_batch_norms == 0
        paths.append(report.path)
    check_plain_keras(*paths)


@pytest.mark.once
def test_images_of_other_kinds_are_compared_on_noise(monkeypatch):
    photographs = samples.images_for((20, 30, 3), "uint8", 3)[0]
    assert (photographs.shape, photographs.dtype) == ((3, 20, 30, 3), "uint8")
    assert photographs.std() > 30
    first, whose = samples.images_for((3, 20, 30), "float32", 2)
    assert (first.shape, whose) == ((2, 3, 20, 30), samples.REAL)
    assert abs(first.mean()) < 1e-3
    assert first.std() == pytest.approx(1, abs=1e-3)
    assert samples.images_for((20, 30, 1), "float32", 2)[1] == samples.MADE_UP
    assert samples.images_for((7,), "float32", 2)[0].shape == (2, 7)
    monkeypatch.setattr(samples, "photographs", list)
    assert samples.images_for((20, 30, 3), "float32", 2)[1] == samples.MADE_UP


def small(*steps):
    x = image = keras.Input((8, 8, 3))
    for step in (*steps, keras.layers.GlobalAveragePooling2D()):
        x = step(x)
    return keras.Model(image, x)


class Own(keras.layers.Layer):
    def call(self, x):
        return x


@pytest.mark.portable
@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        ("net.h5", {}, r"suffix .* belongs to no format.*'onnx' \(.onnx\).*Received: path="),
        ("net.onnx", {"format": "tflite"}, r"`format` must be one of .* Received: format='tflite'"),
        ("net.keras", {"format": "onnx"}, r"must end in '.onnx'. Received: path="),
        (
            "net.keras",
            {"dtype": "int4"},
            r"`dtype` of format 'keras' must be one of .*Received: dtype='int4'",
        ),
        ("net.keras", {"dtype": "int8"}, r"format 'keras' must be .*int8 is for onnx, litert"),
        ("net.xml", {"dtype": "bfloat16"}, r"PRECISION_HINT.* Received: dtype='bfloat16'"),
        ("net.onnx", {"dtype": "int8"}, r"dtype='int8' needs `calibration`"),
        ("net.keras", {"batch": 0}, r"'dynamic' or a positive integer. Received: batch=0"),
        ("net.keras", {"batch": "any"}, r"Received: batch='any'"),
        ("net.keras", {"image_size": -3}, r"`image_size` must be .* Received: image_size=-3"),
        ("net.keras", {"preprocessing": "tv9"}, r"`weights` must be a record.* Received: .*'tv9'"),
        ("net.keras", {"preprocessing": "tv"}, r"resize and pool images of one size only: pass"),
        ("net.keras", {"class_names": ["a"]}, r"as many as the model has classes, 3. Received: 1"),
        ("net.keras", {"images": np.zeros((2, 9, 8, 3))}, r"at least 2 as .* shape \(2, 9, 8, 3\)"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    path, arguments, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        export(small(keras.layers.ReLU()), tmp_path / path, **arguments)
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_written_down_is_refused(tmp_path):
    for layer, message in [
        (keras.layers.Lambda(lambda x: 2 * x, name="double"), r"layer 'double' is a Lambda"),
        (Own(name="own"), r"layer 'own' is of a class of your own, .*Own"),
    ]:
        with pytest.raises(ValueError, match=message):
            export(small(layer), tmp_path / "net.onnx")
    two = [keras.Input((3,)), keras.Input((3,))]
    with pytest.raises(ValueError, match="must have one input"):
        export(keras.Model(two, keras.layers.Add()(two)), tmp_path / "net.keras")
    assert not list(tmp_path.iterdir())


@pytest.mark.portable
def test_a_missing_tool_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(formats_module, "installed", lambda module: module != "onnxscript")
    wanted = r'\'onnx\' needs onnxscript: pip install "keras3-resnet\[export,torch\]"'
    with pytest.raises(ImportError, match=wanted):
        export(small(), tmp_path / "net.onnx")
    with monkeypatch.context() as patch:
        patch.setattr(keras, "__version__", "3.12.4")
        with pytest.raises(ImportError, match=r"'litert' needs keras 3.13 or later: pip install"):
            export(small(), tmp_path / "net.tflite")
    # TensorFlow writes OpenVINO's files itself, and needs none of what torch writes them by.
    assert formats_module.writer_of("openvino", "tensorflow") == "tensorflow"
    with pytest.raises(ImportError, match=r"'openvino' needs onnxscript: pip install"):
        formats_module.writer_of("openvino", "torch")
    monkeypatch.setattr(formats_module, "installed", lambda module: module != "tensorflow")
    if BACKEND != "tensorflow":
        with pytest.raises(ImportError, match=r"needs tensorflow: pip install"):
            export(small(), tmp_path / "net")


@pytest.mark.portable
def test_a_mismatch_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "net.keras"
    convolution = keras.layers.Conv2D(4, 3)

    def of_another_weight(model, path, *arguments):
        model.set_weights([1.01 * values for values in model.get_weights()])
        model.save(path)

    first = export(small(), path)
    before = path.read_bytes()
    wanted = r"(?s)does not compute what the model does.*Nothing was"
    with monkeypatch.context() as patched:
        patched.setitem(writers.WRITERS, "keras", of_another_weight)
        with pytest.raises(ExportError, match=wanted):
            export(small(convolution), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.keras"]
    again = export(small(keras.layers.ReLU(name="other")), path)
    assert path.read_bytes() != before
    assert first.path == again.path


@pytest.mark.portable
def test_plain_keras_loads_a_file_with_its_normalization(tmp_path):
    """Of our layers, not folded: the same outputs where this package is not imported."""
    model = filled("cifar_resnet8", input_shape=(8, 8, 3))
    export(model, tmp_path / "net.keras", fold=False)
    x = images(2, 8, 8, 3)
    np.save(tmp_path / "x.npy", x)
    program = f"""
import sys, keras, numpy as np
model = keras.saving.load_model({str(tmp_path / "net.keras")!r})
assert "keras_resnet" not in sys.modules
assert any("BatchNorm" in type(layer).__name__ for layer in model.layers[1].layers)
said = model(np.load({str(tmp_path / "x.npy")!r}), training=False)
np.save({str(tmp_path / "said.npy")!r}, keras.ops.convert_to_numpy(said))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    found = np.load(tmp_path / "said.npy")
    assert np.abs(found - verification.outputs_of(model, x)[0]).max() < 1e-5


@pytest.mark.portable
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_halves_the_file(model, dtype, tmp_path):
    whole = export(model, tmp_path / "whole.keras", verify=False)
    report = export(model, tmp_path / "net.keras", dtype=dtype)
    assert report.bytes < whole.bytes - 1.9 * model.count_params()
    assert whole.difference is None
    assert report.relative < verification.TOLERANCES[dtype]


@pytest.mark.portable
def test_pixels_go_in_where_the_rule_is_part_of_the_graph(model, tmp_path):
    rule = keras_resnet.weights.ImageRule(size=32, crop_pct=0.8)
    pixels = samples.sample_images((50, 40, 3), "uint8")
    report = export(
        model, tmp_path / "net.keras", preprocessing=rule, image_size=(50, 40), images=pixels
    )
    assert report.relative < 1e-4
    metadata = read_metadata(report.path)
    assert metadata["input"] == {"name": "image", "shape": [None, 50, 40, 3], "dtype": "uint8"}
    assert metadata["preprocessing"]["crop_pct"] == 0.8
    (found,) = open_exported(report.path)(pixels)
    assert found.shape == (4, 10)


@pytest.mark.portable
def test_a_report_is_json():
    report = verification.Report("net.onnx", "onnx", "float32", 10, 0.5, 0)
    assert json.loads(json.dumps(report.as_dict()))["format"] == "onnx"
