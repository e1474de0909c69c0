"""Results of the networks that recipes/digits.py saved, on the digits that were held out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from keras_resnet.data import digits
from keras_resnet.evaluation.contenders import digest
from keras_resnet.evaluation.opening import saved_model
from keras_resnet.evaluation.results import read
from keras_resnet.evaluation.run import evaluate


def results_on_digits(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Reads what was measured, and measures what was not, or of other weights.

    Args:
        folder: of a run of recipes/digits.py.
        names: of its networks; those that were not saved are left out.

    Returns:
        A record for each network by the name of its file of results, which is in the folder.
    """
    found = {}
    for name in names:
        path = folder / f"{name.removeprefix('cifar_')}.keras"
        if path.exists():
            out = folder / f"evaluation-{name.removeprefix('cifar_')}.json"
            model = saved_model(str(path))
            if out.exists() and measured_weights(out) == digest(model):  # on any backend
                found[out.stem] = read(out).record
            else:
                data = digits.load_data()[1]
                found[out.stem] = evaluate(model, data, out=out, batch_size=120, verbose=0).record
    return found


def measured_weights(path: Path) -> str:
    """sha256 of the weights that an evaluation of one network is about."""
    return read(path).record["configuration"]["models"][0]["weights_sha256"]
