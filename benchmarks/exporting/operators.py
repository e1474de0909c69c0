"""Where onnxruntime's time goes, by operator, in our export and in torchvision's.

    python -m benchmarks.exporting.operators  # half a minute, alone

Both networks are those of runtimes.py, float32. Writes operators.json into
benchmarks/results/export; afterwards `python tools/export_tables.py` puts it into docs/export.md.
Needs `pip install "keras3-resnet[export,torch]"` and torchvision.
"""

import argparse
import collections
import json
import os
import pathlib
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "torch"

from benchmarks.common import records
from benchmarks.exporting import page, runtimes

FILES = ("torchvision onnx", "ours onnx")


def milliseconds(path: pathlib.Path, batch: int, size: int, threads: int, steps: int) -> dict:
    """Mean time of a batch in every kind of operator, those that take longest first."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_profiling = True
    options.profile_file_prefix = str(path.with_suffix(""))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image = session.get_inputs()[0]
    sides = [size if not isinstance(n, int) else n for n in image.shape[1:]]
    x = np.random.default_rng(0).standard_normal((batch, *sides)).astype("float32")
    for _ in range(steps):
        session.run(None, {image.name: x})
    events = json.loads(pathlib.Path(session.end_profiling()).read_text())
    times: collections.Counter = collections.Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"]] += event["dur"] / 1000 / steps
    return dict(times.most_common())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in {"batch": 8, "size": 224, "threads": 2, "steps": 20}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=pathlib.Path, default=page.FOLDER, help="a folder")
    chosen = parser.parse_args()
    files = {name: runtimes.CONTENDERS[name].file for name in FILES}
    with tempfile.TemporaryDirectory() as folder:
        runtimes.write_files(pathlib.Path(folder), chosen.size, set(files.values()))
        settings = (chosen.batch, chosen.size, chosen.threads, chosen.steps)
        times = {
            name: milliseconds(pathlib.Path(folder, file), *settings)
            for name, file in files.items()
        }
    record = {
        **records.header("benchmarks.exporting.operators", sys.argv[1:]),
        "batch": chosen.batch,
        "size": chosen.size,
        "threads": chosen.threads,
        "milliseconds": times,
    }
    print("\n".join(page.operators(record)))
    records.save(chosen.out / "operators.json", record)


if __name__ == "__main__":
    main()
