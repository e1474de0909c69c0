"""The command line: what it prints, how it ends, and how long it takes to start."""

import json
import subprocess
import sys
import time

import pytest

from keras_resnet import cli


def in_a_terminal(*arguments: str) -> subprocess.CompletedProcess:
    """The command as installed, with the modules it loaded as the last line of its errors."""
    program = f"""
import sys
sys.argv = ["keras-resnet", *{arguments!r}]
import atexit
atexit.register(lambda: print(" ".join(sys.modules), file=sys.stderr))
from keras_resnet.cli import main
sys.exit(main())
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.mark.once
@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--help"], ["lst"]])
def test_the_command_starts_without_keras_or_numpy(arguments):
    times = []
    for _ in range(3):  # a busy machine may be slow once
        started = time.monotonic()
        done = in_a_terminal(*arguments)
        times.append(time.monotonic() - started)
        loaded = set(done.stderr.splitlines()[-1].split())
        assert not {"keras", "numpy", "tensorflow", "jax", "torch"} & loaded
        if times[-1] < 0.5:
            break
    assert min(times) < 0.5, times


@pytest.mark.once
def test_importing_the_package_elsewhere_registers_the_classes_of_saved_models():
    program = """
import keras_resnet, keras
assert keras.saving.get_registered_object("keras_resnet>FusedNetwork")
assert keras_resnet.build
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_helps_with_examples(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([command, "--help"])
    shown = capsys.readouterr().out
    assert f"keras-resnet {command}" in shown.split("examples:")[1]


def test_lists_are_json_for_machines(capsys):
    assert cli.main(["list", "resnet50", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["parameters"] == 25_557_032
    assert row["blocks"] == [3, 4, 6, 3]


@pytest.mark.once
def test_a_reader_that_stops_reading_is_no_error():
    command = f"{sys.executable} -m keras_resnet.cli list | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("n0\n", "")
