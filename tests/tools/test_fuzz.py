"""The fuzzer finds what it is for, and the readers of the package hold for a while."""

import importlib.util
import pathlib
import sys

import pytest

pytestmark = pytest.mark.once
PATH = pathlib.Path(__file__).resolve().parents[2] / "tools" / "fuzz.py"


@pytest.fixture(scope="module")
def fuzz():
    pytest.importorskip("PIL")
    spec = importlib.util.spec_from_file_location("fuzz", PATH)
    module = sys.modules["fuzz"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readers_hold(fuzz, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "--seconds", "3"])
    assert fuzz.main() == 0


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        (lambda path: {}["x"], "raised KeyError"),
        (lambda path: 2, "was read as something else"),
    ],
)
def test_a_fault_is_found(fuzz, read, complaint, tmp_path):
    target = fuzz.Target("file", b"1", read, checked=True)
    assert fuzz.tried(target, tmp_path / "file", 1).startswith(complaint)
