"""Starts a process for each contender and lets them run in turns: A B C A B C ..."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sidebyside import device
from sidebyside.catalog import Case, Group, extra_of, missing

HERE = pathlib.Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """How a run is made.

    Args:
        rounds: turns of each contender.
        steps: timed steps in a turn.
        restart: start a contender's process anew for every turn, for memory that does not
            hold all of a group at once.
        timeout: seconds after which a silent process is given up.
    """

    rounds: int
    steps: int
    restart: bool = False
    timeout: float = 900.0


class ContenderError(Exception):
    """A contender that could not go on; the message says why."""


class Worker:
    """The process of one case, ready to run."""

    def __init__(self, case: Case, timeout: float):
        self.timeout = timeout
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed by stop()
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sidebyside.worker", json.dumps(asdict(case))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **device.environment(case), "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for this process alone, which then stops the rest
        )
        assert self.process.stdin
        assert self.process.stdout
        self.questions, self.answers = self.process.stdin, self.process.stdout
        try:
            self.ready = self.answer()
        except BaseException:
            self.stop()
            raise

    def ask(self, **message) -> dict:
        try:
            self.questions.write(json.dumps(message) + "\n")
            self.questions.flush()
        except BrokenPipeError as error:
            raise ContenderError(f"the process has ended: {self.last_words()}") from error
        return self.answer()

    def answer(self) -> dict:
        late = threading.Event()

        def give_up():
            late.set()
            self.process.kill()

        timer = threading.Timer(self.timeout, give_up)
        timer.start()
        try:
            line = self.answers.readline()
        finally:
            timer.cancel()
        if late.is_set():
            raise ContenderError(f"no answer within {self.timeout:.0f} s")
        if not line:
            raise ContenderError(
                f"the process ended with status {self.process.wait()}: {self.last_words()}"
            )
        message = json.loads(line)
        if "error" in message:
            raise ContenderError(message["error"])
        return message

    def last_words(self) -> str:
        self.errors.seek(0)
        return self.errors.read().strip()[-500:]

    def stop(self) -> None:
        self.questions.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()
        self.errors.close()


def run(group: Group, settings: Settings, entries: list[dict], say: Callable[[str], None]) -> None:
    """Times a group; each case's entry in `entries` grows as it is measured.

    A case whose packages are missing gets `"missing"` and `"install"`, one that fails gets
    `"error"` and keeps the rounds it has; the others go on.
    """
    workers: dict[str, Worker] = {}
    going = {case.key: (case, entry_of(case, entries)) for case in group.cases}

    def fail(key: str, error: Exception) -> None:
        case, entry = going.pop(key)
        entry["error"] = str(error)
        say(f"  {case.key}: failed: {str(error).splitlines()[0][:160]}")
        if key in workers:
            workers.pop(key).stop()

    def start(key: str) -> None:
        case, entry = going[key]
        workers[key] = Worker(case, settings.timeout)
        ready = workers[key].ready
        first = "build_seconds" not in entry
        entry.update({k: v for k, v in ready.items() if first or k == "peak_bytes"})
        if first:
            say(
                f"  {case.key}: built in {ready['build_seconds']:.1f} s, first step "
                f"{ready['first_step_seconds']:.1f} s, a step {ready['step_seconds']:.3f} s"
            )

    def turn(key: str) -> None:
        case, entry = going[key]
        if key not in workers:
            start(key)
        answer = workers[key].ask(steps=settings.steps)
        entry["rates"].append(case.batch * settings.steps / answer["seconds"])
        entry["peak_bytes"] = answer["peak_bytes"]
        if settings.restart:
            workers.pop(key).stop()

    def everyone(act: Callable[[str], None]) -> None:
        for key in list(going):
            try:
                act(key)
            except ContenderError as error:
                fail(key, error)

    try:
        for key, (case, entry) in list(going.items()):
            if lacking := missing(case):
                del going[key]
                extras = ",".join(sorted({extra_of(name) for name in lacking}))
                entry["missing"] = lacking
                entry["install"] = f'pip install "keras3-resnet[{extras}]"'
                say(f"  {case.key}: missing {', '.join(lacking)}; {entry['install']}")
        if not settings.restart:
            everyone(start)
        for number in range(1, settings.rounds + 1):
            everyone(turn)
            if not going:
                break
            rates = "  ".join(
                f"{key} {entry['rates'][-1]:.2f}" for key, (_, entry) in going.items()
            )
            say(f"  round {number} of {settings.rounds}, images/s: {rates}")
    finally:
        for worker in workers.values():
            worker.stop()


def entry_of(case: Case, entries: list[dict]) -> dict:
    """The record of a case, put into `entries` before anything is known of it."""
    entry = {"contender": case.contender, "dtype": case.dtype, "rates": []}
    entries.append(entry)
    return entry
