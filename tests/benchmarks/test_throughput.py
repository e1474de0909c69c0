"""benchmarks/training: turns, contenders, options."""

import importlib
import json
import math
import re

import keras
import pytest
from support import without_values

import keras_resnet
from benchmarks.training import catalog, keras_models, results, throughput, turns

pytestmark = pytest.mark.portable

BACKEND = keras.backend.backend()


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
    module = importlib.import_module(f"benchmarks.training.{catalog.CONTENDERS[contender].module}")
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
