"""Runs a selection of the tests with other versions of Keras and of the backends.

python tools/versions.py --envs FOLDER                  # every environment that is listed below
python tools/versions.py --envs FOLDER --only keras==3.10.0 jax==0.6.2
python tools/versions.py                                # writes the table of docs/reliability.md

An environment is this one, with a folder of other packages before it: of Keras and of one backend,
without what they need, which is here. Results are added to docs/results/versions.json one by one.
"""

import collections
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import marked  # noqa: E402

from keras_resnet.common.files import write_json  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
RECORD = ROOT / "docs" / "results" / "versions.json"
NIGHTLY = "keras-nightly==3.16.0.dev2026102704"
KERAS = (*(f"keras=={v}" for v in ("3.10.0", "3.11.3", "3.12.4", "3.13.2", "3.14.1")), NIGHTLY)
# What is put before this environment, and the backend: as it is, other Keras, other backends.
ENVIRONMENTS: list[tuple[str, str]] = [
    *(("", backend) for backend in ("torch", "jax", "tensorflow")),
    *((keras, backend) for backend in ("torch", "jax", "tensorflow") for keras in KERAS),
    *((f"jax=={v} jaxlib=={v}", "jax") for v in ("0.5.3", "0.6.2", "0.8.0")),
    *((f"tensorflow-cpu=={v}", "tensorflow") for v in ("2.18.0", "2.20.0")),
]
SELECTION = {
    "family exact": """
        networks/test_golden.py::test_the_same_weights_give_the_same_logits_on_every_backend
        networks/test_golden.py::test_variables_keep_their_paths_shapes_and_order
    """,
    "layers equal": """
        layers/test_networks.py
        layers/test_layers.py::test_batch_normalization_is_that_of_keras_in_every_mode
        layers/test_layers.py::test_convolution_is_that_of_keras_in_every_mode
        layers/test_layers.py::test_max_pooling_is_that_of_keras_in_every_mode
    """,
    "fit": """
        networks/test_golden.py::test_the_same_weights_give_the_same_gradients_on_every_backend
        training/test_resume.py::test_a_run_cut_three_times_ends_bit_for_bit_as_one_that_was_not
        training/test_optimizers.py
    """,
    "save and load": "models/test_saving.py",
    "export": """
        exporting/test_fold.py::test_every_kind_of_network_is_folded
        exporting/test_export.py::test_every_format_computes_what_the_model_does
    """,
    "weights": """
        weights/test_weights.py
        weights/test_graphs.py::test_models_made_of_a_network_carry_it_and_so_do_the_files_of_their_weights
    """,
}
# Networks that take long to build and have nothing that others have not.
LEFT_OUT = "not 1001 and not 1202 and not 200 and not 152 and not 101 and not resnet50 and not vgg"
LEFT_OUT += " and not without_this_package"


def overlay(packages: str, envs: pathlib.Path) -> pathlib.Path:
    """The folder with these packages, installed at the first use."""
    folder = envs / packages.replace("==", "-").replace(" ", "+")
    if packages and not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*pip, str(folder), *packages.split()], check=True)
    return folder


def versions(environment: dict[str, str], backend: str) -> dict[str, str]:
    """The versions of Keras and of the backend that a program sees in an environment."""
    code = f"import keras, {backend} as b; print(keras.__version__, b.__version__)"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    keras, other = done.stdout.split()[-2:]
    return {"keras": keras, backend: other.partition("+")[0]}


def tried(packages: str, backend: str, envs: pathlib.Path) -> dict:
    """Runs the selection in one environment."""
    folder = overlay(packages, envs)
    paths = os.pathsep.join([*([str(folder)] if packages else []), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "KERAS_BACKEND": backend}
    environment |= {"OMP_NUM_THREADS": "1", "JAX_COMPILATION_CACHE_DIR": str(envs / "compiled")}
    if "jax==0.5" in packages:  # loading a program from its cache ends the process, with our models
        environment["JAX_ENABLE_COMPILATION_CACHE"] = "0"
    report = envs / "report.xml"
    report.unlink(missing_ok=True)
    tests = [f"tests/{name}" for names in SELECTION.values() for name in names.split()]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:randomly"]
    command += ["-W", "ignore", "-m", "not slow", "-k", LEFT_OUT, f"--junitxml={report}", *tests]
    with open(envs / f"{folder.name}-{backend}.log", "w") as log:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=log, check=False)
    return {
        "packages": packages,
        "backend": backend,
        "versions": versions(environment, backend),
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
        **(counts(report) if report.exists() else {"passed": {}, "failed": ["no test ran"]}),
    }


def counts(report: pathlib.Path) -> dict:
    """How many tests of each kind have passed, and the names of those that failed."""
    kinds = {name: kind for kind, names in SELECTION.items() for name in names.split()}
    passed: collections.Counter[str] = collections.Counter(dict.fromkeys(SELECTION, 0))
    failed = []
    for case in ET.parse(report).iter("testcase"):
        file = f"{case.get('classname', '').removeprefix('tests.').replace('.', '/')}.py"
        name = f"{file}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif case.find("skipped") is None:
            passed[kinds.get(name.partition("[")[0]) or kinds[file]] += 1
    return {"passed": dict(passed), "failed": failed}


def read() -> list[dict]:
    return json.loads(RECORD.read_text()) if RECORD.exists() else []


def keep(row: dict) -> None:
    """Adds a result in the place of an earlier one of the same environment."""
    place = {environment: number for number, environment in enumerate(ENVIRONMENTS)}
    rows = {(old["packages"], old["backend"]): old for old in [*read(), row]}
    known = [environment for environment in rows if environment in place]
    write_json(RECORD, [rows[environment] for environment in sorted(known, key=place.__getitem__)])


def environments() -> str:
    """The table of docs/reliability.md."""
    rows = [
        (
            *(f"{name} {version}" for name, version in row["versions"].items()),
            row["python"],
            *(str(row["passed"].get(kind, 0)) for kind in SELECTION),
            ", ".join(f"`{name}`" for name in row["failed"]) or "none",
            row["date"],
        )
        for row in read()
    ]
    return marked.table(f"Keras | backend | Python | {' | '.join(SELECTION)} | failed | date", rows)


def page(text: str) -> str:
    return marked.written(text, environments)


def main() -> None:
    parser = marked.parser(__doc__)
    parser.add_argument("--envs", type=pathlib.Path, help="run; packages are installed there")
    parser.add_argument("--only", nargs="+", default=[], help="environments with one of these")
    parser.add_argument("--backends", nargs="+", default=["torch", "jax", "tensorflow"])
    arguments = parser.parse_args()
    for packages, backend in ENVIRONMENTS if arguments.envs else ():
        named = not arguments.only or set(arguments.only) & set(packages.split() or ["newest"])
        if named and backend in arguments.backends:
            arguments.envs.mkdir(parents=True, exist_ok=True)
            row = tried(packages, backend, arguments.envs.resolve())
            keep(row)
            print(row["versions"], row["passed"], "failed:", row["failed"], flush=True)
    marked.update({PAGE: page}, arguments.check)


if __name__ == "__main__":
    main()
