"""The command line on a user's mistakes: status 2 and a message that names the file."""

import io
import json
import re
import shutil
import struct
import zipfile
import zlib

import keras
import numpy as np
import pytest
from support import BACKEND
from support.terminal import in_a_terminal

import keras_resnet
from keras_resnet import commands as cli
from keras_resnet.exporting import FORMATS, export

pytestmark = pytest.mark.portable


class Own(keras.layers.Layer):
    def call(self, x):
        return x


# Keras looks a class up where it is from.
Own.__module__ = "code_of_their_own"


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A gray PNG file (w3.org/TR/png-3): the header is right, the chunks are as given."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    made = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (header, *chunks)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder of what users have lying about."""
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path_factory.mktemp("there")
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), "uint8")
    image.fromarray(pixels).save(folder / "noise.png")
    (folder / "val" / "cat").mkdir(parents=True)
    shutil.copy(folder / "noise.png", folder / "val" / "cat")
    with io.BytesIO() as jpeg:
        image.fromarray(pixels).save(jpeg, "jpeg")
        (folder / "half.jpg").write_bytes(jpeg.getvalue()[:700])
    (folder / "huge.png").write_bytes(png(20_000, 20_000, (b"IDAT", b"")))
    (folder / "damaged.png").write_bytes(png(32, 32, (b"IDAT", zlib.compress(b"short")))[:-6])
    (folder / "text.png").write_text("no image")
    for name in ("garbage.onnx", "garbage.xml", "garbage.tflite", "garbage.pt2", "garbage.keras"):
        (folder / name).write_text("no network")
    with zipfile.ZipFile(folder / "zip.keras", "w") as members:
        members.writestr("notes.txt", "no network")
    rule = keras_resnet.weights.ImageRule(size=8, crop_pct=1.0)
    model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3))
    options = {"preprocessing": rule, "image_size": 8, "verify": False}
    for name, batch in (("pixels.keras", "dynamic"), ("three.keras", 3)):
        export(model, folder / name, batch=batch, **options)
    for name in ("damaged", "three"):
        (folder / name / "assets.extra").mkdir(parents=True)
        (folder / name / "saved_model.pb").write_text("no network")
        told = {"input": {"shape": [None if name == "damaged" else 3, 8, 8, 3], "dtype": "uint8"}}
        told |= {"outputs": [{"shape": [None, 10]}], "class_names": None}
        (folder / name / "assets.extra" / "keras_resnet.json").write_text(json.dumps(told))
    image = keras.Input((8, 8, 3))
    keras.Model(image, Own()(image)).save(folder / "own.keras")
    (folder / "empty.npy").write_bytes(b"")
    (folder / "text.npy").write_text("no images")
    np.savez(folder / "several.npz", images=pixels)
    return folder


NET = ["cifar_resnet8", "net.keras", "--weights", "none"]
FILE = ["--file", "pixels.keras"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "resnet51"], r"Received: 'resnet51'. Did you mean"),
        (
            ["show", "resnet18", "--size", "big"],
            r"HEIGHTxWIDTH of 1 to 65,535 pixels. Received: 'big'",
        ),
        (["export", "cifar_resnet8", "net.h5", "--weights", "none"], r"pass `format`, one of"),
        (["export", "cifar_resnet8", "net.keras"], r"pass --weights FILE or --weights none"),
        (["export", "missing.keras", "net.onnx"], r"There is no saved model missing.keras"),
        (["export", "cifar_resnet8", "n.keras", "--weights", "none", "--pixels"], r"--pixels SET"),
        (["export", "resnet18", "n.onnx", "--size", "1"], r"at least 32 pixels .*=\(1, 1, 3\)"),
        (["convert", "resnet18", "missing.pth", "a.npz"], r"Received: weights='missing.pth'"),
        (["predict", "missing.jpg"], r"There is no such image: missing.jpg"),
        (["predict", "noise.png", "--file", "missing.onnx"], r"missing.onnx"),
        (["benchmark", "cifar_resnet8", "--batch", "0"], r"a positive integer. Received: '0'"),
        (["benchmark", "resnet51"], r"Received: 'resnet51'"),
        (["export", *NET, "--batch", "0"], r"a positive integer. Received: '0'"),
        (["export", *NET, "--images", "empty.npy"], r"empty.npy must be a .npy, one array"),
        (["export", *NET, "--images", "text.npy"], r"text.npy must be a .npy, one array"),
        (["export", *NET, "--images", "several.npz"], r"several.npz must .*Received: a .npz"),
        (["export", *NET, "--images", "missing.npy"], r"No such file.*missing.npy"),
        *(
            (
                [*command, *rest],
                rf"{command[-1]} cannot be loaded. A model must be a .keras .*(\w+Err|BadZip)",
            )
            for name in ("own.keras", "zip.keras", "garbage.keras")
            for command, rest in [
                (["export", name], ["net.onnx"]),
                (["benchmark", name], []),
                (["evaluate", name], ["--data", "val"]),
            ]
        ),
        *(
            (["predict", name, *FILE], rf"{name} cannot be read as an image: {why}")
            for name, why in [
                ("huge.png", r"DecompressionBombError: .*400000000 pixels"),
                ("damaged.png", r"\w+Error"),
                ("text.png", r"UnidentifiedImageError"),
                ("half.jpg", r"OSError: .*truncated"),
            ]
        ),
        (["predict", ".", *FILE], r"An image must be a file"),
        *(
            (command, rf"garbage{row.suffix} (cannot be read as format '{name}'|holds no metadata)")
            for name, row in FORMATS.items()
            if row.suffix
            for command in [
                ["predict", "noise.png", "--file", f"garbage{row.suffix}"],
                ["benchmark", f"garbage{row.suffix}"],
            ]
            if command != ["benchmark", "garbage.keras"]
        ),
        (["predict", "noise.png", "--file", "."], r"holds no metadata"),
        (["predict", "noise.png", "--file", "three.keras"], r"three.keras takes 3 images a call"),
        (
            ["benchmark", "three"],
            r"three takes 3 images a call: pass --batch 3. Received: --batch 8",
        ),
    ],
)
@pytest.mark.once
def test_a_mistake_ends_with_2_and_a_message_without_a_traceback(
    arguments, message, there, capsys, monkeypatch
):
    monkeypatch.chdir(there)
    before = sorted(there.rglob("*"))
    try:
        status = cli.main(arguments)
    except SystemExit as ended:
        status = ended.code
    shown = capsys.readouterr().err
    assert status == 2
    assert re.search(message, shown)
    assert "Traceback" not in shown
    assert sorted(there.rglob("*")) == before


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow reads it")
def test_a_damaged_saved_model_is_named(there, capsys, monkeypatch):
    monkeypatch.chdir(there)
    assert cli.main(["benchmark", "damaged"]) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.once
def test_an_error_of_the_program_ends_with_1_and_shows_where():
    done = in_a_terminal(
        "list", before="import keras_resnet.commands.list as it; it.list_models = 3"
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.once
def test_an_interrupted_command_ends_with_130_and_says_nothing():
    stopped = """
import keras_resnet.commands.list as it
def list_models(pattern):
    raise KeyboardInterrupt
it.list_models = list_models
"""
    done = in_a_terminal("list", before=stopped)
    assert (done.returncode, done.stdout) == (130, "")
    assert "Traceback" not in done.stderr
