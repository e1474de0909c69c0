"""The acceptance run on a GPU: what the docs promise of one, in at most nine minutes.

    python -m benchmarks.gpu --out gpu.json                # on an H100
    python -m benchmarks.gpu --data cifar10-archive        # where Keras cannot download CIFAR-10
    python -m benchmarks.gpu --device cpu --tiny           # does every part run here?

Each part is a process of its own with a time limit. Its line, JSON, is printed and saved when it
ends, so that a run that is cut still tells; a part that fails says so in its line, and the next one
begins. The exit status is 1 where a part failed.
"""

import argparse
import contextlib
import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from benchmarks.common import machine, records

LIMIT = 540  # seconds, of all parts together
# The most that each may take on an H100, compiling included; none is measured.
SECONDS = {
    **{"environment": 10, "numbers": 40, "train_torch": 120, "train_jax": 70},
    **{"train_tensorflow": 70, "infer_torch": 60, "two_processes": 30, "resume": 60},
    "cifar10": 120,
}
TORCH = "ours,ours-compiled,torchvision,torchvision-compiled"
CIFAR = ["recipes/cifar10.py", "--recipe", "fast"]


class Parts:
    """What is run, in this order: the methods that `SECONDS` names.

    Args:
        chosen: the command line.
        folder: for what parts write.
    """

    def __init__(self, chosen: argparse.Namespace, folder: pathlib.Path):
        self.chosen, self.folder, self.end = chosen, folder, 0.0

    def run(self, name: str, seconds: float) -> dict:
        self.end = time.monotonic() + seconds
        return getattr(self, name)()

    def environment(self) -> dict:
        return records.header("benchmarks.gpu", self.chosen.arguments)

    def numbers(self) -> dict:
        return json.loads(self.python(["-m", "benchmarks.gpu", "--numbers", *self.device()]))

    def train_torch(self) -> dict:
        return self.rates("torch", "resnet50v1.5", "train", TORCH)

    def train_jax(self) -> dict:
        return self.rates("jax", "resnet50v1.5", "train", "ours,flax")

    def train_tensorflow(self) -> dict:
        return self.rates("tensorflow", "resnet50", "train", "ours,keras.applications")

    def infer_torch(self) -> dict:
        return self.rates("torch", "resnet50v1.5", "infer", TORCH)

    def two_processes(self) -> dict:
        """Synchronized batch normalization by the sums of two processes."""
        if self.chosen.device == "gpu" and len(machine.gpus()) < 2:
            return {"skipped": "NCCL wants a GPU for each process, and there is one"}
        start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        return self.recipe("together", [*start, *CIFAR, "--smoke", "--distribute", "ddp"])

    def resume(self) -> dict:
        """A run that was killed ends as one that was not."""
        command = [*CIFAR, "--smoke", "--steps", "16"]
        whole = self.recipe("whole", command)
        out = self.folder / "killed"
        with self.started([*command, "--out", str(out)]) as process:
            while process.poll() is None and not list(out.glob("checkpoints/*.npz")):
                time.sleep(0.01)
                self.left()
            kill(process)
        again = self.recipe("killed", command)
        return {"whole": whole["loss"], "resumed": again["loss"], "same": whole == again}

    def cifar10(self) -> dict:
        """As far as the time lasts: 8.75 % is the paper's error of ResNet-20."""
        command = [*CIFAR, "--precision", "mixed_bfloat16"]
        command += ["--smoke"] if self.chosen.tiny else ["--data", self.chosen.data]
        with contextlib.suppress(TimeoutError):
            return self.recipe("cifar10", command)
        return {"out_of_time": True, **last_row(self.folder / "cifar10")}

    # ---- processes ------------------------------------------------------------------------

    def device(self) -> list[str]:
        return ["--device", self.chosen.device, *(["--tiny"] if self.chosen.tiny else [])]

    def left(self) -> float:
        if (seconds := self.end - time.monotonic()) <= 0:
            raise TimeoutError("the part took longer than it may")
        return seconds

    @contextlib.contextmanager
    def started(self, command: list[str], backend: str = "torch"):
        errors = (self.folder / "errors.txt").open("w+")
        process = subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            kill(process)
            process.stdout.close()
            errors.close()

    def python(self, command: list[str], backend: str = "torch") -> str:
        """What a program prints."""
        with self.started(command, backend) as process:
            try:
                printed, _ = process.communicate(timeout=self.left())
            except subprocess.TimeoutExpired:
                raise TimeoutError("the part took longer than it may") from None
        if process.returncode:
            words = (self.folder / "errors.txt").read_text().strip()
            raise RuntimeError(f"exit status {process.returncode}: {words[-500:]}")
        return printed

    def recipe(self, name: str, command: list[str]) -> dict:
        self.python([*command, "--out", str(self.folder / name)])
        return last_row(self.folder / name)

    def rates(self, backend: str, net: str, mode: str, contenders: str) -> dict:
        """Images per second of each contender, by benchmarks.training.throughput."""
        out = self.folder / f"{backend}-{mode}.json"
        if self.chosen.tiny:  # on a CPU compilers take minutes
            net = "resnet18"
            contenders = ",".join(n for n in contenders.split(",") if "compiled" not in n)
        command = ["-m", "benchmarks.training.throughput", "--device", self.chosen.device]
        command += ["--backend", backend, "--net", net, "--mode", mode, "--dtype", "bfloat16"]
        command += ["--contenders", contenders, "--out", str(out)]
        if self.chosen.tiny:
            command += ["--quick", "--size", "32", "--steps", "1", "--no-restart"]
        else:
            command += ["--rounds", "2", "--steps", "20"]
        try:
            self.python(command, backend)
        finally:
            found = json.loads(out.read_text())["groups"] if out.exists() else []
        return {
            f"{entry['contender']} {entry['dtype']}": entry["rates"]
            or entry.get("error")
            or f"missing: {', '.join(entry.get('missing', ['a result']))}"
            for group in found
            for entry in group["entries"]
        }


