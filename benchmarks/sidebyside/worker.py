"""One contender in a process of its own: gets ready, then runs a round whenever it is told to.

    python -m sidebyside.worker '{"contender": "ours", ...}'

Talks in lines of JSON: a case as the argument; out comes what getting ready cost; then
`{"steps": 4}` on standard input gives `{"seconds": ...}` on standard output. It leaves when
its standard input closes, so that none outlives the script that started it.
"""

import importlib
import json
import os
import sys
import time

from sidebyside import device
from sidebyside.catalog import CONTENDERS, Case

# Thread pools of the contender before spin for a moment after their last step.
SETTLE_SECONDS = 0.3


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a framework prints goes with the errors

    def answer(**message):
        answers.write(json.dumps(message) + "\n")

    try:
        serve(Case(**json.loads(sys.argv[1])), answer)
    except Exception as error:
        answer(error=f"{type(error).__name__}: {error}"[:2000])
        raise


def serve(case: Case, answer) -> None:
    device.pin(case)
    module = importlib.import_module(f"sidebyside.{CONTENDERS[case.contender].module}")
    start = time.perf_counter()
    module.load(case)
    report = {"import_seconds": time.perf_counter() - start}
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
    answer(**report, costs=program.costs, computes_on=found, **peak(case, imported))

    for line in sys.stdin:
        seconds = timed(program, json.loads(line)["steps"])
        answer(seconds=seconds, **peak(case, imported))


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
    main()
