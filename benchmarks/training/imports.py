"""How long `import keras_resnet` takes beside `import keras`, each in a fresh process."""

import os
import subprocess
import sys

PROGRAM = "import time; a = time.perf_counter(); import {}; print(time.perf_counter() - a)"
MODULES = ("keras", "keras_resnet")


def seconds(module: str, backend: str) -> float:
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module)],
        capture_output=True,
        text=True,
        env=environment,
    )
    if ran.returncode:
        raise ImportError(ran.stderr.strip().splitlines()[-1])
    return float(ran.stdout.splitlines()[-1])


def run(backend: str, rounds: int, record: dict, say) -> None:
    """Fills `record` with seconds of both imports, in turns, after one of each that counts not."""
    record.update(backend=backend, seconds={module: [] for module in MODULES})
    try:
        for number in range(rounds + 1):
            for module in MODULES:
                taken = seconds(module, backend)
                if number:
                    record["seconds"][module].append(taken)
    except ImportError as error:
        record["error"] = str(error)
        say(f"  failed: {error}")
        return
    last = "  ".join(f"{module} {times[-1]:.2f} s" for module, times in record["seconds"].items())
    say(f"  last of {rounds} rounds: {last}")
