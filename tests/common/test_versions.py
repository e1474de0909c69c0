"""What an import says where something is missing or too old, and that pip asks for the same."""

import pathlib
import re
import runpy
import subprocess
import sys
import tomllib

import keras
import pytest
from support import BACKEND

from keras_resnet.common import versions

pytestmark = pytest.mark.once
PROJECT = pathlib.Path(__file__).resolve().parents[2] / "pyproject.toml"


def test_a_keras_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.9.2")
    with pytest.raises(ImportError, match=r"needs Keras 3\.10 or later.* Received: Keras 3\.9"):
        versions.check_keras()
    for version in ("3.10.0", "3.16.0.dev2026102704"):
        monkeypatch.setattr(keras, "__version__", version)
        versions.check_keras()


def test_a_backend_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(sys.modules[BACKEND], "__version__", "0.1+cpu")
    with pytest.warns(UserWarning, match=rf"tried with {BACKEND} .* Received: {BACKEND} 0\.1"):
        versions.check_keras()


@pytest.mark.parametrize("backend", versions.OLDEST)
def test_a_missing_backend_names_the_extra(backend):
    program = f"""
import os
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *args: None if name == {backend!r} else find(name, *args)
os.environ["KERAS_BACKEND"] = {backend!r}
import keras_resnet
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert f'not installed: pip install "keras3-resnet[{backend}]", or name another' in last


def test_the_oldest_are_those_that_were_tried_and_the_table_is_written_from_the_record():
    tool = runpy.run_path(str(PROJECT.parent / "tools" / "versions.py"))
    text = tool["PAGE"].read_text()
    assert tool["page"](text) == text, "run python tools/versions.py"
    installed = (PROJECT.parent / "constraints.txt").read_text()
    for name, oldest in {"keras": versions.OLDEST_KERAS, **versions.OLDEST}.items():
        tried = [row["versions"][name] for row in tool["read"]() if name in row["versions"]]
        tried += re.findall(rf"^{name}(?:-cpu)?==(.*)$", installed, re.MULTILINE)
        assert min(map(versions.numbers, tried))[:2] == versions.numbers(oldest)[:2]


def test_pip_asks_for_what_was_tried():
    project = tomllib.loads(PROJECT.read_text())["project"]
    assert f"keras>={versions.OLDEST_KERAS}" in project["dependencies"]
    for backend, version in versions.OLDEST.items():
        assert project["optional-dependencies"][backend] == [f"{backend}>={version}"]
