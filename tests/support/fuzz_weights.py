"""Loads damaged copies of files, with a limit on memory: `python fuzz_weights.py COUNT FILE...`.

Each copy is cut short, or has bits flipped, bytes overwritten or a stretch repeated, near its
beginning (where headers are) or anywhere. Loading one must either succeed with numbers that are
finite or raise ValueError, within seconds. Anything else ends the process with an error.
"""

import resource
import sys
import time
from pathlib import Path

import keras
import numpy as np

import keras_resnet

TINY = keras_resnet.Architecture("bottleneck", (1, 1), 4, "imagenet", "B")
EXTRA_MEMORY = 2**30
SECONDS = 10


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    end = len(data) if rng.random() < 0.5 else min(len(data), 1000)
    tail = rng.random() < 0.2 and len(data) > 1000
    at = int(rng.integers(len(data) - 1000, len(data)) if tail else rng.integers(end))
    kind = rng.integers(4)
    if kind == 0:
        return bytes(data[:at])
    if kind == 1:
        for place in rng.integers(0, end, rng.integers(1, 20)):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 2:
        data[at : at + 8] = rng.choice(
            [b"\xff" * 8, b"\0" * 8, rng.bytes(8), b"\x7f" + b"\xff" * 7]
        )
    else:
        data[at:at] = data[at : at + int(rng.integers(1, 64))]
    return bytes(data)


def fuzz(model, source: Path, count: int) -> None:
    content = source.read_bytes()
    target = source.with_name(f"damaged{source.suffix}")
    refused = 0
    for number in range(count):
        target.write_bytes(damaged(content, np.random.default_rng(number)))
        start = time.perf_counter()
        try:
            keras_resnet.load_weights(model, target)
        except ValueError:
            refused += 1
        except BaseException as error:
            print(f"{source.name}, copy {number}: {type(error).__name__}: {error}")
            raise
        if time.perf_counter() - start > SECONDS:
            raise SystemExit(f"{source.name}, copy {number} took more than {SECONDS} s")
        for variable in model.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(variable.value)).all():
                raise SystemExit(f"{source.name}, copy {number} was loaded and is not finite")
    print(f"{source.name}: {count} copies, {refused} refused")


def main(count: int, files: list[Path]) -> None:
    model = keras_resnet.build(TINY, weights=None, classes=5)
    for file in files:
        keras_resnet.load_weights(model, file)  # imports what reads it, before memory is limited
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + EXTRA_MEMORY,) * 2)
    for file in files:
        fuzz(model, file, count)


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
