"""Writes the files that tests compare with: run it where a change of a network is meant.

    python tools/golden.py            # all of them
    python tools/golden.py gradients  # or some

Logits and gradients come from PyTorch in double precision: a yardstick ten thousand times
finer than what the tests allow a backend in single precision.
"""

import argparse
import json
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import keras  # noqa: E402
from support import EVERY  # noqa: E402
from support.facts import facts  # noqa: E402
from support.golden_cases import (  # noqa: E402
    FOLDER,
    GRADIENTS,
    LOGITS,
    MODES,
    gradients_of,
    logits_of,
    variables_of,
)
from support.training import twenty_steps  # noqa: E402

from keras_resnet.networks.family import FAMILY  # noqa: E402


def main() -> None:
    files = {
        "family": (FAMILY, lambda: {name: vars(facts(name).costs) for name in EVERY}),
        "variables": (
            FOLDER / "variables.json",
            lambda: {name: variables_of(name) for name in EVERY},
        ),
        "logits": (FOLDER / "logits.json", all_logits),
        "gradients": (FOLDER / "gradients.json", all_gradients),
        "training": (FOLDER / "training.json", training_steps),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="*", help=f"some of {', '.join(files)}; all by default")
    asked = parser.parse_args().files or list(files)
    if unknown := set(asked) - set(files):
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(files)}")
    for name in asked:
        path, content = files[name]
        write(path, content())


def in_double_precision(function):
    """Runs a function under the float64 policy, and puts the former back."""

    def run():
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        try:
            return function()
        finally:
            keras.config.set_floatx("float32")
            keras.config.set_dtype_policy("float32")

    return run


@in_double_precision
def all_logits() -> dict:
    return {key: shortened(logits_of(case).tolist()) for key, case in LOGITS.items()}


@in_double_precision
def all_gradients() -> dict:
    return {
        f"{key} {mode}": {
            path: shortened(pair)
            for path, pair in gradients_of(GRADIENTS[key], mode == "training").items()
        }
        for key, mode in MODES
    }


@in_double_precision
def training_steps() -> dict:
    return {key: shortened(values) for key, values in twenty_steps().items()}


def shortened(value):
    """Nine digits: more than single precision has."""
    if isinstance(value, list | tuple):
        return [shortened(part) for part in value]
    return float(f"{value:.9g}")


def write(path: pathlib.Path, content: dict) -> None:
    """One line a key, and never half a file."""
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(part)}" for key, part in content.items())
    half = path.with_suffix(".part")
    half.write_text(f"{{\n{lines}\n}}\n")
    os.replace(half, path)
    print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
