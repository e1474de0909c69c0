"""What every contender gives: a step to repeat, and a way to wait for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.training.catalog import NETS, Case

LEARNING_RATE = 0.01
MOMENTUM = 0.9


@dataclass(frozen=True)
class Program:
    """A task that is ready to be timed.

    Args:
        step: runs one batch and returns the loss or the logits; may return early on a GPU.
        wait: given what `step` returned, blocks until all that was started is done.
        costs: of one image forward, `{"macs": ..., "conv_outputs": ...}`, where the contender
            can count them: multiply-adds, and elements written by convolutions.
    """

    step: Callable[[], Any]
    wait: Callable[[Any], None]
    costs: dict[str, int] = field(default_factory=dict)


def batch_of(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Images (batch, size, size, 3) in float32 and labels (batch,) in int32, the same for all."""
    random = np.random.default_rng(0)
    images = random.standard_normal((case.batch, case.size, case.size, 3), dtype="float32")
    return images, random.integers(0, NETS[case.net].classes, case.batch).astype("int32")
