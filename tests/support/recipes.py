"""The recipes as modules, and in processes of their own."""

import importlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITTEN = {
    *("checkpoints", "config.json", "curves.png", "log.csv", "model.keras", "results.json"),
    ".lock",
}


def module_of(recipe: str):
    """A file of recipes/ as a module; they import one another by their names."""
    if (folder := str(ROOT / "recipes")) not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(recipe)


def run(recipe, *arguments, timeout=900):
    """Runs a recipe in a process of its own."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, str(ROOT / "recipes" / f"{recipe}.py"), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
