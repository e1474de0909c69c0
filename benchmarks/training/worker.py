"""One contender in a process of its own: gets ready, then runs a round for each message.

    python -m benchmarks.training.worker '{"contender": "ours", ...}'

A message is `{"steps": 4}`, its answer `{"seconds": ...}`; see `benchmarks.common.processes`.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any

from benchmarks.common.processes import serve
from benchmarks.training import device
from benchmarks.training.catalog import CONTENDERS, Case

# Thread pools of the contender before spin for a moment after their last step.
SETTLE_SECONDS = 0.3


def prepare(settings: dict) -> tuple[dict, Callable[[dict], dict]]:
    """Imports, builds and takes two steps; then each message is a number of steps to time."""
    case = Case(**settings)
    device.pin(case)
    module = importlib.import_module(f"benchmarks.training.{CONTENDERS[case.contender].module}")
    start = time.perf_counter()
    module.load(case)
    report: dict[str, Any] = {"import_seconds": time.perf_counter() - start}
    found = device.name(case.backend)
    if (found == "cpu") != (case.device == "cpu"):
        raise RuntimeError(f"{case.backend} computes on {found!r}, and {case.device} was asked for")
    imported = device.resident()

    start = time.perf_counter()
    model = module.network(case)
    report["build_seconds"] = time.perf_counter() - start

    start = time.perf_counter()
    program = module.program(case, model)
    outputs = program.step()
    program.wait(outputs)
    report["first_step_seconds"] = time.perf_counter() - start

    start = time.perf_counter()
    outputs = program.step()
    program.wait(outputs)
    device.check(outputs)
    report["step_seconds"] = time.perf_counter() - start
    report |= {"costs": program.costs, "computes_on": found, **peak(case, imported)}

    def answer(message: dict) -> dict:
        return {"seconds": timed(program, message["steps"]), **peak(case, imported)}

    return report, answer


def timed(program, steps: int) -> float:
    """Seconds of `steps` steps, after one that finds the caches as the others left them."""
    time.sleep(SETTLE_SECONDS)
    program.wait(program.step())
    start = time.perf_counter()
    for _ in range(steps):
        outputs = program.step()
    program.wait(outputs)
    return time.perf_counter() - start


def peak(case: Case, imported: int | None) -> dict:
    """The most memory used so far: of the GPU, or of the process above its level after import."""
    if case.device == "gpu":
        return {"peak_bytes": device.allocator_peak(case.backend)}
    most = device.resident("VmHWM")
    return {"peak_bytes": None if most is None else most - (imported or 0)}


if __name__ == "__main__":
    serve(prepare)
