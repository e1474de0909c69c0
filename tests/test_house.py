"""How the package is laid out: who may import whom, and what a user finds documented."""

import doctest
import importlib
import os
import pathlib
import subprocess
import sys
import textwrap

import keras
import pytest
from support import BACKEND
from support.house import circles_of, floors_of, imports_of, room_of, rooms_of

import keras_resnet

ROOT = pathlib.Path(keras_resnet.__file__).parent
# From left to right: a room imports only from rooms in rows above its own.
FLOW = [
    ["common", "graph"],
    ["layers"],
    ["data"],
    ["network"],
    ["networks"],
    ["weights", "costs"],
    ["models", "finetuning"],
    ["images", "named", "figures"],
    ["training", "evaluation", "exporting"],
    ["report"],
    ["commands"],
]
IMPORTS = imports_of(ROOT)
MODULES = [name for name in IMPORTS if not name.endswith("__main__")]
FOLDERS = ("keras_resnet", "recipes", "benchmarks", "tools", "tests")


def backward_arrows(imports, flow):
    """The imports from a room of the same row or a later one, as (module, imported module)."""
    rank = {room: row for row, rooms in enumerate(flow) for room in rooms}
    return [
        (module, other)
        for module, others in imports.items()
        for other in others
        if "." in module and room_of(module) != room_of(other)
        if rank[room_of(other)] >= rank[room_of(module)]
    ]


def test_every_room_has_its_place():
    rooms = {room for row in FLOW for room in row}
    assert rooms == set(rooms_of(IMPORTS)) - {"keras_resnet"}


def test_nothing_on_the_left_imports_from_the_right():
    assert backward_arrows(IMPORTS, FLOW) == []


def test_no_two_files_and_no_two_rooms_import_each_other():
    assert circles_of(IMPORTS) == []
    assert circles_of(rooms_of(IMPORTS)) == []


def test_the_house_is_small():
    rooms = rooms_of(IMPORTS)
    assert len(rooms) <= 20
    assert floors_of(rooms) <= 10
    assert sum(map(len, rooms.values())) <= 65


def tree(folder, files):
    """A package of these files, and the imports in it."""
    for name, text in {"__init__.py": "", **files}.items():
        path = folder / "keras_resnet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return imports_of(folder / "keras_resnet")


@pytest.mark.once
def test_a_backward_arrow_is_found_however_it_is_written(tmp_path):
    by = [
        "import keras_resnet.b.x",
        "from keras_resnet.b import x",
        "from keras_resnet import b",
        "def f():\n    from keras_resnet.b.x import y",
        'import importlib\nimportlib.import_module("keras_resnet.b.x")',
        'import importlib\nimportlib.import_module(f"keras_resnet.b.{name}")',
    ]
    for number, text in enumerate(by):
        folder = tmp_path / str(number)
        imports = tree(folder, {"a.py": text, "b/__init__.py": "", "b/x.py": ""})
        assert backward_arrows(imports, [["a"], ["b"]]), text
        assert not backward_arrows(imports, [["b"], ["a"]]), text
        assert backward_arrows(imports, [["a", "b"]]), text


@pytest.mark.once
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
@pytest.mark.parametrize(
    "text",
    [
        'import importlib\nimportlib.import_module(f"keras_resnet.a.{name}")',
        'def engine():\n    return backend_part("a", "two")',
        'from keras_resnet.layers import backend\nbackend.backend_part("a", "two")',
    ],
)
def test_a_circle_through_importlib_or_a_part_of_a_backend_is_found(tmp_path, text, backend):
    two = f"a/{backend}/two.py"
    imports = tree(tmp_path, {"a/one.py": text, two: "from keras_resnet.a.one import x"})
    circle = ["keras_resnet.a.one", f"keras_resnet.a.{backend}.two"]
    assert circles_of(imports) == [sorted(circle)]


def test_no_file_is_longer_than_300_lines():
    files = [path for folder in FOLDERS for path in (ROOT.parent / folder).rglob("*.py")]
    assert {path.relative_to(ROOT.parent).parts[0] for path in files} == set(FOLDERS)
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
    path = str(ROOT / "networks" / "paper.py")
    program = f"""
        import importlib.util, sys
        spec = importlib.util.spec_from_file_location("paper", {path!r})
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


def test_every_room_is_there_after_a_plain_import_and_no_other_backend():
    late = ["evaluation", "figures", "report", "commands"]
    others = {"tensorflow", "jax", "torch", "matplotlib"} - {BACKEND}
    program = f"""
        import sys
        import keras
        before = set(sys.modules)
        import keras_resnet
        print([room for room in {late} if "keras_resnet." + room in sys.modules])
        for room in {late} + ["costs", "data", "exporting", "finetuning", "training"]:
            assert getattr(keras_resnet, room).__name__ == "keras_resnet." + room
        assert callable(keras_resnet.evaluation.evaluate)
        assert callable(keras_resnet.exporting.read_metadata)
        print(sorted({others!r} & (set(sys.modules) - before)))
    """
    assert run(program).split("\n") == ["[]", "[]", ""]


@pytest.mark.portable
@pytest.mark.parametrize("name", ["build", "count", "endpoints", "list_models", "summary_table"])
def test_every_public_function_shows_an_example(name):
    assert ">>> " in getattr(keras_resnet, name).__doc__


@pytest.mark.portable
@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} does not say what it is"
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=options).failed == 0


def test_keras_is_left_as_it_was():
    assert keras.config.image_data_format() == "channels_last"
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.portable
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
