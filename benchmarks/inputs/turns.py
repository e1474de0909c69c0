"""Contenders make batches in turns on the same cores: one runs, the others are stopped."""

from collections.abc import Callable

from benchmarks.common.processes import ContenderError, Worker


def started(settings: dict, timeout: float) -> Worker:
    """The process of a contender and those it starts, stopped unless it is its turn."""
    environment = {
        "OMP_NUM_THREADS": str(len(settings["cores"])),
        "CUDA_VISIBLE_DEVICES": "",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return Worker("benchmarks.inputs.worker", settings, environment, timeout, pauses=True)


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
        say: prints a line.
        timeout: seconds after which a silent contender is given up.

    Returns:
        A record for each: contender, `rates` in images per second of all cores together, and
        `error` where it failed.
    """
    workers: dict[str, Worker] = {}
    records = {name: {"contender": name, "rates": []} for name in names}

    def fail(name: str, error: Exception) -> None:
        records[name]["error"] = str(error)
        say(f"  {name}: {error}")
        if name in workers:
            workers.pop(name).stop()

    try:
        for name in names:
            try:
                workers[name] = started(settings | {"contender": name}, timeout)
                records[name] |= workers[name].ready
                say(f"  {name}: ready")
            except ContenderError as error:
                fail(name, error)
        for number in range(rounds):
            for name in list(workers):
                try:
                    seconds = workers[name].ask(batches=batches)["seconds"]
                except ContenderError as error:
                    fail(name, error)
                else:
                    records[name]["rates"].append(batches * settings["batch"] / seconds)
            found = (f"{name} {records[name]['rates'][-1]:.0f}" for name in workers)
            say(f"  round {number + 1} of {rounds}, images/s: {', '.join(found)}")
    finally:
        for worker in workers.values():
            worker.stop()
    return list(records.values())
