"""A run as one HTML page that needs nothing beside it."""

import os
from pathlib import Path

from keras_resnet.common.arguments import checked
from keras_resnet.common.files import atomic_write
from keras_resnet.report.markup import page
from keras_resnet.report.runs import read_run

__all__ = ["page", "read_run", "write_report"]


@checked()
def write_report(run: str | os.PathLike, out: str | os.PathLike | None = None) -> Path:
    """Writes the report of a run: curves, errors, confusion, mistakes, configuration.

    The page holds its style and its pictures; it loads nothing and runs no script.

    Args:
        run: folder of a recipe (`results.json`), of evaluations, or of both. Networks that
            `recipes/digits.py` saved are first evaluated on the test digits; the results stay in
            the folder.
        out: HTML file to write; `report.html` in the folder by default.

    Returns:
        The path of the page.

    Raises:
        ValueError: there is nothing in the folder to report.
        ImportError: matplotlib, or for digits scikit-learn, is not installed.

    Example: `write_report("runs/digits")`
    """
    found = read_run(run)
    path = Path(run, "report.html") if out is None else Path(out)
    text = page(found)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
