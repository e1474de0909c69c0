"""What Keras' `fit` calls between steps: books are kept, state is saved, nobody waits."""

import json
import signal
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_resnet.layers.backend import backend_part
from keras_resnet.training.checkpoints import Checkpoint, Checkpoints, read_state, write_state
from keras_resnet.training.distribution import Distribution
from keras_resnet.training.watch import (
    LossWatch,
    NonFiniteLossError,
    Progress,
    Request,
    StoppedError,
)

Row = dict[str, Any]
PLAIN = (bool, int, float, str, type(None))


def state_of_callback(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What `get_state()` gives, or else the callback's plain attributes, for `json`.

    The second covers Keras' own: the best value so far and the patience spent of
    ReduceLROnPlateau, EarlyStopping and ModelCheckpoint.
    """
    if hasattr(callback, "get_state"):
        return callback.get_state()
    attributes = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in vars(callback).items()
    }
    return {name: value for name, value in attributes.items() if isinstance(value, PLAIN)}


def restore_callback(callback: keras.callbacks.Callback, state: dict[str, Any]) -> None:
    if hasattr(callback, "set_state"):
        callback.set_state(state)
        return
    if "monitor_op" not in state and getattr(callback, "monitor_op", 0) is None:
        # It was a function: Keras chooses it late, and turns the sign of min_delta as it does.
        callback._set_monitor_op()
    vars(callback).update(state)


def restore_callbacks(
    callbacks: Sequence[keras.callbacks.Callback], saved: Sequence[tuple[str, dict[str, Any]]]
) -> None:
    """Gives the callbacks of each class the states that those of the class had, in their order.

    One that was not there before begins anew; a state that no callback is there for is left.
    """
    states: dict[str, list[dict[str, Any]]] = {}
    for name, state in saved:
        states.setdefault(name, []).append(state)
    for callback in callbacks:
        if left := states.get(type(callback).__name__):
            restore_callback(callback, left.pop(0))


class Loop(keras.callbacks.CallbackList):
    """Keras' list of callbacks, with what a run needs between its steps.

    Unlike Keras' own it does not read the logs of every step, which waits for the device, unless
    a callback asks for them by having an `on_train_batch_end`; and all calls of `fit` that make
    up one run are one training to the callbacks.

    Args:
        model: compiled.
        callbacks: of Keras.
        plan: how far: see `Plan`.
        checkpoints: where to save, or None.
        checkpoint_every: steps between two checkpoints.
        evaluate: called with the model after every epoch; its numbers go into the row.
        request: asks the loop to save and stop.
        progress: the line that is shown.
        on_row: called with all rows when one is added.
        log_every: steps between two readings of the loss.
        context: what goes into every checkpoint's record besides.
        distribution: the processes that run this loop together. They meet where state is saved
            or measured, and every `log_every` steps: there a request to stop is one to all.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        steps_per_epoch: int,
        checkpoints: Checkpoints | None,
        checkpoint_every: int,
        evaluate: Callable[[keras.Model], dict[str, float]] | None,
        request: Request,
        progress: Progress,
        on_row: Callable[[list[Row]], None],
        log_every: int,
        context: dict[str, Any],
        distribution: Distribution,
    ):
        super().__init__(list(callbacks), add_history=True, model=model)
        self.own = list(callbacks)
        self._async_train = self._async_test = self._async_predict = False
        self.asks_for_logs = any(
            type(callback).on_train_batch_end is not keras.callbacks.Callback.on_train_batch_end
            or type(callback).on_batch_end is not keras.callbacks.Callback.on_batch_end
            for callback in self.callbacks
        )
        self.steps_per_epoch = steps_per_epoch
        self.checkpoints, self.checkpoint_every = checkpoints, checkpoint_every
        self.evaluate, self.request, self.progress = evaluate, request, progress
        self.on_row, self.log_every, self.context = on_row, log_every, context
        self.distribution = distribution
        self.watch = LossWatch()
        self.rows: list[Row] = []
        self.step = self.saved = 0
        self.began = False
        self.resumed: Checkpoint | None = None

    def resume(self, checkpoint: Checkpoint) -> None:
        """Goes on from a checkpoint: the model and its optimizer have its values at once, the
        metrics when `fit` has reset them, the callbacks when they have begun."""
        write_state(self.model, checkpoint.arrays, "model", "optimizer")
        self.distribution.spread_seeds(self.model)
        self.step = self.saved = checkpoint.step
        self.rows = list(checkpoint.record["rows"])
        self.resumed = checkpoint

    def on_train_begin(self, logs=None):
        if self.began:
            return
        self.began = True
        super().on_train_begin(logs)
        if self.resumed:
            restore_callbacks(self.own, self.resumed.record["callbacks"])

    def on_train_end(self, logs=None):
        """`fit` has ended, not the run: see `finish`."""

    def finish(self) -> None:
        if self.began:
            super().on_train_end(self.rows[-1] if self.rows else {})

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if self.resumed and self.step % self.steps_per_epoch:
            write_state(self.model, self.resumed.arrays, "metrics")
        self.resumed = None
        self.progress.start(self.step)

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(self.step % self.steps_per_epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        within = self.step % self.steps_per_epoch
        self.step += 1
        self.watch.add(self.step, logs)
        if self.asks_for_logs:
            super().on_train_batch_end(within, logs)
        if self.step % self.log_every == 0 or self.progress.due():
            loss = self.look()
            if self.progress.due():
                self.progress.show(self.step, loss)
        if self.step % self.steps_per_epoch == 0 or self.step == self.progress.steps:
            return  # the state of an epoch's end goes with its row
        if self.asked_to_stop():
            self.stop()
        if self.step - self.saved >= self.checkpoint_every:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.look()
        self.distribution.settle(self.model)
        rate = {"images_per_second": round(self.progress.images_per_second(self.step), 2)}
        means = {name: float(value) for name, value in (logs or {}).items()}
        means = self.distribution.mean(means | rate)
        row = {
            "epoch": epoch + 1,
            "step": self.step,
            **{name: means[name] for name in logs or {}},
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "images_per_second": means["images_per_second"],
        }
        if self.evaluate:
            measured = self.evaluate(self.model)
            row |= {name: np.asarray(value).item() for name, value in measured.items()}
        row["seconds"] = round(self.progress.seconds(), 1)
        self.rows.append(row)
        super().on_epoch_end(epoch, row)
        if self.distribution.is_first:
            self.on_row(self.rows)
        self.save()
        if self.asked_to_stop(meet=True):
            self.stop()

    def asked_to_stop(self, meet: bool = False) -> bool:
        """Whether to save and stop now, which all processes must do at the same step."""
        if self.distribution.count > 1:
            if not meet and self.step % self.log_every:
                return False
            signals = self.distribution.gather(self.request.signal)
            self.request.signal = next((one for one in signals if one is not None), None)
        return self.request.signal is not None

    def look(self) -> float | None:
        try:
            return self.watch.read()
        except NonFiniteLossError as error:
            raise self.explained(error) from None

    def explained(self, error: NonFiniteLossError) -> NonFiniteLossError:
        good = "there is no checkpoint"
        if self.checkpoints and (steps := self.checkpoints.steps()):
            good = f"the last good checkpoint is {self.checkpoints.path(steps[-1])}"
        return NonFiniteLossError(f"{error}; {good}. A lower learning rate may help")

    def save(self) -> bool:
        """Writes the run's state, where it has a folder. False where the disk would not take it:
        training goes on."""
        if self.checkpoints is None:
            return True
        backend_part("training", "averages").synchronize(self.model)
        self.look()
        self.distribution.settle(self.model)
        if not self.distribution.is_first:
            self.saved = self.step
            return True
        arrays = read_state(self.model)
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                message = f"The variable {name} is not finite after step {self.step}"
                raise self.explained(NonFiniteLossError(message))
        record = {
            **self.context,
            "rows": self.rows,
            "callbacks": [
                (type(callback).__name__, state_of_callback(callback)) for callback in self.own
            ],
        }
        json.dumps(record)
        try:
            self.checkpoints.save(Checkpoint(self.step, arrays, record))
        except OSError as error:
            self.progress.clear()
            print(
                f"The checkpoint of step {self.step} could not be written ({error}); training "
                f"goes on, and would restart from step {self.saved_before()}",
                flush=True,
            )
            # Not again at the very next step.
            self.saved = self.step
            return False
        self.saved = self.step
        return True

    def saved_before(self) -> int:
        steps = self.checkpoints.steps() if self.checkpoints else []
        return steps[-1] if steps else 0

    def stop(self) -> None:
        """Saves, and ends the program as whoever sent the signal wants."""
        number = self.request.signal or signal.SIGTERM
        kept = self.saved == self.step or self.save()
        where = "nothing was saved: the run has no folder"
        if self.checkpoints:
            where = f"saved in {self.checkpoints.folder}" if kept else "the state was not saved"
        self.progress.clear()
        raise StoppedError(
            number, f"Stopped by {signal.Signals(number).name} after step {self.step}; {where}"
        )
