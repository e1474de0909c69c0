"""The recipes in processes of their own."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITTEN = {"checkpoints", "config.json", "curves.png", "log.csv", "model.keras", "results.json"}


def run(recipe, *arguments):
    """Runs a recipe in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, str(ROOT / "recipes" / f"{recipe}.py"), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=900,
    )
