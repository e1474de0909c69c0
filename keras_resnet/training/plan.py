"""What a run is to do, as data."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from keras_resnet.training.distribution import Distribution

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How far a run goes, and what is done beside its steps.

    Args:
        steps: of the optimizer in all.
        steps_per_epoch, batch_size: of the data.
        folder: of the run, or None to save nothing.
        configuration: what the run depends on; kept in every checkpoint.
        checkpoint_every: steps between two checkpoints.
        evaluate: called with the model after every epoch; its numbers go into the row.
        log_every: steps between two readings of the loss.
        progress: whether to show it.
        distribution: the processes that run the plan together. They wait for one another where
            state is saved or measured, and every `log_every` steps: there a request to stop one
            of them becomes a request to all.
    """

    steps: int
    steps_per_epoch: int
    batch_size: int
    folder: Path | None
    configuration: dict[str, Any]
    checkpoint_every: int
    evaluate: Callable[[keras.Model], dict[str, float]] | None
    log_every: int
    progress: bool
    distribution: Distribution
