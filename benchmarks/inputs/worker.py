"""The process of one contender: makes so many batches when it is told to.

Started by benchmarks/input.py with the name, the zip, the batch size and the cores, as JSON. Reads
a line with a number of batches, answers with seconds or an error.
"""

import json
import os
import sys
import time


def main(settings: dict) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, settings["cores"])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is not an answer
    from inputs.contenders import CONTENDERS

    try:
        make = CONTENDERS[settings["contender"]][1]
        batches = make(settings["path"], settings["batch"], len(settings["cores"]))
        first = next(batches)
        x = first[0] if isinstance(first, tuple | list) else first
        answers.write(json.dumps({"shape": list(x.shape), "dtype": str(x.dtype)}) + "\n")
        for line in sys.stdin:
            next(batches)  # what the pause has left half done
            started = time.perf_counter()
            for _ in range(int(line)):
                next(batches)
            seconds = time.perf_counter() - started
            answers.write(json.dumps({"seconds": seconds}) + "\n")
    except Exception as error:
        missing = isinstance(error, ImportError)
        first_line = (str(error).splitlines() or [""])[0][:200]
        answer = {"error": f"{type(error).__name__}: {first_line}", "missing": missing}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    os._exit(0)  # loaders' processes and threads end with this one