def kill(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_row(folder: pathlib.Path) -> dict:
    """The end of a run's table, without what depends on the clock."""
    log = folder / "log.csv"
    rows = list(csv.DictReader(log.read_text().splitlines())) if log.exists() else []
    row = rows[-1] if rows else {}
    return {name: float(row[name]) for name in ("step", "loss", "test_top1_error") if row.get(name)}


def numbers(device: str, tiny: bool) -> dict:
    """Largest difference of logits from a CPU's in float32, as a part of the largest of them."""
    import keras
    import numpy as np
    import torch

    import keras_resnet

    side, images = (64, 2) if tiny else (224, 16)
    shape, found = (side, side, 3), {}
    x = np.random.default_rng(0).normal(size=(images, *shape)).astype("float32")
    with keras.device("cpu"):
        reference = keras_resnet.build("resnet50", input_shape=shape, classifier_activation=None)
        expected = reference.predict(x, verbose=0)
    for name in ("float32", "tf32", "mixed_bfloat16"):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = name == "tf32"
        keras.config.set_dtype_policy("float32" if name == "tf32" else name)
        with keras.device("cuda" if device == "gpu" else "cpu"):
            model = keras_resnet.build("resnet50", input_shape=shape, classifier_activation=None)
            model.set_weights(reference.get_weights())
            logits = model.predict(x, verbose=0)
        found[name] = float(np.abs(logits - expected).max() / np.abs(expected).max())
    return found


def lines_of(parts: Parts, names: list[str], limit: float, keep: Callable[[dict], None]) -> bool:
    """Runs parts one after the other and keeps the line of each; whether all went well."""
    end, good = time.monotonic() + limit, True
    for name in names:
        begun = time.monotonic()
        try:
            line = parts.run(name, min(end - begun, SECONDS[name] * parts.chosen.patience))
        except Exception as error:  # whatever it is, the other parts are still to be run
            line, good = {"failed": f"{type(error).__name__}: {error}"}, False
        keep({"part": name, "seconds": round(time.monotonic() - begun, 1), **line})
    return good


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, every = parser.add_argument, list(SECONDS)
    add("--device", choices=("cpu", "gpu"), default="gpu")
    add("--tiny", action="store_true", help="few and small images: does every part run?")
    add("--parts", nargs="+", choices=every, default=every)
    add("--data", default="", help="folder or archive of CIFAR-10; by default Keras downloads it")
    add("--out", type=pathlib.Path, default=pathlib.Path("gpu.json"))
    add("--numbers", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.numbers:
        print(json.dumps(numbers(chosen.device, chosen.tiny)))
        return 0
    if chosen.device == "gpu" and not machine.gpus():
        parser.error("no NVIDIA GPU is visible here. --device cpu --tiny tries the parts")
    chosen.arguments, chosen.patience = arguments, 1 if chosen.device == "gpu" else 3
    run: dict = {"lines": []}

    def keep(line: dict) -> None:
        print(json.dumps(line), flush=True)
        run["lines"].append(line)
        records.save(chosen.out, run)

    with tempfile.TemporaryDirectory() as folder:
        parts = Parts(chosen, pathlib.Path(folder))
        return 0 if lines_of(parts, chosen.parts, LIMIT * chosen.patience, keep) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
