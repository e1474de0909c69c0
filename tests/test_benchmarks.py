"""benchmarks/throughput.py: turns, ratios, verdicts, and the page that is made of them."""

import copy
import importlib
import importlib.util
import json
import math
import pathlib
import re
import sys

import keras
import pytest
from support import without_values

import keras_resnet

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import throughput  # noqa: E402
from sidebyside import (  # noqa: E402
    catalog,
    chart,
    keras_models,
    machine,
    pages,
    results,
    roofline,
    targets,
    turns,
)

BACKEND = keras.backend.backend()
specification = importlib.util.spec_from_file_location(
    "tools_performance", ROOT / "tools" / "performance.py"
)
performance = importlib.util.module_from_spec(specification)
specification.loader.exec_module(performance)


def case(contender="ours", **changes) -> catalog.Case:
    task = {
        "backend": BACKEND,
        "net": "cifar_resnet56",
        "mode": "infer",
        "dtype": "float32",
        "batch": 2,
        "size": 32,
        "threads": 1,
        "device": "cpu",
    }
    return catalog.Case(contender, **(task | changes))


def group(*cases) -> catalog.Group:
    first = cases[0]
    return catalog.Group(first.backend, first.net, first.mode, first.batch, first.size, cases)


def entry(contender, rates, dtype="float32", memory=10**9):
    return {"contender": contender, "dtype": dtype, "rates": rates, "peak_bytes": memory}


def run_of(*entries, date="2026-01-02T03:04:05+00:00", device="cpu", **task) -> dict:
    """A run with one group, which by default decides the first target."""
    task = {"backend": "tensorflow", "net": "resnet50", "mode": "train", "batch": 8} | task
    return {
        "format": results.FORMAT,
        "date": date,
        "command": "python benchmarks/throughput.py",
        "commit": "0123456789ab",
        "device": device,
        "machine": machine.describe() | {"gpus": [{"name": "NVIDIA H200", "driver": "1"}]},
        "versions": {"keras": "3.15.1"},
        "settings": {"rounds": 3, "steps": 1, "threads": 2, "restart": False},
        "groups": [{**task, "size": 224, "entries": list(entries)}],
        "imports": [],
    }


class Scripted:
    """Stands in for a contender's process: says who was asked, and fails where told to."""

    asked: list[str]
    failing: str | None
    interrupted_after: int | None

    def __init__(self, case, timeout):
        self.name = case.contender
        self.ready = {"build_seconds": 1.0, "first_step_seconds": 2.0, "step_seconds": 0.5}

    def ask(self, steps):
        if len(Scripted.asked) == Scripted.interrupted_after:
            raise KeyboardInterrupt
        Scripted.asked.append(self.name)
        if self.name == Scripted.failing:
            raise turns.ContenderError("out of memory")
        return {"seconds": 0.5, "peak_bytes": 7}

    def stop(self):
        Scripted.asked.append(f"{self.name} stopped")


@pytest.fixture
def scripted(monkeypatch):
    Scripted.asked, Scripted.failing, Scripted.interrupted_after = [], None, None
    monkeypatch.setattr(turns, "Worker", Scripted)
    return Scripted


def test_contenders_take_turns_and_are_stopped(scripted):
    entries = []
    turns.run(group(case("ours"), case("stock")), turns.Settings(2, 3), entries, print)
    assert scripted.asked[:4] == ["ours", "stock"] * 2
    assert scripted.asked[4:] == ["ours stopped", "stock stopped"]
    assert [one["rates"] for one in entries] == [[2 * 3 / 0.5] * 2] * 2


def test_restarting_keeps_one_process_at_a_time(scripted):
    entries = []
    settings = turns.Settings(2, 3, restart=True)
    turns.run(group(case("ours"), case("stock")), settings, entries, print)
    assert scripted.asked == ["ours", "ours stopped", "stock", "stock stopped"] * 2


@pytest.mark.parametrize(("device", "restart"), [("cpu", False), ("gpu", True)])
def test_on_a_gpu_one_process_holds_its_memory_at_a_time(device, restart):
    assert throughput.options(["--device", device]).restart is restart
    assert not throughput.options(["--device", device, "--no-restart"]).restart


def test_the_page_gives_the_command_that_its_promises_come_from():
    run = run_of(entry("ours", [11.0])) | {"command": "python throughput.py --targets --rounds 4"}
    assert f"{run['command']}\n{pages.PAGE_COMMAND}" in pages.page([run])


def test_a_contender_that_fails_is_reported_and_the_others_go_on(scripted, capsys):
    scripted.failing = "ours"
    entries = []
    turns.run(group(case("ours"), case("stock")), turns.Settings(2, 1), entries, print)
    assert entries[0]["error"] == "out of memory"
    assert entries[0]["rates"] == []
    assert len(entries[1]["rates"]) == 2
    assert "ours float32: failed: out of memory" in capsys.readouterr().out


def test_a_contender_whose_package_is_absent_is_missing_by_the_name_of_the_extra(
    scripted, monkeypatch
):
    row = catalog.CONTENDERS["stock"]
    absent = catalog.Contender(row.label, row.module, row.backends, ("no_such_package",))
    monkeypatch.setitem(catalog.CONTENDERS, "stock", absent)
    entries = []
    turns.run(group(case("stock"), case("ours")), turns.Settings(1, 1), entries, print)
    assert entries[0]["missing"] == ["no_such_package"]
    assert entries[0]["install"] == 'pip install "keras3-resnet[benchmarks]"'
    assert "missing: no_such_package" in results.why_not(entries[0])
    assert "stock" not in scripted.asked


