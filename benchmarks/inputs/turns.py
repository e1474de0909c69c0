"""Contenders make batches in turns on the same cores: one runs, the others are stopped."""

import contextlib
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent.parent


class ContenderError(Exception):
    """A contender that could not go on; the message says why."""


class Process:
    """The process of a contender and those it starts, stopped unless it is its turn."""

    def __init__(self, settings: dict, timeout: float):
        self.timeout, self.errors = timeout, tempfile.TemporaryFile("w+")  # noqa: SIM115
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        threads = str(len(settings["cores"]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inputs.worker", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": path,
                "OMP_NUM_THREADS": threads,
                "CUDA_VISIBLE_DEVICES": "",
                "KERAS_BACKEND": "tensorflow",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
            start_new_session=True,  # a process group of its own, to be stopped as a whole
        )
        assert self.process.stdin
        assert self.process.stdout
        self.questions, self.answers = self.process.stdin, self.process.stdout
        try:
            self.ready = self.answer()
        except ContenderError:
            self.end()
            raise
        self.signal(signal.SIGSTOP)

    def seconds(self, batches: int) -> float:
        """How long so many batches take, in a turn of its own."""
        self.signal(signal.SIGCONT)
        try:
            self.questions.write(f"{batches}\n")
            self.questions.flush()
            return self.answer()["seconds"]
        finally:
            self.signal(signal.SIGSTOP)

    def answer(self) -> dict:
        if not select.select([self.answers], [], [], self.timeout)[0]:
            raise ContenderError(f"no answer within {self.timeout:.0f} s")
        line = self.answers.readline()
        if not line:
            self.errors.seek(0)
            raise ContenderError(f"the process has ended: {self.errors.read().strip()[-300:]}")
        message = json.loads(line)
        if "error" in message:
            raise ContenderError(message["error"])
        return message

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def end(self) -> None:
        self.signal(signal.SIGKILL)
        self.process.wait()
        self.questions.close()
        self.answers.close()
        self.errors.close()


def run(
    names: list[str], settings: dict, rounds: int, batches: int, say: Callable[[str], None],
    timeout: float = 300.0,
) -> list[dict]:  # fmt: skip
    """Times contenders in turns.

    Args:
        names: of contenders.
        settings: path, batch and cores.
        rounds: turns of each.
        batches: in a turn.
        say: is told what happens.
        timeout: seconds after which a silent contender is given up.

    Returns:
        A record for each: contender, `rates` in images per second of all cores together, and
        `error` where it failed.
    """
    processes: dict[str, Process] = {}
    records = {name: {"contender": name, "rates": []} for name in names}

    def fail(name: str, error: Exception) -> None:
        records[name]["error"] = str(error)
        say(f"  {name}: {error}")
        if name in processes:
            processes.pop(name).end()

    try:
        for name in names:
            try:
                processes[name] = Process(settings | {"contender": name}, timeout)
                records[name] |= processes[name].ready
                say(f"  {name}: ready")
            except ContenderError as error:
                fail(name, error)
        for number in range(rounds):
            for name in list(processes):
                try:
                    seconds = processes[name].seconds(batches)
                except ContenderError as error:
                    fail(name, error)
                else:
                    records[name]["rates"].append(batches * settings["batch"] / seconds)
            found = (f"{name} {records[name]['rates'][-1]:.0f}" for name in processes)
            say(f"  round {number + 1} of {rounds}, images/s: {', '.join(found)}")
    finally:
        for process in processes.values():
            process.end()
    return list(records.values())
