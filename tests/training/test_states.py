"""The states of a run and its folder: running, interrupted, ended early, ended, refused."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from support.resumed_run import At, PowerCut, assert_same, compiled, cut, outcome, run

from keras_resnet import training
from keras_resnet.training import folder
from keras_resnet.training.checkpoints import Checkpoint, Checkpoints, read_state

pytestmark = pytest.mark.portable


class Alternating(keras.callbacks.Callback):
    """A loss that gets worse after the second epoch, for callbacks that watch `score`."""

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = float(abs(epoch - 1))


def weights_of(model):
    return {name: value for name, value in read_state(model).items() if "metrics" not in name}


def stopping():
    return keras.callbacks.EarlyStopping("score", patience=2, mode="min", restore_best_weights=True)


@pytest.mark.parametrize("cut_at", [None, 7, 12])
def test_a_run_that_a_callback_ended_stays_ended_with_its_best_weights(tmp_path, cut_at, capsys):
    def start(*actions):
        model = compiled()
        rows = run(model, tmp_path, Alternating(), stopping(), *actions, steps=40)
        return rows, weights_of(model)

    if cut_at:
        with pytest.raises(PowerCut):
            start(At(cut_at, cut))
    rows, ended = start(At(-1, cut))
    assert [row["step"] for row in rows] == [5, 10, 15, 20]
    whole = compiled()
    run(whole, None, Alternating(), stopping(), At(-1, cut), steps=40)
    assert_same(ended, weights_of(whole))
    again, weights = start(At(0, cut))
    assert again == rows
    assert_same(weights, ended)
    assert "A callback ended this run at step 20 of 40" in capsys.readouterr().out


def test_a_run_that_has_ended_goes_on_where_more_steps_are_asked_for(tmp_path):
    whole = compiled()
    uninterrupted = outcome(whole, run(whole, None, At(-1, cut)))
    run(compiled(), tmp_path, At(-1, cut), steps=10)
    model = compiled()
    assert_same(outcome(model, run(model, tmp_path, At(-1, cut))), uninterrupted)


def test_what_a_callback_remembers_and_cannot_be_kept_is_named(tmp_path, capsys):
    class Files(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.seen = {"epochs": (epoch, np.arange(epoch + 1))}
            self.file = object()

    first, then, given = Files(), Files(), []
    run(compiled(), tmp_path, first, steps=5)
    run(compiled(), tmp_path, then, At(0, lambda: given.append(then.seen)), steps=6)
    assert "Files goes on without its file" in capsys.readouterr().out
    np.testing.assert_equal(given, [first.seen])


@pytest.mark.once
def test_the_best_weights_of_keras_own_checkpoints_are_named_by_epoch_and_loss(tmp_path):
    path = tmp_path / "best-{epoch}-{score}.weights.h5"
    best = keras.callbacks.ModelCheckpoint(
        path, "score", save_best_only=True, save_weights_only=True, mode="min"
    )
    run(compiled(), None, Alternating(), best, steps=20)
    names = sorted(found.name for found in tmp_path.iterdir())
    assert names == ["best-1-1.0.weights.h5", "best-2-0.0.weights.h5"]


@pytest.mark.once
def test_a_folder_belongs_to_one_process_until_it_dies(tmp_path):
    script = "import sys, time, pathlib, runpy; held = runpy.run_path(sys.argv[1])['held']\n"
    script += "with held(pathlib.Path(sys.argv[2])): print('held', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", script, folder.__file__, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"in use by process {other.pid}"):
            run(compiled(), tmp_path, steps=2)
        other.kill()
    half = tmp_path / "checkpoints" / ".half"
    half.mkdir()
    (half / "step-000000001.npz").write_bytes(b"half")
    assert run(compiled(), tmp_path, steps=5)[-1]["step"] == 5
    assert not half.exists()


@pytest.mark.once
@pytest.mark.parametrize("inside", ["", "deep/er"])
def test_a_folder_that_cannot_be_made_is_refused_before_the_first_step(tmp_path, inside):
    (tmp_path / "file").write_text("")
    taken = At(-1, cut)
    with pytest.raises(ValueError, match="`out` must be a folder that can be written to"):
        run(compiled(), tmp_path / "file" / inside, taken, steps=2)
    assert taken.taken == 0


@pytest.mark.once
def test_a_sequential_model_goes_on(tmp_path):
    def start(steps):
        model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
        model.add(keras.layers.Dense(4, "softmax"))
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return run(model, tmp_path, steps=steps)

    start(3)
    assert start(6)[-1]["step"] == 6


@pytest.mark.once
def test_no_altered_bit_of_the_directory_of_a_checkpoint_is_taken_for_a_sound_one(tmp_path):
    kept = Checkpoints(tmp_path)
    state = {name: np.arange(3.0) for name in "abcde"}
    kept.save(Checkpoint(1, state, {}))
    whole = kept.path(1).read_bytes()
    for place in range(whole.index(b"PK\1\2"), len(whole)):
        for bit in (0, 3, 7):
            altered = bytearray(whole)
            altered[place] ^= 1 << bit
            kept.path(1).write_bytes(altered)
            try:
                found = kept.latest().arrays
            except training.DamagedError:
                continue
            np.testing.assert_equal(found, state)
