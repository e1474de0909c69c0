"""Runs Keras' own tests of the version installed with the classes of this package in Keras' place.

python tools/keras_own_tests.py
python tools/keras_own_tests.py --only normalization --repeat 10
python tools/keras_own_tests.py --applications

The tests come with Keras' source distribution, which pip fetches; none is kept. They are not
seeded, so they are repeated. Exits with an error where one fails.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import keras

ROOT = Path(__file__).parent.parent
LAYERS = {
    "layers/convolutional/conv_test.py": "",
    "layers/pooling/max_pooling_test.py": "",
    "layers/pooling/average_pooling_test.py": "",
    "layers/normalization/batch_normalization_test.py": "",
}
APPLICATIONS = {"applications/applications_test.py": "ResNet or VGG"}
# Tests look a class up in the module that they import, when they are imported themselves.
PLUGIN = """
import keras
import keras.src.layers as layers
from keras.src.applications import resnet, resnet_v2, vgg16, vgg19

import keras_resnet

for name in ("Conv2D", "MaxPooling2D", "AveragePooling2D", "BatchNormalization"):
    setattr(layers, name, getattr(keras_resnet.layers, name))
for module in (resnet, resnet_v2, vgg16, vgg19):
    for name in ("ResNet", "VGG"):
        for builder in [key for key in vars(module) if key.startswith(name) and key != name]:
            setattr(module, builder, getattr(keras_resnet, builder, getattr(module, builder)))
"""


def fetched(folder: Path) -> Path:
    """Keras' source, of the version installed."""
    wanted = f"keras=={keras.__version__}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary"]
    subprocess.run([*command, ":all:", "--dest", folder, wanted], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "keras" / "src"


def run(source: Path, files: dict[str, str], backend: str, folder: Path) -> bool:
    """Runs files of tests, out of Keras' tree: they import what is installed."""
    (folder / "in_place_of_keras.py").write_text(PLUGIN)
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
    }
    passed = True
    for file, chosen in files.items():
        copy = folder / Path(file).name
        copy.write_bytes((source / file).read_bytes())
        command = [sys.executable, "-m", "pytest", "--quiet", "-W", "ignore"]
        command += ["-p", "in_place_of_keras", "--rootdir", folder, "-k", chosen, copy.name]
        passed &= subprocess.run(command, cwd=folder, env=environment).returncode == 0
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    backends = ("tensorflow", "jax", "torch")
    parser.add_argument("--backends", nargs="+", choices=backends, default=backends)
    parser.add_argument("--repeat", type=int, default=1, help="how often, for unseeded tests")
    parser.add_argument("--applications", action="store_true", help="those of the builders")
    parser.add_argument("--only", default="", help="part of the name of a file of tests")
    options = parser.parse_args()
    files = APPLICATIONS if options.applications else LAYERS
    files = {file: chosen for file, chosen in files.items() if options.only in file}
    failed = []
    with tempfile.TemporaryDirectory() as name:
        source = fetched(Path(name))
        for backend in options.backends:
            for number in range(1, options.repeat + 1):
                print(f"{backend}, run {number} of {options.repeat}", flush=True)
                if not run(source, files, backend, Path(name)):
                    failed.append(f"{backend}, run {number}")
    print(f"Failed: {'; '.join(failed)}" if failed else "All passed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
