"""What there is in the folder of a run."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_resnet.common.arguments import checked
from keras_resnet.evaluation.digits import results_on_digits
from keras_resnet.evaluation.results import FORMAT


@dataclass
class Run:
    """A run as its files describe it.

    Args:
        name: of the folder.
        record: what `results.json` holds; empty where there is none.
        evaluations: records of evaluations by title.
    """

    name: str
    record: dict[str, Any] = field(default_factory=dict)
    evaluations: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def networks(self) -> dict[str, dict[str, Any]]:
        """Results of networks, by the name that readers know, in the order they were trained."""
        return {shown(name): result for name, result in self.record.get("networks", {}).items()}


def shown(name: str) -> str:
    """cifar_resnet56 is ResNet-56 to a reader, and plain34 plain-34; others keep their names."""
    match = re.fullmatch(r"(?:cifar_)?(resnet|plain)(\d+)", name)
    return f"{match[1].replace('resnet', 'ResNet')}-{match[2]}" if match else name


def panel(name: str) -> str:
    """The title above a network's curves."""
    if re.search("resne(t|xt)", name):
        return "residual networks"
    return "plain networks" if "plain" in name else "networks"


@checked()
def read_run(folder: str | os.PathLike) -> Run:
    """The results of a recipe and all evaluations in a folder.

    Args:
        folder: that holds `results.json`, or evaluations.

    Raises:
        ValueError: there are none; or results.json is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"`run` must be a folder. Received: {folder}")
    run = Run(folder.resolve().name)
    for path in sorted(folder.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if not isinstance(record, dict):
            continue
        if record.get("format") == FORMAT:
            run.evaluations[path.stem] = record
        elif path.name == "results.json":
            run.record = record
            check_networks(path, record.get("networks", {}))
    if "digits" in run.record:
        run.evaluations |= results_on_digits(folder, run.record["networks"])
    if not run.record and not run.evaluations:
        raise ValueError(
            f"{folder} must hold the results.json of a recipe or results of "
            "`keras-resnet evaluate`. Received: a folder with neither"
        )
    return run


def check_networks(path: Path, networks: Any) -> None:
    if not isinstance(networks, dict) or not all(isinstance(x, dict) for x in networks.values()):
        raise ValueError(
            f"{path} must hold the results of each network by its name. "
            f"Received: networks={str(networks)[:100]}"
        )
