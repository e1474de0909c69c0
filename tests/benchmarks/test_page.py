"""The page of timings: ratios, verdicts, charts, and what was not measured."""

import copy
import importlib.util

import pytest
from support.benchmarks import ROOT, entry, run_of

from benchmarks.common import records
from benchmarks.training import chart, pages, results, roofline, targets

pytestmark = pytest.mark.once

specification = importlib.util.spec_from_file_location(
    "tools_performance", ROOT / "tools" / "performance.py"
)
performance = importlib.util.module_from_spec(specification)
specification.loader.exec_module(performance)


def test_a_ratio_is_of_medians_and_its_spread_of_rounds():
    found = run_of(
        entry("ours", [10.0, 12.0, 30.0]), entry("keras.applications", [5.0, 8.0, 10.0])
    )["groups"][0]
    ratio = results.ratio(found, ("ours", "float32"), ("keras.applications", "float32"))
    assert ratio == results.Ratio(12 / 8, 1.5, 3.0)
    assert results.ratio(found, ("ours", "float32"), ("timm", "float32")) is None


@pytest.mark.parametrize(("rate", "verdict"), [(11.5, "reached"), (11.4, "not reached")])
def test_a_target_is_reached_at_its_bound_and_not_below(rate, verdict):
    run = run_of(entry("ours", [rate]), entry("keras.applications", [10.0]))
    assert targets.judge(targets.TARGETS[0], [run]).text == verdict


def test_memory_must_stay_below_its_bound():
    target = next(target for target in targets.TARGETS if target.value == "memory")
    for memory, verdict in ((105, "reached"), (106, "not reached")):
        peer = entry(target.under[0], [1.0], memory=100)
        run = run_of(entry("ours", [1.0], memory=memory), peer)
        assert targets.judge(target, [run]).text == verdict


@pytest.mark.parametrize("changes", [{"batch": 2}, {"device": "gpu"}, {"net": "resnet18"}])
def test_a_target_is_judged_only_by_a_run_of_its_own_task(changes):
    run = run_of(entry("ours", [20.0]), entry("keras.applications", [10.0]), **changes)
    assert targets.judge(targets.TARGETS[0], [run]).text == "not measured"


def test_the_newest_run_decides():
    old = run_of(entry("ours", [9.0]), entry("keras.applications", [1.0]))
    new = run_of(entry("ours", [1.0]), entry("keras.applications", [1.0]), date="2026-02-01")
    verdict = targets.judge(targets.TARGETS[0], [new, old])
    assert (verdict.date, verdict.text) == ("2026-02-01", "not reached")


def test_the_groups_of_the_targets_decide_every_target():
    made = targets.groups(threads=2)
    for target in targets.TARGETS:
        keys = {
            (one.contender, one.dtype)
            for found in made
            if (found.backend, found.net, found.mode) == (target.backend, target.net, target.mode)
            for one in found.cases
        }
        assert {target.over, target.under} <= keys


def test_the_page_gives_the_command_that_its_promises_come_from():
    run = run_of(entry("ours", [11.0])) | {"command": "python throughput.py --targets --rounds 4"}
    assert f"{run['command']}\n{pages.PAGE_COMMAND}" in pages.page([run])


def test_the_page_is_stale_when_a_figure_or_a_chart_changes(tmp_path):
    folder, docs = tmp_path / "results", tmp_path / "docs"
    folder.mkdir()
    run = run_of(entry("ours", [11.0, 12.0]), entry("keras.applications", [10.0, 9.0]))
    records.save(folder / "a.json", run)
    arguments = ["--results", str(folder), "--docs", str(docs)]
    assert performance.main(arguments) == 0
    assert performance.main([*arguments, "--check"]) == 0
    [picture] = (docs / "images").iterdir()
    changed = copy.deepcopy(run)
    changed["groups"][0]["entries"][0]["rates"] = [11.0, 13.0]
    records.save(folder / "a.json", changed)
    assert performance.main([*arguments, "--check"]) == 1
    records.save(folder / "a.json", run)
    picture.unlink()
    assert performance.main([*arguments, "--check"]) == 1


def test_the_page_in_docs_is_made_of_the_results():
    assert performance.main(["--check"]) == 0


def test_tasks_that_were_not_timed_are_listed_with_the_command():
    timed = run_of(entry("ours", [11.0]))
    group = timed["groups"][0]
    text = "\n".join(pages.unmeasured([(timed, group)]))
    given = f"--net {group['net']} --mode {group['mode']} --dtype float32 --backend"
    (line,) = (line for line in text.splitlines() if given in line)
    assert group["backend"] not in line.split(given)[1]
    assert "--net cifar_resnet56 --mode infer --dtype bfloat16 --backend tensorflow,torch" in text


def test_a_gpu_is_not_measured_until_a_run_on_one_is_there():
    cpu = run_of(entry("ours", [11.0]))
    assert f"Not measured. The command is\n\n```shell\n{pages.GPU_COMMAND}" in pages.page([cpu])
    ours = entry("ours", [3000.0], "bfloat16") | {"costs": {"macs": 4 * 10**9, "conv_outputs": 11}}
    text = pages.page([cpu, run_of(ours, device="gpu", batch=256)])
    assert pages.GPU_COMMAND not in text
    assert "7.3%" in text  # 3000 * 3 * 8e9 of 989e12
    assert "1.60" in text  # 4800 GB/s by 3000 images/s


def test_a_gpu_is_known_by_its_drivers_name():
    assert roofline.peak_of("NVIDIA A100-SXM4-80GB").bandwidth == 2.039
    assert roofline.peak_of("NVIDIA A10").bandwidth == 0.6
    assert roofline.peak_of("Tesla T4").bfloat16 is None
    assert roofline.peak_of("Imagined 9000") is None


def test_a_chart_shows_the_groups_it_says_it_does(tmp_path):
    groups = run_of(entry("ours", [1.0, 2.0]), entry("stock", []))["groups"]
    chart.draw(groups, tmp_path / "a.png", "here")
    assert chart.digest_of(tmp_path / "a.png") == chart.digest(groups, "here")
    assert chart.digest_of(tmp_path / "b.png") is None
