"""Damages files of every kind that the package reads, for as long as asked.

PYTHONPATH=. KERAS_BACKEND=jax python tools/fuzz.py --seconds 600 [--seed 0] [--keep DIR]

Bits are flipped, bytes overwritten, cut or repeated, near the beginning, near the end or anywhere.
A reader must give what the sound file holds, or something else where the format has no checksum, or
raise one of its own errors, within ten seconds and 300 MB. What does not is printed, and kept if
asked; the exit status is 1 then.
"""

import argparse
import importlib.util
import io
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import keras_resnet
from keras_resnet.data import open_images
from keras_resnet.data.decoding import decoded
from keras_resnet.report.runs import read_run
from keras_resnet.training import DamagedError
from keras_resnet.training.checkpoints import Checkpoint, Checkpoints
from keras_resnet.weights import DIALECTS
from keras_resnet.weights.save import arrays_of

SECONDS, MEGABYTES = 10, 300
TINY = keras_resnet.Architecture("bottleneck", (1, 1), 4, "imagenet", "B")
# Weights by the name of a file: the dialect, whether it has checksums, and one in how many rounds
# has a copy: what another process reads first takes a quarter of a second.
WEIGHTS = {
    "weights.npz": ("torchvision", True, 1),
    "weights.safetensors": ("timm", False, 1),
    "weights.pth": ("torchvision", True, 1),
    "legacy.th": ("akamaster", False, 1),
    "weights.h5": ("keras", False, 10),
    "own.weights.h5": ("", False, 10),
}


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Args:
        name: of a sound file.
        content: of it.
        read: from its path to what it holds, for `numpy.testing`.
        errors: that its reader may raise.
        checked: whether its format has checksums: then nothing else may be read.
        every: one in how many rounds has a copy of it.
    """

    name: str
    content: bytes
    read: Callable[[Path], object]
    errors: tuple[type[Exception], ...] = (ValueError,)
    checked: bool = False
    every: int = 1


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to three kinds of damage."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = place(len(data), rng)
        kind = rng.integers(5)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at : at + 1] = bytes([(data[at : at + 1] or b"\0")[0] ^ 1 << int(rng.integers(8))])
        elif kind == 2:
            data[at : at + 8] = rng.choice([b"\xff" * 8, b"\0" * 8, rng.bytes(8), b"\x7f\xff" * 4])
        elif kind == 3:
            data[at:at] = data[at : at + int(rng.integers(1, 64))]
        else:
            del data[at : at + int(rng.integers(1, 64))]
    return bytes(data)


def place(size: int, rng: np.random.Generator) -> int:
    """Headers are at the beginning, directories at the end."""
    near = min(size, 400)
    start = (0, max(0, size - near), 0)[rng.integers(3)]
    return int(start + rng.integers(max(1, near if rng.random() < 0.7 else size - start)))


def targets(folder: Path) -> list[Target]:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), "uint8")
    found = []
    for suffix in ("png", "jpeg", "gif", "bmp", "webp"):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, suffix)
        read = lambda path: decoded(path.read_bytes(), path.name)  # noqa: E731
        found.append(Target(f"image.{suffix}", file.getvalue(), read))
    kept = Checkpoints(folder / "sound")
    kept.save(Checkpoint(1, {"a": np.arange(99.0), "b": np.ones(3)}, {"rows": []}))

    def latest(path: Path):
        checkpoint = Checkpoints(path.parent).latest()
        return {} if checkpoint is None else checkpoint.arrays

    whole = kept.path(1).read_bytes()
    found.append(Target(kept.path(1).name, whole, latest, (DamagedError,), checked=True))
    text = b'{"networks": {"cifar_resnet8": {"parameters": 78042}}, "seconds": 1.5}'
    found.append(Target("results.json", text, lambda path: read_run(path.parent).record))
    return found + archives(folder, found[0].content) + weights(folder)


def weights(folder: Path) -> list[Target]:
    """A file of weights of each kind whose package is there."""
    model = keras_resnet.build(TINY, weights=None, classes=5)
    have_torch = importlib.util.find_spec("torch") is not None

    def read(path: Path):
        keras_resnet.load_weights(model, path)
        return {v.path: keras.ops.convert_to_numpy(v.value).copy() for v in model.weights}

    found = []
    for name, (dialect, checked, every) in WEIGHTS.items():
        if name.endswith("th") and not have_torch:
            continue
        if dialect == "akamaster":
            write_legacy(model, folder / name, dialect)
        elif dialect:
            keras_resnet.save_weights(model, folder / name, dialect)
        else:
            model.save_weights(folder / name)
        content = (folder / name).read_bytes()
        found.append(Target(name, content, read, checked=checked, every=every))
    return found


def write_legacy(model: keras.Model, path: Path, dialect: str) -> None:
    """A checkpoint in the pickle that torch wrote before it wrote zips."""
    import torch

    arrays = arrays_of(model, DIALECTS[dialect])
    state = {f"module.{name}": torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=False)


def archives(folder: Path, content: bytes) -> list[Target]:
    """A zip and a tar of class folders."""
    import tarfile
    import zipfile

    names = ("cat/a.jpg", "dog/b.jpg")
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for name in names:
            archive.writestr(name, content)
    with tarfile.open(folder / "images.tar", "w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))

    def read(path: Path):
        images = open_images(path)
        return [images.read(i) for i in range(len(images))]

    errors = (ValueError, EOFError, OSError)
    return [
        Target(name, (folder / name).read_bytes(), read, errors)
        for name in ("images.zip", "images.tar")
    ]


def used_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tried(target: Target, path: Path, right: object) -> str:
    """What became of a damaged file: "read", "refused", "changed", or a complaint."""
    before, started = used_megabytes(), time.monotonic()
    try:
        found = target.read(path)
    except target.errors:
        outcome = "refused"
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    else:
        outcome = "read" if same(found, right) else "changed"
    if time.monotonic() - started > SECONDS:
        return f"took {time.monotonic() - started:.0f} s"
    if used_megabytes() - before > MEGABYTES:
        return f"took {used_megabytes() - before:.0f} MB"
    if outcome == "changed" and target.checked:
        return "was read as something else"
    return outcome


def same(found: object, right: object) -> bool:
    try:
        np.testing.assert_equal(found, right)
    except AssertionError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the files that found a fault")
    options = parser.parse_args()
    counts: dict[str, Counter] = {}
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = targets(folder)
        right = {}
        for target in kinds:
            path = folder / target.name
            path.write_bytes(target.content)
            right[target.name] = target.read(path)
            path.unlink()
        number, end = options.seed * 1_000_000, time.monotonic() + options.seconds
        while time.monotonic() < end:
            number += 1
            for target in (kind for kind in kinds if number % kind.every == 0):
                path = folder / target.name
                path.write_bytes(damaged(target.content, np.random.default_rng(number)))
                outcome = tried(target, path, right[target.name])
                if outcome not in ("read", "refused", "changed"):
                    faults += 1
                    print(f"{target.name}, copy {number}: {outcome}")
                    if options.keep:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        (options.keep / f"{number}-{target.name}").write_bytes(path.read_bytes())
                    outcome = "faulty"
                path.unlink(missing_ok=True)
                counts.setdefault(target.name, Counter())[outcome] += 1
    for name, count in counts.items():
        print(name, dict(count), flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