def test_an_interrupted_run_keeps_what_was_measured(scripted, tmp_path):
    scripted.interrupted_after = 3
    out = tmp_path / "run.json"
    arguments = ["--backend", BACKEND, "--net", "cifar_resnet56", "--mode", "infer", "--quick"]
    arguments += ["--dtype", "float32", "--contenders", "ours,stock", "--out", str(out)]
    assert throughput.main([*arguments, "--device", "cpu"]) == 130
    run = json.loads(out.read_text())
    assert run["stopped"]
    assert [len(one["rates"]) for one in run["groups"][0]["entries"]] == [2, 1]
    assert scripted.asked == ["ours", "stock", "ours", "ours stopped", "stock stopped"]


def test_a_process_answers_with_rates_and_memory_or_with_what_went_wrong():
    entries = []
    # keras.applications has no CIFAR network: its process cannot build this one at 16 pixels
    cases = (case("ours"), case("keras.applications", size=16))
    turns.run(group(*cases), turns.Settings(2, 1), entries, print)
    ours, other = entries
    assert len(ours["rates"]) == 2
    assert min(ours["rates"]) > 0
    assert ours["peak_bytes"] is None or ours["peak_bytes"] > 10**6
    assert ours["costs"]["macs"] > 10**8
    assert "ValueError" in other["error"]
    assert other["rates"] == []


def test_a_silent_process_is_given_up():
    with pytest.raises(turns.ContenderError, match="no answer within 0 s"):
        turns.Worker(case(), timeout=0.05)


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


def test_our_float32_takes_part_where_bfloat16_is_timed():
    made = catalog.groups(
        ["tensorflow"],
        "resnet50",
        ["train"],
        ["bfloat16"],
        list(catalog.CONTENDERS),
        device="cpu",
        threads=2,
    )
    assert "ours float32" in [one.key for one in made[0].cases]


def test_contenders_of_one_group_have_one_graph():
    for name, row in catalog.CONTENDERS.items():
        if {"torchvision", "timm", "flax"} & set(row.packages):
            assert "resnet50" not in row.nets, name
    assert catalog.CONTENDERS["keras.applications"].nets == ("resnet50",)


@pytest.mark.parametrize("net", catalog.NETS)
def test_estimates_go_by_the_multiply_adds_of_the_network(net):
    row = catalog.NETS[net]
    with without_values():
        costs = keras_resnet.count(keras_models.network(case(net=net, size=row.size)))
    assert costs.macs / 1e9 == pytest.approx(row.gigamacs, rel=0.05)


PEERS = [
    (name, net)
    for name, row in catalog.CONTENDERS.items()
    if row.module in ("torch_models", "flax_models")
    for net in row.nets
]


@pytest.mark.parametrize(("contender", "net"), PEERS)
def test_a_contender_of_another_library_has_as_many_parameters_as_ours(contender, net):
    if BACKEND not in catalog.CONTENDERS[contender].backends:
        pytest.skip("a contender on another backend")
    peer = case(contender, net=net, size=catalog.NETS[net].size)
    if lacking := catalog.missing(peer):
        pytest.skip(f"needs {', '.join(lacking)}")
    module = importlib.import_module(f"sidebyside.{catalog.CONTENDERS[contender].module}")
    module.load(peer)
    model = module.network(peer)
    if BACKEND == "torch":
        shapes = [parameter.shape for parameter in model.parameters()]
    else:
        import jax

        image = jax.ShapeDtypeStruct((1, peer.size, peer.size, 3), "float32")
        key = jax.random.key(0)
        made = jax.eval_shape(lambda key, image: model.init(key, image, train=False), key, image)
        shapes = [parameter.shape for parameter in jax.tree.leaves(made["params"])]
    with without_values():
        ours = keras_resnet.count(keras_models.network(case(net=net, size=peer.size)))
    assert sum(map(math.prod, shapes)) == ours.trainable


def test_the_page_is_stale_when_a_figure_or_a_chart_changes(tmp_path):
    folder, docs = tmp_path / "results", tmp_path / "docs"
    folder.mkdir()
    run = run_of(entry("ours", [11.0, 12.0]), entry("keras.applications", [10.0, 9.0]))
    results.save(folder / "a.json", run)
    arguments = ["--results", str(folder), "--docs", str(docs)]
    assert performance.main(arguments) == 0
    assert performance.main([*arguments, "--check"]) == 0
    [picture] = (docs / "images").iterdir()
    changed = copy.deepcopy(run)
    changed["groups"][0]["entries"][0]["rates"] = [11.0, 13.0]
    results.save(folder / "a.json", changed)
    assert performance.main([*arguments, "--check"]) == 1
    results.save(folder / "a.json", run)
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--net", "resnet51"], r"resnet50, .*Received: resnet51"),
        (["--rounds", "0"], "positive integer. Received: 0"),
        (["--out", "run.txt"], "ends in .json. Received: run.txt"),
        (["--targets", "--device", "gpu"], "--device cpu"),
    ],
)
def test_an_option_that_is_not_accepted_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        throughput.options(arguments)
    assert re.search(message, capsys.readouterr().err)


def test_a_result_is_never_overwritten(tmp_path, capsys):
    out = tmp_path / "run.json"
    out.write_text("{}")
    with pytest.raises(SystemExit):
        throughput.options(["--out", str(out)])
    assert "not overwritten" in capsys.readouterr().err
