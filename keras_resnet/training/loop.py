"""What Keras' `fit` calls between steps: it logs and saves without waiting for the device."""

import csv
import signal
import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_resnet.common.files import atomic_write, refuse_other_settings
from keras_resnet.layers.finite import where_not_finite
from keras_resnet.network import check_same_graph, graph_of
from keras_resnet.training.checkpoints import (
    Checkpoint,
    Checkpoints,
    read_state,
    synchronize,
    write_state,
)
from keras_resnet.training.folder import ENDED, ENDED_EARLY, INTERRUPTED, RUNNING
from keras_resnet.training.plan import Plan, Row
from keras_resnet.training.remembered import begun, read_callbacks, restore_callbacks
from keras_resnet.training.watch import NonFiniteLossError, Progress, Request, StoppedError


class Loop(keras.callbacks.CallbackList):
    """Keras' list of callbacks, with what a run needs between its steps.

    Unlike Keras' own it does not read the logs of every step, which waits for the device, unless
    a callback asks for them by having an `on_train_batch_end`; and all calls of `fit` that make
    up one run are one training to the callbacks.

    Args:
        model: compiled.
        callbacks: of Keras.
        plan: see `Plan`.
        request: asks the loop to save and stop.
    """

    def __init__(
        self,
        model: keras.Model,
        callbacks: Sequence[keras.callbacks.Callback],
        plan: Plan,
        request: Request,
    ):
        super().__init__(list(callbacks), add_history=True, model=model)
        self.own = list(callbacks)
        self._async_train = self._async_test = self._async_predict = False
        self.asks_for_logs = any(
            getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name)
            for callback in self.callbacks
            for name in ("on_train_batch_end", "on_batch_end")
        )
        self.plan, self.request, self.distribution = plan, request, plan.distribution
        self.checkpoints = None if plan.folder is None else Checkpoints(plan.folder / "checkpoints")
        shown = plan.progress and self.distribution.is_first
        self.progress = Progress(plan.steps, plan.steps_per_epoch, plan.batch_size, shown)
        self.losses: list[tuple[int, Any]] = []  # of the last steps, on the device
        self.rows: list[Row] = []
        self.step = 0
        self.tried, self.kept = 0, True  # the step last saved, and whether it could be
        self.state = RUNNING
        self.before: list[dict[str, Any]] | None = None  # what callbacks held when they had begun
        self.resumed: Checkpoint | None = None

    def latest(self) -> Checkpoint | None:
        """The checkpoint of an earlier call of `fit` to continue from, if there is one.

        Raises:
            ValueError: it is of another configuration.
        """
        if self.checkpoints is None:
            return None
        if checkpoint := self.checkpoints.latest():
            refuse_other_settings(
                self.checkpoints.folder,
                checkpoint.record["configuration"],
                self.plan.configuration,
                what="a run",
                remedy="Give the same again, another `out`, or start over (--fresh)",
            )
            if graph := checkpoint.record.get("graph"):
                check_same_graph(self.model, graph, str(self.checkpoints.folder))
        return checkpoint

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continues from a checkpoint: the model and its optimizer have its values at once, the
        metrics when `fit` has reset them, the callbacks when they have begun."""
        write_state(self.model, checkpoint.arrays, "model", "optimizer")
        self.distribution.fold_in_rank(self.model)
        self.step = self.tried = checkpoint.step
        self.rows = list(checkpoint.record["rows"])
        self.state = checkpoint.record.get("state", RUNNING)
        self.resumed = checkpoint

    def on_train_begin(self, logs=None):
        if self.before is not None:
            return
        super().on_train_begin(logs)
        self.before = begun(self.own)
        if self.resumed:
            restore_callbacks(self.own, self.resumed.record["callbacks"], self.resumed.arrays)
        self.state = RUNNING

    def on_train_end(self, logs=None):
        """`fit` has ended, not the run: see `finish`."""

    @property
    def is_over(self) -> bool:
        """Whether an earlier call has brought the run to its end, callbacks included."""
        return self.state == ENDED_EARLY or (self.state == ENDED and self.step >= self.plan.steps)

    def how_it_goes_on(self) -> str:
        """Says what becomes of the run that was found."""
        where = f"step {self.step:,} of {self.plan.steps:,}"
        if self.state == ENDED_EARLY:
            return f"A callback ended this run at {where}: a new one needs another folder"
        return f"This run has ended with {where}" if self.is_over else f"Continuing after {where}"

    def finish(self) -> None:
        """Ends the run, and keeps what callbacks have made of it, such as the best weights.

        Raises:
            OSError: it could not be kept.
        """
        self.on_train_begin()  # where a process was killed just before this
        self.restore_metrics()
        super().on_train_end(self.rows[-1] if self.rows else {})
        self.state = ENDED if self.step >= self.plan.steps else ENDED_EARLY
        if not self.save():
            raise OSError(f"The run has ended with step {self.step}, and that was not saved")

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.restore_metrics()
        self.progress.start(self.step)

    def restore_metrics(self) -> None:
        if self.resumed and self.step % self.plan.steps_per_epoch:
            write_state(self.model, self.resumed.arrays, "metrics")
        self.resumed = None

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(self.step % self.plan.steps_per_epoch, logs)

    def on_train_batch_end(self, batch, logs=None):
        plan, within = self.plan, self.step % self.plan.steps_per_epoch
        self.step += 1
        if logs and "loss" in logs:
            self.losses.append((self.step, logs["loss"]))
        if self.asks_for_logs:
            super().on_train_batch_end(within, logs)
        if self.step % plan.log_every == 0 or self.progress.due():
            loss = self.read_losses()
            if self.progress.due():
                self.progress.show(self.step, loss)
        if self.step % plan.steps_per_epoch == 0 or self.step == plan.steps:
            return  # the state of an epoch's end goes with its row
        if self.asked_to_stop():
            self.stop()
        if self.step - self.tried >= plan.checkpoint_every:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.read_losses()
        self.distribution.sync_state(self.model)
        rate = {"images_per_second": round(self.progress.images_per_second(self.step), 2)}
        means = {name: float(value) for name, value in (logs or {}).items()}
        means = self.distribution.mean(means | rate)
        row = {
            "step": self.step,
            **{name: means[name] for name in logs or {}},
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "images_per_second": means["images_per_second"],
        }
        if self.plan.evaluate:
            measured = self.plan.evaluate(self.model)
            row |= {name: np.asarray(value).item() for name, value in measured.items()}
        row["seconds"] = round(self.progress.seconds(), 1)
        super().on_epoch_end(epoch, row)  # no "epoch", which ModelCheckpoint adds to these itself
        self.rows.append({"epoch": epoch + 1, **row})
        if self.distribution.is_first:
            self.report()
        self.save()
        if self.asked_to_stop(meet=True):
            self.stop()

    def asked_to_stop(self, meet: bool = False) -> bool:
        """Whether to save and stop now, which all processes must do at the same step."""
        if self.distribution.count > 1:
            if not meet and self.step % self.plan.log_every:
                return False
            signals = self.distribution.gather(self.request.signal)
            self.request.signal = next((one for one in signals if one is not None), None)
        return self.request.signal is not None

    def read_losses(self) -> float | None:
        """The newest loss. It waits for the device, which is idle meanwhile.

        Keras logs the mean of an epoch so far: once a loss is not finite, neither is any mean
        after it, so the first such mean is of the step that was.

        Raises:
            NonFiniteLossError: the loss of one of the last steps is not finite.
        """
        losses, self.losses = self.losses, []
        newest = None
        for step, loss in losses:
            newest = float(keras.ops.convert_to_numpy(loss))
            if not np.isfinite(newest):
                synchronize(self.model)
                raise self.non_finite(f"The loss is {newest} at step {step}")
        return newest

    def non_finite(self, message: str) -> NonFiniteLossError:
        good = "there is no checkpoint"
        if self.checkpoints and (steps := self.checkpoints.steps()):
            good = f"the last good checkpoint is {self.checkpoints.path(steps[-1])}"
        where = where_not_finite(self.model)
        return NonFiniteLossError(
            f"{message}; {good}. Such numbers begin in {where}; a lower learning rate may help"
        )

    def save(self) -> bool:
        """Writes the run's state, where it has a folder.

        Returns:
            False where it could not be written. Training goes on, and the next attempt is made
            `checkpoint_every` steps later.
        """
        if self.checkpoints is None:
            return True
        synchronize(self.model)
        self.read_losses()
        self.distribution.sync_state(self.model)
        self.tried, self.kept = self.step, True
        if not self.distribution.is_first:
            return True
        arrays = read_state(self.model)
        for name, array in arrays.items():
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise self.non_finite(f"The variable {name} is not finite after step {self.step}")
        record = {
            "configuration": self.plan.configuration,
            "graph": graph_of(self.model),
            "rows": self.rows,
            "callbacks": read_callbacks(self.own, self.before or [], arrays),
            "state": self.state,
        }
        try:
            self.checkpoints.save(Checkpoint(self.step, arrays, record))
        except OSError as error:
            self.progress.clear()
            print(
                f"The checkpoint of step {self.step} could not be written ({error}); training "
                f"goes on, and would restart from step {max([0, *self.checkpoints.steps()])}",
                flush=True,
            )
            self.kept = False
        return self.kept

    def report(self) -> None:
        """Prints a line for the last epoch, and writes the table of all for other programs."""
        if self.progress.shown:
            self.progress.clear()
            print("  ".join(f"{name} {value:,.5g}" for name, value in self.rows[-1].items()))
            sys.stdout.flush()
        if self.plan.folder is None:
            return
        names = dict.fromkeys(name for row in self.rows for name in row)
        try:
            with (
                atomic_write(self.plan.folder / "log.csv") as path,
                path.open("w", newline="") as file,
            ):
                writer = csv.DictWriter(file, list(names))
                writer.writeheader()
                writer.writerows(self.rows)
        except OSError as error:
            print(f"log.csv could not be written ({error}); training goes on", flush=True)

    def stop(self) -> None:
        """Saves, and ends the program with the exit code of the signal, or 1 if it could not."""
        number = self.request.signal or signal.SIGTERM
        self.state = INTERRUPTED
        self.save()
        where = "nothing was saved: the run has no folder"
        if self.checkpoints:
            steps = [0, *self.checkpoints.steps()]
            where = f"not saved: the newest checkpoint is of step {max(steps)}"
            where = f"saved in {self.checkpoints.folder}" if self.kept else where
        self.progress.clear()
        raise StoppedError(
            128 + number if self.kept else 1,  # the first is what a shell reports of a signal
            f"Stopped by {signal.Signals(number).name} after step {self.step}; {where}",
        )
