"""The acceptance run on a GPU, here without one."""

import json

import pytest

from benchmarks import gpu

pytestmark = pytest.mark.once


def lines(printed):
    return [json.loads(line) for line in printed.splitlines()]


def test_every_line_is_printed_and_saved_and_a_part_that_fails_stops_no_other(
    tmp_path, monkeypatch, capsys
):
    def slow(self):
        return json.loads(self.python(["-c", "import time; time.sleep(60)"]))

    def broken(self):
        return json.loads(self.python(["-c", "raise ValueError('of the part')"]))

    def fine(self):
        return json.loads(self.python(["-c", "print('{\"rate\": 3}')"]))

    for name, part in {"train_torch": slow, "train_jax": broken, "infer_torch": fine}.items():
        monkeypatch.setattr(gpu.Parts, name, part)
    monkeypatch.setitem(gpu.SECONDS, "train_torch", 0.1)
    names = ["environment", "train_torch", "train_jax", "infer_torch"]
    out = tmp_path / "gpu.json"
    assert gpu.main(["--device", "cpu", "--tiny", "--out", str(out), "--parts", *names]) == 1
    found = lines(capsys.readouterr().out)
    assert json.loads(out.read_text())["lines"] == found
    assert [line["part"] for line in found] == names
    assert "versions" in found[0]
    assert "TimeoutError: the part took longer" in found[1]["failed"]
    assert "ValueError: of the part" in found[2]["failed"]
    assert found[3]["rate"] == 3


def test_all_parts_have_a_limit_and_together_fit_into_nine_minutes():
    assert gpu.LIMIT == 9 * 60
    assert max(gpu.SECONDS.values()) <= 120
    assert all(callable(getattr(gpu.Parts, name)) for name in gpu.SECONDS)


def test_where_there_is_no_gpu_it_says_so(monkeypatch, capsys):
    monkeypatch.setattr(gpu.machine, "gpus", list)
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "no NVIDIA GPU is visible here. --device cpu --tiny" in capsys.readouterr().err


@pytest.mark.slow
def test_the_tiniest_selection_runs_on_a_cpu(tmp_path, capsys):
    out = tmp_path / "gpu.json"
    names = ["numbers", "resume", "cifar10"]
    assert gpu.main(["--device", "cpu", "--tiny", "--out", str(out), "--parts", *names]) == 0
    numbers, resume, cifar10 = lines(capsys.readouterr().out)
    assert numbers["float32"] < 1e-5
    assert numbers["mixed_bfloat16"] < 0.05
    assert resume["same"] is True
    assert cifar10["step"] > 0
