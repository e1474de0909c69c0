"""Starts a process for each contender and lets them run in turns: A B C A B C ..."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from benchmarks.common import processes
from benchmarks.common.processes import ContenderError
from benchmarks.training import device
from benchmarks.training.catalog import Case, Group, extra_of, missing


@dataclass(frozen=True)
class Settings:
    """How a run is made.

    Args:
        rounds: turns of each contender.
        steps: timed steps in a turn.
        restart: start a new process of a contender for every turn, for memory that does not
            hold all of a group at once.
        timeout: seconds after which a silent process is given up.
    """

    rounds: int
    steps: int
    restart: bool = False
    timeout: float = 900.0


class Worker(processes.Worker):
    """The process of one case, ready to run."""

    def __init__(self, case: Case, timeout: float):
        settings = asdict(case)
        super().__init__("benchmarks.training.worker", settings, device.environment(case), timeout)


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
