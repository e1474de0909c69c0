"""Changes the code in ways that must not pass unnoticed, and says which the tests let through.

python tools/mutations.py             # all; some minutes
python tools/mutations.py response    # those whose file or tests hold this text

A row is a file, what stands there, what is put in its place, the backend, and the tests that must
fail. Each is tried in a copy of the tree. The exit status is the number of mutations that survived.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Mutation(NamedTuple):
    """One change of the code that a test must notice."""

    path: str
    before: str
    after: str
    backend: str
    tests: str

    def __str__(self):
        return f"{self.path}: {self.before!r} -> {self.after!r} ({self.backend})"


# fmt: off
MUTATIONS = [Mutation(*row) for row in [
    ("layers/torch/units.py", "beta is None else torch.addcmul(beta, shift, scale)",
     "True else torch.addcmul(beta, shift, scale)", "torch", "tests/layers"),
    ("layers/torch/units.py", "shift = -mean if bias is None else bias - mean", "shift = -mean",
     "torch", "tests/layers"),
    ("layers/fusion.py", "unit.overwrites = unit.other != unit.source and unit.other not in shared",
     "unit.overwrites = True", "torch", "tests/layers"),
    ("layers/torch/units.py",
     "overwrites = unit.overwrites and isinstance(values.data[unit.other], Map)",
     "overwrites = True", "torch", "tests/layers"),
    ("layers/fusion.py", 'return fits and is_a(before, "relu") and plain_relu(before.operation)',
     "return fits", "torch", "tests/layers"),
    ("layers/fusion.py", "2 * width[0] <= size", "True", "torch", "tests/layers"),
    ("layers/response.py", 'wide = "float32" if', 'wide = self.compute_dtype if', "torch",
     "tests/networks/test_systems_layers.py"),
    ("networks/assembly.py", "epsilon=1e-5", "epsilon=1.001e-5", "torch", "tests/networks"),
    ("networks/resnet.py", 'layers.AveragePooling2D(2, padding="same", name=f"{name}_pool")',
     'layers.AveragePooling2D(2, name=f"{name}_pool")', "torch", "tests/networks"),
    ("training/losses.py", "targets > self.threshold", "targets >= self.threshold", "torch",
     "tests/training/test_losses.py"),
    ("training/loop.py", 'array.dtype.kind == "f" and not np.isfinite', "False and not np.isfinite",
     "torch", "tests/training"),
    ("common/files.py", "        flush(temporary)\n        os.replace(temporary, path)",
     "        os.replace(temporary, path)\n        flush(path)", "torch",
     "tests/common/test_files.py"),
    ("common/files.py", "        flush(path.parent, recursive=False)\n", "", "torch",
     "tests/common/test_files.py"),
    ("training/processes.py", "if error is None and failed:", "if False:", "torch",
     "tests/training"),
    ("training/processes.py", "self.index * SEED_STEP, 0", "0, 0", "torch", "tests/training"),
    ("training/torch/distribution.py", "seed + self.index * SEED_STEP", "seed", "torch",
     "tests/training"),
    ("data/pixels.py", '"uint8") if bounded else', '"uint8") if True else', "tensorflow",
     "tests/data"),
    ("data/pixels.py", "tf.cast(x + 0.5,", "tf.cast(x,", "tensorflow", "tests/data"),
    ("data/pixels.py", "half_pixel_centers=True", "half_pixel_centers=False", "tensorflow",
     "tests/data"),
    ("data/augmentation.py", "(0.2175, 0.0188, 0.0045)", "(0.2175, 0.0188, 0.0054)", "torch",
     "tests/data"),
    ("data/augmentation.py", "uniform[:, 0] < 0.5", "uniform[:, 0] < 0.4", "torch", "tests/data"),
    ("data/augmentation.py", "x += shift", "x -= shift", "tensorflow", "tests/data"),
    ("data/randaugment.py", "19595.0, 38470.0", "19595.0, 38471.0", "tensorflow", "tests/data"),
    ("data/windows.py", "shorter[1] - shorter[0] + 1", "shorter[1] - shorter[0]", "torch",
     "tests/data"),
    ("evaluation/sums.py", "1 / (len(found) * len(shown))", "1 / len(found)", "torch",
     "tests/evaluation"),
    ("evaluation/progress.py", 'if self["done"][index]:', "if False:", "torch",
     "tests/evaluation"),
    ("evaluation/run.py", "    finally:\n        progress.save()", "    finally:\n        pass",
     "torch", "tests/evaluation"),
    ("weights/convert.py", '"float64") + (dialect.epsilon - entry.epsilon)', '"float64")',
     "torch", "tests/weights"),
    ("weights/records.toml", "sha256:773525d5821de224", "sha256:773525d5821de225", "torch",
     "tests/weights"),
    ("common/zips.py", "if found > MOST_ENTRIES:", "if False:", "torch", "tests/common"),
]]
# fmt: on


def survives(mutation: Mutation, folder: pathlib.Path) -> bool:
    """Whether the tests pass in a copy of the tree with the mutation."""
    path = folder / "keras_resnet" / mutation.path
    text = path.read_text()
    if text.count(mutation.before) != 1:
        raise SystemExit(f"There must be one such place: {mutation}")
    path.write_text(text.replace(mutation.before, mutation.after))
    environment = os.environ | {"KERAS_BACKEND": mutation.backend, "PYTHONPATH": str(folder)}
    environment |= {"KERAS_RESNET_ONCE": mutation.backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", mutation.tests]
    ran = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=folder, env=environment, capture_output=True
    )
    path.write_text(text)
    if ran.returncode not in (0, 1):
        raise SystemExit(ran.stdout.decode()[-2000:])
    return ran.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pattern", nargs="?", default="", help="part of a file's or tests' path")
    pattern = parser.parse_args().pattern
    survived = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary, "tree")
        ignored = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=ignored)
        for mutation in MUTATIONS:
            if pattern in f"{mutation.path} {mutation.tests}":
                outcome = survives(mutation, folder)
                survived += outcome
                print("SURVIVED" if outcome else "noticed ", mutation, flush=True)
    print(f"{survived} survived")
    return survived


if __name__ == "__main__":
    sys.exit(main())
