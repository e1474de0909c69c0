"""Several devices compute what one would; processes that were not made a group are refused."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support import BACKEND, distributed_run

KINDS = {"tensorflow": "mirrored", "jax": "data-parallel", "torch": "ddp"}
PROGRAM = ("-m", "support.distributed_run")
RECIPES = Path(__file__).parents[2] / "recipes"


def started(*arguments, processes=1, sizes=None, program=PROGRAM):
    """Starts the program once for each process, as a launcher would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sizes = sizes or [processes] * processes
    running = []
    for rank, size in enumerate(sizes):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        if len(sizes) > 1 and BACKEND == "torch":
            environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            environment |= {"WORLD_SIZE": str(size), "RANK": str(rank)}
        elif len(sizes) > 1 and BACKEND == "tensorflow":
            workers = [f"127.0.0.1:{port + n}" for n in range(size)]
            task = {"type": "worker", "index": rank}
            environment["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        elif len(sizes) > 1:
            prefix = "KERAS_DISTRIBUTION_"
            environment[prefix + "JOB_ADDRESSES"] = f"127.0.0.1:{port}"
            environment[prefix + "NUM_PROCESSES"] = str(size)
            environment[prefix + "PROCESS_ID"] = str(rank)
        command = [sys.executable, *map(str, program), *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        running.append(subprocess.Popen(command, env=environment, **pipes))
    return running


def ended(running, seconds=240):
    """The exit codes and what was printed; nothing is left running."""
    try:
        said = [process.communicate(timeout=seconds)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return [process.returncode for process in running], said


def several(*arguments, **options):
    """Two devices in one process, or on torch two processes."""
    if BACKEND == "torch":
        return started("--kind", "ddp", *arguments, processes=2, **options)
    return started("--kind", KINDS[BACKEND], "--devices", 2, *arguments, **options)


def finished(running):
    codes, said = ended(running)
    assert codes == [0] * len(running), "\n".join(said)


def alone(path, *options):
    """The same program on one device, in this process."""
    keras.utils.clear_session()
    distributed_run.main(["--kind", "none", "--save", str(path), *map(str, options)])
    return np.load(path)


def assert_close(one, other, tolerance=1e-5):
    names = [name for name in one if not name.startswith("metrics/") and name != "apart"]
    for name in names:
        np.testing.assert_allclose(
            one[name].astype("float64"), other[name], tolerance, tolerance, err_msg=name
        )


def test_two_devices_compute_and_measure_what_one_does(tmp_path):
    """After 12 steps, an epoch of 10 among them; and 21 images in batches of 4 count once each."""
    both = tmp_path / "both.npz"
    running = several("--save", both, "--steps", 12)
    one = alone(tmp_path / "alone.npz", "--steps", 12)
    finished(running)
    two = np.load(both)
    assert two["apart"] == 0
    assert two["images"].tolist() == [21, 21]
    assert_close(one, two)


@pytest.mark.slow
def test_a_warm_up_ends_on_two_devices_when_it_does_on_one(tmp_path):
    """One of the two would end it a look later, by the error of its own images."""
    both = tmp_path / "both.npz"
    options = ("--warm-up", 0.8, "--steps", 10)
    finished(several("--save", both, *options))
    one, two = alone(tmp_path / "alone.npz", *options), np.load(both)
    assert two["apart"] == 0
    assert one["learning_rate"].tolist() == pytest.approx([0.05])
    assert_close(one, two)


@pytest.mark.slow
def test_two_processes_compute_what_one_device_does(tmp_path):
    """On JAX of two devices each."""
    both = tmp_path / "both.npz"
    devices = 2 if BACKEND == "jax" else 1
    finished(started("--devices", devices, "--save", both, processes=2))
    assert_close(alone(tmp_path / "alone.npz"), np.load(both))


@pytest.mark.slow
@pytest.mark.skipif(BACKEND == "jax", reason="statistics are those of all devices, always")
def test_replicas_that_normalize_for_themselves_average_their_statistics(tmp_path):
    together, apart = tmp_path / "together.npz", tmp_path / "apart.npz"
    finished(several("--steps", 1, "--save", together))
    finished(several("--steps", 1, "--save", apart, "--per-replica"))
    one, two = np.load(together), np.load(apart)
    assert two["apart"] == 0
    mean, variance = (
        next(name for name in one if name.endswith(f"moving_{kind}"))
        for kind in ("mean", "variance")
    )
    # The mean of means is the mean, the mean of variances lacks the variance of means.
    np.testing.assert_allclose(two[mean], one[mean], atol=1e-6)
    assert (two[variance] <= one[variance] + 1e-6).all()
    assert not np.allclose(two[variance], one[variance], rtol=1e-4, atol=0)


def processes(*arguments):
    return started(*arguments, processes=2)


@pytest.mark.slow
@pytest.mark.parametrize("start", [several] + [processes] * (BACKEND == "tensorflow"))
def test_a_distributed_run_that_was_killed_ends_bit_for_bit_as_one_that_was_not(tmp_path, start):
    mirrored = BACKEND == "tensorflow" and start is several
    options = ["--drop-path", 0.0 if mirrored else 0.2, "--steps", 13]
    finished(start("--out", tmp_path / "whole", "--save", tmp_path / "whole.npz", *options))
    for step in (6, 11):
        codes, said = ended(start("--out", tmp_path / "cut", "--die-at", step, *options))
        assert -signal.SIGKILL in codes, said
    finished(start("--out", tmp_path / "cut", "--save", tmp_path / "cut.npz", *options))
    one, two = (dict(np.load(tmp_path / f"{name}.npz")) for name in ("whole", "cut"))
    assert one.keys() == two.keys()
    assert [name for name in one if not np.array_equal(one[name], two[name])] == []


@pytest.mark.slow
def test_a_signal_to_one_process_stops_all_at_the_same_step(tmp_path):
    codes, said = ended(several("--out", tmp_path, "--stop-at", 5))
    assert set(codes) == {128 + signal.SIGTERM}, said
    told = [text for text in said if "Stopped by SIGTERM after step 6; saved in" in text]
    assert len(told) == 1


@pytest.mark.slow
def test_an_evaluation_that_fails_in_one_process_raises_in_all(tmp_path):
    running = started("--fail-evaluation", "--steps", 10, processes=2)
    codes, said = ended(running)
    assert 0 not in codes
    assert "RuntimeError: Another process failed. process 1: ValueError: Labels must be" in said[0]
    assert "ValueError: Labels must be from 0 to 3" in said[1]


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(2, 3), (3, 3)], ids=["different", "one-missing"])
def test_processes_of_different_groups_refuse(sizes):
    codes, said = ended(started(sizes=sizes), seconds=120)
    assert 0 not in codes
    told = said[0] + said[1]
    assert "different" in told if sizes[0] != sizes[1] else "did not" in told or "Not all" in told


ON_TWO_DEVICES = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
from support.distributed_run import devices_of_cpu
devices_of_cpu(int(sys.argv.pop(2)))
sys.argv = [f"{sys.argv[1]}/{sys.argv[2]}", *sys.argv[3:]]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["cifar10.py", "finetune.py"])
def test_a_recipe_trains_on_two_devices_and_leaves_its_results_once(tmp_path, recipe):
    """Two processes, but for TensorFlow; the layers that finetune.py trains change on the way."""
    several = 1 if BACKEND == "tensorflow" else 2
    devices = 2 if BACKEND == "tensorflow" else 1
    arguments = (RECIPES, devices, recipe, "--smoke", "--ema", 0.9, "--out", tmp_path)
    codes, said = ended(started(*arguments, processes=several, program=("-c", ON_TWO_DEVICES)))
    assert codes == [0] * several, "\n".join(said)
    assert (tmp_path / "model.keras").is_file()
    result = json.loads((tmp_path / "results.json").read_text())
    assert len(result["networks"]) == 1
    assert ["top-1 error (%)" in text for text in said] == [True, False][:several]
