"""Contenders in processes of their own, which compute one at a time.

A worker is a module that calls `serve`. It gets its settings as JSON in its argument, answers a
line of JSON when it is ready, and then a line for every line it reads. It ends when its input
closes.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ContenderError(Exception):
    """A contender that could not go on; the message says why."""


class Worker:
    """A process that is ready to be asked.

    Args:
        module: to run, such as `"benchmarks.training.worker"`.
        settings: what the module's `prepare` gets, for JSON.
        environment: variables that are set before the process starts.
        timeout: seconds after which a silent process is given up.
        pauses: stop the process, and those it starts, while it is not asked. For contenders that
            work ahead.

    Attributes:
        ready: what the process answered first.

    Raises:
        ContenderError: the process failed before it was ready.
    """

    def __init__(
        self,
        module: str,
        settings: dict,
        environment: dict[str, str],
        timeout: float,
        pauses: bool = False,
    ):
        self.timeout, self.pauses = timeout, pauses
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed by stop()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, **environment, "PYTHONPATH": path},
            # Ctrl-C is for the parent alone, which then stops the group of each worker.
            start_new_session=True,
        )
        assert self.process.stdin
        assert self.process.stdout
        self.questions, self.answers = self.process.stdin, self.process.stdout
        try:
            self.ready = self.answer()
        except BaseException:
            self.stop()
            raise
        self.pause()

    def ask(self, **message) -> dict:
        """Sends a message and waits for its answer."""
        if self.pauses:
            self.signal(signal.SIGCONT)
        try:
            self.questions.write(json.dumps(message) + "\n")
            self.questions.flush()
            return self.answer()
        except BrokenPipeError as error:
            raise ContenderError(f"the process has ended: {self.last_words()}") from error
        finally:
            self.pause()

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

    def pause(self) -> None:
        if self.pauses:
            self.signal(signal.SIGSTOP)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """Ends the process: at once where it pauses, else when it has seen its input close."""
        with contextlib.suppress(BrokenPipeError):
            self.questions.close()
        if self.pauses:
            self.signal(signal.SIGKILL)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.answers.close()
        self.errors.close()


def serve(prepare: Callable[[dict], tuple[dict, Callable[[dict], dict]]]) -> None:
    """The main program of a worker.

    Args:
        prepare: makes of the settings what is answered when all is ready, and a function that
            makes of each message its answer.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints goes with the errors
    try:
        ready, answer = prepare(json.loads(sys.argv[1]))
        answers.write(json.dumps(ready) + "\n")
        for line in sys.stdin:
            answers.write(json.dumps(answer(json.loads(line))) + "\n")
    except Exception as error:
        message = f"{type(error).__name__}: {error}"[:2000]
        answers.write(json.dumps({"error": message}) + "\n")
        raise
