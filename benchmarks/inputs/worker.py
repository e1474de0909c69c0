"""The process of one contender: makes as many batches as each message asks for.

Settings are the contender, the path of a zip, the batch size and the cores. A message is
`{"batches": 30}`, its answer `{"seconds": ...}`; see `benchmarks.common.processes`.
"""

import os
import time
from collections.abc import Callable

from benchmarks.common.processes import serve
from benchmarks.inputs.contenders import CONTENDERS


def prepare(settings: dict) -> tuple[dict, Callable[[dict], dict]]:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, settings["cores"])
    make = CONTENDERS[settings["contender"]][1]
    batches = make(settings["path"], settings["batch"], len(settings["cores"]))
    first = next(batches)
    x = first[0] if isinstance(first, tuple | list) else first

    def answer(message: dict) -> dict:
        next(batches)  # what the pause has left half done
        started = time.perf_counter()
        for _ in range(message["batches"]):
            next(batches)
        return {"seconds": time.perf_counter() - started}

    return {"shape": list(x.shape), "dtype": str(x.dtype)}, answer


if __name__ == "__main__":
    try:
        serve(prepare)
    finally:
        os._exit(0)  # the processes and threads of loaders end with this one
