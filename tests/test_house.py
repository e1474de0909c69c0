"""How the package is laid out: who may import whom, and what a user finds documented."""

import ast
import doctest
import importlib
import inspect
import os
import pathlib
import pkgutil
import subprocess
import sys
import textwrap

import keras
import pytest
from support import BACKEND

import keras_resnet

ROOT = pathlib.Path(keras_resnet.__file__).parent
# From left to right: nothing imports what stands in a later row, or beside it in another folder.
LAYERS = [
    ["paper", "files", "decoding"],
    ["systems"],
    ["family"],
    ["checks"],
    ["options", "network"],
    ["layers"],
    ["connect"],
    ["resnet", "baselines"],
    ["weights", "costs", "data", "figures"],
    ["preprocessing"],
    ["models"],
    ["named"],
    ["training", "evaluation", "export", "finetuning", "classify"],
    ["report"],
    ["cli"],
]
RANKS = {part: rank for rank, parts in enumerate(LAYERS) for part in parts}
MODULES = [
    module.name
    for module in pkgutil.walk_packages(keras_resnet.__path__, "keras_resnet.")
    if not module.name.endswith("__main__")
]


def imported(path: pathlib.Path) -> set[str]:
    """The parts of keras_resnet that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, f"{path.name}: absolute imports only"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("keras_resnet.")}


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_nothing_on_the_left_imports_from_the_right(path):
    part = path.relative_to(ROOT).with_suffix("").parts[0]
    assert part in RANKS, f"say in tests/test_house.py where {part!r} stands"
    for other in imported(path) - {part}:
        assert other in RANKS, f"{path.name} imports {other!r}"
        assert RANKS[other] <= RANKS[part], f"{part} must not import {other}"


def test_no_file_is_longer_than_300_lines():
    folders = "keras_resnet", "recipes", "benchmarks", "tools", "tests"
    files = [path for folder in folders for path in (ROOT.parent / folder).rglob("*.py")]
    assert len(files) > 200
    lengths = {str(path): len(path.read_text().splitlines()) for path in files}
    assert {path: lines for path, lines in lengths.items() if lines > 300} == {}


def run(program: str) -> str:
    """What a Python process of its own prints."""
    # The second warning is Keras' own, see pyproject.toml.
    warnings = ["-Werror", "-Wignore:__array__ implementation:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *warnings, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_tables_of_the_paper_need_no_keras():
    program = f"""
        import importlib.util, sys
        spec = importlib.util.spec_from_file_location("paper", {str(ROOT / "paper.py")!r})
        sys.modules["paper"] = paper = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(paper)
        assert paper.imagenet(50).depth == 50
        assert not {{"keras", "numpy"}} & set(sys.modules)
    """
    run(program)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="this backend is TensorFlow")
def test_the_package_works_where_tensorflow_is_absent():
    program = """
        from importlib.machinery import PathFinder

        find = PathFinder.find_spec

        def without_tensorflow(name, path=None, target=None):
            return None if name.split(".")[0] == "tensorflow" else find(name, path, target)

        PathFinder.find_spec = without_tensorflow
        import numpy as np
        import keras_resnet

        model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3))
        model.compile("sgd", "categorical_crossentropy", run_eagerly=True)
        x = np.zeros((2, 8, 8, 3), "float32")
        model.train_on_batch(x, np.eye(10, dtype="float32")[:2])
        print(model.predict(x, verbose=0).shape)
    """
    assert run(program).split() == ["(2,", "10)"]


def test_importing_the_package_imports_no_other_backend():
    others = {"tensorflow", "jax", "torch"} - {BACKEND}
    program = f"""
        import sys
        import keras
        before = set(sys.modules)
        import keras_resnet
        print(sorted({others!r} & (set(sys.modules) - before)))
    """
    assert run(program).strip() == "[]"


@pytest.mark.parametrize("name", keras_resnet.__all__)
def test_every_public_name_is_documented(name):
    documentation = inspect.getdoc(getattr(keras_resnet, name))
    assert documentation
    assert documentation[0].isupper() or documentation[0] == "`"


@pytest.mark.parametrize("name", ["build", "count", "endpoints", "list_models", "summary_table"])
def test_every_public_function_shows_an_example(name):
    assert ">>> " in getattr(keras_resnet, name).__doc__


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not say what it is"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0


def test_keras_is_left_as_it_was():
    assert keras.config.image_data_format() == "channels_last"
    assert keras.config.dtype_policy().name == "float32"


def test_the_readme_names_commands_that_exist():
    root = ROOT.parent
    readme, makefile = ((root / name).read_text() for name in ("README.md", "Makefile"))
    for line in readme.splitlines():
        words = line.strip("$` ").split()
        if "make" in words[:2] and len(words) <= 3:
            target = words[words.index("make") + 1]
            assert f"\n{target}:" in makefile or f" {target} " in makefile, line
        if words[:1] == ["python"] and len(words) > 1 and words[1].endswith(".py"):
            assert (root / words[1]).exists(), line
