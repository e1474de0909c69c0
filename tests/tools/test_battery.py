"""tools/battery.py: what it counts, what it returns, and that it leaves no process behind."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import battery
import pytest

pytestmark = pytest.mark.once
ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSES = "def test_passes(): pass\n"
SKIPS = """
import pytest
def test_skips(): pytest.skip("needs a moon")
@pytest.mark.skipif(True, reason="needs a moon")
def test_is_marked(): pass
@pytest.mark.xfail(reason="known")
def test_is_known(): assert 0
"""
FAILS_ON_JAX = "import os\ndef test_fails(): assert os.environ['KERAS_BACKEND'] != 'jax'\n"
ABORTS = "import os\ndef test_aborts(): os.abort()\n"
WAITS = """
import os, subprocess, sys, time
def test_waits():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with open(os.environ["STARTED"], "a") as file:
        print(os.getpid(), other.pid, file=file)
    time.sleep(60)
"""


def start(folder, text, *backends, **environment):
    """A battery of one file, which imports no backend."""
    (folder / "test_one.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "tools/battery.py", "--seed", "7", "--workers", "1"]
    return subprocess.Popen(
        [*command, "--backends", *backends, "--", "-c", folder / "pytest.ini", folder],
        cwd=ROOT,
        env=os.environ | environment | {"KERAS_RESNET_BATTERY": str(folder / "results")},
        stdout=subprocess.PIPE,
        text=True,
    )


def run(*arguments):
    process = start(*arguments)
    return process.communicate(timeout=120)[0], process.returncode


def test_skips_are_counted_by_reason_and_backend(tmp_path):
    printed, status = run(tmp_path, PASSES + SKIPS, "jax", "torch")
    assert status == 0
    assert "    4 needs a moon (jax 2, torch 2)\n" in printed
    assert "jax        1 passed, 2 skipped, 1 xfailed in " in printed
    assert "--seed 7" in printed


def test_a_failure_on_one_backend_fails_and_is_shown(tmp_path):
    printed, status = run(tmp_path, PASSES + FAILS_ON_JAX, "jax", "torch")
    assert status == 1
    assert "== jax ==" in printed
    assert "== torch ==" not in printed
    assert "AssertionError" in printed
    assert "jax        1 passed, 1 failed in " in printed


def test_a_process_that_ends_without_results_fails(tmp_path):
    printed, status = run(tmp_path, ABORTS, "torch")
    assert status == 1
    assert "torch      no results in " in printed
    assert f"ended with {-signal.SIGABRT}" in printed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_processes_of_all_backends(tmp_path, number):
    started = tmp_path / "started"
    started.touch()
    with ended(start(tmp_path, WAITS, "jax", "torch", STARTED=str(started))) as process:
        while len(started.read_text().split()) < 4:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(number)
        assert "Interrupted" in process.communicate(timeout=60)[0]
        assert process.returncode == 130
    for pid in map(int, started.read_text().split()):
        for _ in range(100):
            if not alive(pid):
                break
            time.sleep(0.1)
        assert not alive(pid)


@contextlib.contextmanager
def ended(process):
    """A process that does not outlive a test that fails: its warning would fail another."""
    with process:
        try:
            yield process
        finally:
            process.terminate()


def alive(pid):
    """Whether a process still runs; one that waits to be collected does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_tests_that_have_nothing_to_do_with_the_backend_run_beside_the_first():
    options = battery.argparse.Namespace(backends=["torch", "jax"], workers=1, coverage=False)
    for backend in options.backends:
        assert battery.environment(backend, options)["KERAS_RESNET_ONCE"] == "torch"


def test_all_that_there_is_is_compiled_as_users_compile_it():
    options = battery.argparse.Namespace(backends=["jax"], workers=1, coverage=True)
    assert battery.environment("jax", options)["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "0"
