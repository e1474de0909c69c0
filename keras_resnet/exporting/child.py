"""`python -m keras_resnet.exporting.child FOLDER`: does the jobs of a folder on another backend."""

import json
import sys
from pathlib import Path

from keras_resnet.exporting.crossing import PASSED_ON, Job, do_jobs


def main(folder: Path) -> None:
    """Reads what `crossing.in_another_process` wrote, and writes what went wrong, if anything."""
    import keras
    import numpy as np

    jobs = [Job(**job) for job in json.loads((folder / "jobs.json").read_text())]
    with np.load(folder / "images.npz") as arrays:
        images, calibration = arrays["images"], arrays.get("calibration")

    def load(policy):
        return keras.saving.load_model(folder / f"{policy}.keras", compile=False)

    try:
        do_jobs(jobs, load, images, calibration, folder)
    except PASSED_ON as error:
        kind = next(n for n, one in enumerate(PASSED_ON) if isinstance(error, one))
        told = {"kind": kind, "message": str(error)}
        (folder / "error.json").write_text(json.dumps(told))
        raise


if __name__ == "__main__":
    main(Path(sys.argv[1]))
