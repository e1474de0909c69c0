"""A run that is stopped, however, and started again is the run that was not stopped."""

import multiprocessing
import os
import random
import resource
import signal
import sys

import keras
import numpy as np
import pytest
from support.resumed_run import At, PowerCut, assert_same, compiled, cut, main, outcome, run, send

import keras_resnet
from keras_resnet import training
from keras_resnet.training.checkpoints import Checkpoint, Checkpoints
from keras_resnet.training.fitting import calls_of_fit
from keras_resnet.training.remembered import restore_callbacks


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    model = compiled()
    rows = run(model, tmp_path_factory.mktemp("whole"), At(-1, cut))
    return outcome(model, rows)


def test_a_run_cut_three_times_ends_bit_for_bit_as_one_that_was_not(tmp_path, uninterrupted):
    for step in (3, 7, 15):  # before an epoch has ended, within one, at the end of one
        with pytest.raises(PowerCut):
            run(compiled(), tmp_path, At(step, cut))
        assert step - Checkpoints(tmp_path / "checkpoints").latest().step <= 2
    model = compiled()
    rows = run(model, tmp_path, At(-1, cut))
    assert_same(outcome(model, rows), uninterrupted)
    written = (tmp_path / "log.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in written[1:]] == ["5", "10", "15", "17"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_six_kills_at_random_moments_change_nothing(tmp_path, seed, monkeypatch):
    """Before a step or some milliseconds later, with a random source and callbacks of Keras."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    server = multiprocessing.get_context("forkserver")  # imports once, for all processes
    server.set_forkserver_preload(["support.resumed_run"])

    def started(folder, *arguments):
        words = [str(tmp_path / folder), *map(str, arguments), "--drawn", str(seed)]
        process = server.Process(target=main, args=(words,))
        process.start()
        process.join()
        return process.exitcode

    def held(name):
        assert started(name, "--save", tmp_path / f"{name}.npz") == 0
        return dict(np.load(tmp_path / f"{name}.npz"))

    whole = held("whole")
    taken = int(whole["step"][-1])  # fewer where a callback ends it
    draw = random.Random(f"{keras.backend.backend()} {seed}")
    for step in sorted(draw.choices(range(1, taken), k=6)):
        late = draw.choice([0, draw.uniform(0.001, 0.1)])
        assert started("cut", "--die-at", step, "--late", late) == -signal.SIGKILL
    assert_same(held("cut"), whole)


def test_sigterm_saves_and_exits(tmp_path, uninterrupted, capsys):
    for step in (3, 4):  # within an epoch, at the end of one
        with pytest.raises(training.StoppedError) as stopped:
            run(compiled(), tmp_path, At(step, send(signal.SIGTERM)), checkpoint_every=1000)
        assert stopped.value.code == 128 + signal.SIGTERM
        assert f"SIGTERM after step {step + 1}; saved in" in capsys.readouterr().out
        assert Checkpoints(tmp_path / "checkpoints").latest().step == step + 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    model = compiled()
    assert_same(outcome(model, run(model, tmp_path, At(-1, cut))), uninterrupted)


@pytest.mark.portable
def test_a_finished_run_is_not_trained_on(tmp_path):
    rows = run(compiled(), tmp_path, steps=3)
    model = compiled()
    assert run(model, tmp_path, steps=3) == rows
    assert int(model.optimizer.iterations) == 3


class Other(keras.callbacks.Callback):
    """One more callback, as `--tensorboard` makes."""


@pytest.mark.portable
@pytest.mark.parametrize("begins_with", [True, False])
def test_a_callback_may_come_or_go_when_a_run_goes_on(tmp_path, begins_with):
    first, then = At(-1, cut), At(-1, cut)
    both = ([Other(), first], [then]) if begins_with else ([first], [Other(), then])
    run(compiled(), tmp_path, *both[0], steps=3)
    assert run(compiled(), tmp_path, *both[1], steps=6)[-1]["step"] == 6
    assert then.taken == 6


@pytest.mark.once
def test_states_go_to_callbacks_of_their_class_in_their_order():
    callbacks = [At(0, cut), Other(), At(0, cut), At(0, cut)]
    saved = [("Gone", {})] + [("At", {"given": {"taken": taken}}) for taken in (5, 7)]
    restore_callbacks(callbacks, saved, {})
    assert [one.taken for one in callbacks if isinstance(one, At)] == [5, 7, 0]


@pytest.mark.portable
def test_a_run_of_another_configuration_is_refused_and_the_difference_listed(tmp_path):
    run(compiled(), tmp_path, steps=2, configuration={"rate": 0.1, "seed": 0})
    with pytest.raises(ValueError, match=r"rate: 0.1 before, 0.2 now.*Give the same again"):
        run(compiled(), tmp_path, steps=4, configuration={"rate": 0.2, "seed": 0})


@pytest.mark.portable
def test_a_run_of_another_network_is_refused(tmp_path):
    run(compiled(), tmp_path, steps=2)
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(4))
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="of another model or optimizer"):
        run(model, tmp_path, steps=4)


@pytest.mark.portable
def test_a_run_of_a_network_of_the_same_shapes_that_computes_something_else_is_refused(tmp_path):
    nets = [
        keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=4, zero_channels=zeros)
        for zeros in ("end", "center")
    ]
    for net in nets:
        net.compile("sgd", "sparse_categorical_crossentropy")
    run(nets[0], tmp_path, steps=1)
    with pytest.raises(ValueError, match=r"zero_channels='end'.*computes something else"):
        run(nets[1], tmp_path, steps=2)


@pytest.mark.portable
def test_a_full_disk_keeps_training_and_says_so(tmp_path, capsys):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_the_disk():  # a checkpoint has 600 kB
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))

    try:
        with pytest.raises(OSError, match="has ended with step 7, and that was not saved"):
            run(compiled(), tmp_path, At(3, fill_the_disk), steps=7)
        # Of no use to the next call: asked to stop, a run says so too.
        with pytest.raises(training.StoppedError) as stopped:
            run(compiled(), tmp_path, At(3, send(signal.SIGTERM)), steps=7, checkpoint_every=100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert stopped.value.code == 1
    assert "not saved: the newest checkpoint is of step 2" in stopped.value.message
    assert "step 4 could not be written" in capsys.readouterr().out
    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.latest().step == 2
    assert sorted(path.name for path in kept.folder.iterdir()) == ["step-000000002.npz"]


def test_a_loss_that_is_not_finite_stops_at_its_step(tmp_path):
    model = compiled()

    def spoil():
        model.optimizer.learning_rate = np.nan

    with pytest.raises(training.NonFiniteLossError) as stopped:
        run(model, tmp_path, At(5, spoil), log_every=100, checkpoint_every=4)
    # The step that spoils the weights is the sixth; the loss of the seventh shows it.
    assert "The loss is nan at step 7" in str(stopped.value)
    assert "step-000000005.npz" in str(stopped.value)


@pytest.mark.portable
def test_a_weight_that_is_not_finite_is_not_saved(tmp_path):
    """The loss does not show it: the metrics of this epoch are of the steps before."""
    model = compiled()

    def spoil():
        gamma = model.trainable_variables[1]
        gamma.assign(np.full(gamma.shape, np.inf))

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            spoil()

    with pytest.raises(training.NonFiniteLossError, match=r"The variable model/00001/gamma.* 5;"):
        run(model, tmp_path, Spoil(), steps=5, checkpoint_every=4)
    assert Checkpoints(tmp_path / "checkpoints").steps() == [4]


@pytest.mark.once
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path, capsys):
    kept = Checkpoints(tmp_path)
    for step in (1, 2):
        kept.save(Checkpoint(step, {"weights": np.arange(1000.0)}, {"rows": []}))
    whole = kept.path(2).read_bytes()
    for damaged in (whole[:-100], whole[:500] + b"?" + whole[501:], b"", b"not a checkpoint"):
        kept.path(2).write_bytes(damaged)
        assert kept.latest().step == 1
        assert "step-000000002.npz" in capsys.readouterr().out
    kept.path(1).write_bytes(whole[:500])
    with pytest.raises(training.DamagedError, match="No checkpoint of this run can be read"):
        kept.latest()


@pytest.mark.once
def test_no_altered_byte_of_an_array_goes_unnoticed(tmp_path):
    kept = Checkpoints(tmp_path)
    kept.save(Checkpoint(1, {"weights": np.zeros(4000)}, {}))
    whole = kept.path(1).read_bytes()
    for place in range(1000, 30_000, 997):
        altered = bytearray(whole)
        altered[place] ^= 1
        kept.path(1).write_bytes(altered)
        with pytest.raises(training.DamagedError):
            kept.latest()


@pytest.mark.once
@pytest.mark.parametrize("step", range(24))
def test_calls_of_fit_cover_every_step_once_and_break_at_epochs(step):
    calls = list(calls_of_fit(step, 23, 5))
    assert [n for start, stop in calls for n in range(start, stop)] == list(range(step, 23))
    for start, stop in calls:
        assert start // 5 == (stop - 1) // 5 or start % 5 == stop % 5 == 0


@pytest.mark.portable
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": None}, "one of `steps` and `epochs`"),
        ({"steps": 0}, "`steps` must be a positive integer. Received: steps=0"),
        ({"checkpoint_every": 0}, "`checkpoint_every` must be a positive integer"),
        ({"log_every": 1.5}, "`log_every` must be an integer"),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        run(compiled(), None, **options)
