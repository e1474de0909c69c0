"""What happens beside the steps: signals to stop, and the line of progress."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator

from keras_resnet.files.arguments import checked


class StoppedError(SystemExit):
    """Training was asked to stop, has saved its state, and ends the program."""

    @checked()
    def __init__(self, status: int, message: str):
        super().__init__(status)
        self.message = message


class NonFiniteLossError(FloatingPointError):
    """The loss, or a weight, is not a finite number: going on would train nothing."""


class Request:
    """Whether someone has asked the program to stop."""

    signal: int | None = None


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Request]:
    """Turns SIGTERM and the first Ctrl-C into a request; a second one ends the program at once.

    In a thread that is not the main one signals cannot be caught: nothing is.
    """
    request = Request()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def remember(number, frame):
        if request.signal is not None:
            raise KeyboardInterrupt
        request.signal = number

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Progress:
    """One line: how far, images per second, how long still.

    On a terminal the line is rewritten twice a second; elsewhere a line is printed as each
    epoch ends and every ten minutes.
    """

    def __init__(self, steps: int, steps_per_epoch: int, batch_size: int, shown: bool = True):
        self.steps, self.steps_per_epoch, self.batch_size = steps, steps_per_epoch, batch_size
        self.shown = shown
        self.interval = 0.5 if sys.stdout.isatty() else 600.0
        self.start(0)

    def start(self, step: int) -> None:
        """Counts time from here: what was before, or was not training, is left out."""
        self.first, self.began = step, time.monotonic()
        self.last = self.began

    def due(self) -> bool:
        return self.shown and time.monotonic() - self.last >= self.interval

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def images_per_second(self, step: int) -> float:
        return (step - self.first) * self.batch_size / max(self.seconds(), 1e-9)

    def show(self, step: int, loss: float | None) -> None:
        self.last = time.monotonic()
        rate = self.images_per_second(step)
        left = (self.steps - step) * self.batch_size / rate if rate else 0.0
        epochs = -(-self.steps // self.steps_per_epoch)
        within = (step - 1) % self.steps_per_epoch + 1
        line = (
            f"epoch {(step - 1) // self.steps_per_epoch + 1}/{epochs}  "
            f"{bar(within / self.steps_per_epoch)} step {step:,}/{self.steps:,}  "
            f"{rate:,.0f} images/s  {clock(left)} left"
        )
        line += "" if loss is None else f"  loss {loss:.4f}"
        print(f"\r{line}\033[K" if self.interval < 1 else line, end="", flush=True)
        if self.interval >= 1:
            print(flush=True)

    def clear(self) -> None:
        """Makes room for a line that stays."""
        if self.shown and self.interval < 1:
            print("\r\033[K", end="", flush=True)


def bar(part: float, width: int = 20) -> str:
    """
    >>> bar(0.25, 8)
    '[==      ]'
    """
    return "[" + ("=" * round(part * width)).ljust(width) + "]"


def clock(seconds: float) -> str:
    """
    >>> clock(5), clock(125), clock(3 * 3600 + 61)
    ('5 s', '2 min 05 s', '3 h 01 min')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
