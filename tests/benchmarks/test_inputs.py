"""benchmarks/inputs: who takes part, whose turn it is, and what is written about it."""

import json
import pathlib
import zipfile

import numpy as np
import pytest

from benchmarks.inputs import contenders, report, turns
from benchmarks.inputs import pipelines as benchmark
from benchmarks.inputs.contenders import CONTENDERS

pytestmark = pytest.mark.once


def recorded(**rates) -> dict:
    return {
        "date": "2026-01-01T00:00:00+00:00",
        "command": "python -m benchmarks.inputs.pipelines",
        "machine": {"cpu": "A processor"},
        "settings": {"cores": [0, 1], "rounds": 3},
        "contenders": [
            {"contender": name, "rates": found} if isinstance(found, list)
            else {"contender": name, "rates": [], "error": found}
            for name, found in rates.items()
        ],
    }  # fmt: skip


RUN = recorded(
    keras_resnet=[600.0, 620.0, 640.0],
    keras_resnet_normalized=[480.0, 500.0, 520.0],
    tf_data=[400.0, 400.0, 420.0],
    torch_pil=[320.0, 320.0, 320.0],
    torch_operators="ImportError: no torchvision",
)


def test_rates_are_of_a_core_and_ratios_of_medians():
    lines = report.table(RUN)
    assert "| 310 | 300 to 320 |  |" in lines[2]
    assert "| 200 | 200 to 210 | 1.55x (1.50 to 1.55) |" in lines[4]
    assert "not measured: ImportError: no torchvision" in lines[6]


def test_a_target_is_reached_at_its_bound_and_not_below():
    found = report.targets(RUN)
    assert "1.5x tf.data: decode, then crop: reached, 1.55x" in found[0]
    assert "2x torch DataLoader, PIL: not reached, 1.94x" in found[1]


def test_beside_a_target_stands_the_ratio_of_like_to_like():
    found = report.targets(RUN)
    assert found[0].endswith("both on the processor: 1.25x (1.20 to 1.25)")
    assert found[1].endswith("both on the processor: 1.56x (1.50 to 1.62)")
    without = [one for one in RUN["contenders"] if one["contender"] != report.ALIKE]
    for line in report.targets(RUN | {"contenders": without}):
        assert "ours leaves normalizing to the device" in line
        assert line.endswith("both on the processor: not measured")


def test_cores_are_whole_and_enough():
    lines = report.cores_needed(RUN)
    assert lines[2].endswith("| 1200 | 4 | 6 | 8 |")


def test_the_page_is_made_of_the_run_and_keeps_what_stands_around_it(tmp_path):
    page = f"before\n{benchmark.BEGIN}\nold\n{benchmark.END}\nafter\n"
    made = benchmark.page_of(RUN, page)
    assert made.startswith("before\n")
    assert made.endswith("\nafter\n")
    assert "old" not in made
    assert "1.55x" in made
    assert benchmark.page_of(RUN, made) == made
    report.draw(RUN, tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"


def test_the_page_in_docs_is_made_of_the_newest_run():
    page = benchmark.PAGE.read_text()
    found = [json.loads(path.read_text()) for path in benchmark.RESULTS.glob("*.json")]
    if found:
        assert benchmark.page_of(max(found, key=lambda run: run["date"]), page) == page
    else:
        between = page.split(benchmark.BEGIN)[1].split(benchmark.END)[0]
        assert "not measured" in between


@pytest.fixture
def photographs(tmp_path) -> pathlib.Path:
    image = pytest.importorskip("PIL.Image")
    with zipfile.ZipFile(tmp_path / "photographs.zip", "w") as archive:
        for n in range(8):
            path = tmp_path / f"{n}.jpg"
            image.new("RGB", (300, 280), (20 * n, 99, 0)).save(path)
            archive.write(path, f"class {n % 2}/{n}.jpg")
    return tmp_path / "photographs.zip"


def test_contenders_take_turns_and_their_processes_end(photographs, tmp_path, capsys):
    pytest.importorskip("tensorflow")
    out = tmp_path / "run.json"
    arguments = ["--data", str(photographs), "--quick", "--contenders", "keras_resnet", "tf_data"]
    assert benchmark.main([*arguments, "--out", str(out)]) == 0
    run = json.loads(out.read_text())
    assert [len(record["rates"]) for record in run["contenders"]] == [2, 2]
    ours, theirs = run["contenders"]
    assert ours["shape"] == theirs["shape"] == [8, 224, 224, 3]
    assert ours["dtype"] == "uint8"
    assert "float32" in theirs["dtype"]
    assert out.with_suffix(".png").exists()
    assert "keras_resnet makes" in capsys.readouterr().out


def test_what_is_normalized_on_the_processor_is_what_the_device_makes_of_levels(photographs):
    pytest.importorskip("tensorflow")
    (levels, _), (normal, _) = (
        next(CONTENDERS[name][1](str(photographs), 8, 1)) for name in (report.OURS, report.ALIKE)
    )
    assert (levels.dtype, normal.dtype) == ("uint8", "float32")
    expected = (levels - contenders.MEAN) / contenders.STD
    np.testing.assert_allclose(normal, expected, rtol=1e-4, atol=1e-5)


def test_a_contender_that_fails_says_why_and_the_others_go_on(tmp_path, monkeypatch):
    class Scripted:
        def __init__(self, settings, timeout):
            self.name, self.ready = settings["contender"], {}
            if self.name == "absent":
                raise turns.ContenderError("ImportError: absent")

        def ask(self, batches):
            if self.name == "breaks":
                raise turns.ContenderError("it broke")
            return {"seconds": batches / 10}

        def stop(self):
            ended.append(self.name)

    ended = []
    monkeypatch.setattr(turns, "started", Scripted)
    settings = {"batch": 8, "cores": [0]}
    found = turns.run(["absent", "breaks", "runs"], settings, 3, 5, lambda line: None)
    assert [record.get("error") for record in found] == ["ImportError: absent", "it broke", None]
    assert found[2]["rates"] == [80.0] * 3
    assert ended == ["breaks", "runs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "absent.zip"], "--data must be a zip of JPEGs. Received: absent.zip"),
        (["--contenders", "nobody"], "invalid choice: 'nobody'"),
        (["--data", __file__, "--rounds", "0"], "--rounds must be at least 1. Received: 0"),
        (["--data", __file__, "--cores", "99999"], "Received: [99999]"),
        (["--data", __file__, "--out", "table.txt"], "ends in .json. Received: table.txt"),
    ],
)
def test_an_option_that_is_not_accepted_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        benchmark.main(arguments)
    assert message in capsys.readouterr().err


def test_every_contender_has_a_title():
    assert all(title and callable(make) for title, make in CONTENDERS.values())


def test_a_record_of_version_0_1_spells_a_contender_with_an_s():
    former = json.loads(json.dumps(RUN).replace("normalized", "normalised"))
    assert report.table(former) == report.table(RUN)
    assert report.targets(former) == report.targets(RUN)
