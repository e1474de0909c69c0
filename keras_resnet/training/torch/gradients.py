"""PyTorch: gradients averaged over processes while the backward pass still runs.

`DistributedDataParallel` wants to be called in the model's place, which `model.fit` does not do.
This is its algorithm (Li et al., VLDB 2020, arXiv:2006.15704, Sec. 3.2) in hooks of autograd:
gradients are put into buckets in the order in which they become ready, and a full bucket is
summed over the processes while earlier layers compute.
"""

import threading
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.hooks import RemovableHandle

from keras_resnet.layers.torch.internals import after_backward
from keras_resnet.training.processes import buckets_of


def average_gradients(parameters: Sequence[torch.nn.Parameter]) -> list[RemovableHandle]:
    """From now on `loss.backward()` leaves the mean over all processes in `parameter.grad`.

    Args:
        parameters: the same in every process, in the order in which the network uses them.

    Returns:
        What ends it, when all are removed.
    """
    averager = Averager(buckets_of(parameters[::-1], bytes_of, kind_of))
    return [
        parameter.register_post_accumulate_grad_hook(averager.ready) for parameter in parameters
    ]


def bytes_of(parameter: torch.Tensor) -> int:
    return parameter.numel() * parameter.element_size()


def kind_of(parameter: torch.Tensor) -> tuple:
    return parameter.dtype, parameter.device


class Averager:
    """What a backward pass has left to do.

    Buckets are sent in order, as every process must send them in the same. What is not full when
    the pass ends, because a layer had no part in the loss, is sent then, zeros in its place.
    """

    def __init__(self, buckets: list[list[torch.nn.Parameter]]):
        self.buckets = buckets
        self.bucket_of = {id(p): n for n, bucket in enumerate(buckets) for p in bucket}
        self.lock = threading.Lock()  # each device has a thread of autograd
        self.begin()

    def begin(self) -> None:
        self.missing = [len(bucket) for bucket in self.buckets]
        self.sent: list[tuple[torch.Tensor, dist.Work]] = []
        self.running = False

    def ready(self, parameter: torch.nn.Parameter) -> None:
        with self.lock:
            if not self.running:
                self.running = True
                after_backward(self.finish)
            self.missing[self.bucket_of[id(parameter)]] -= 1
            while len(self.sent) < len(self.buckets) and self.missing[len(self.sent)] == 0:
                self.send()

    def send(self) -> None:
        """Starts summing the next bucket."""
        bucket = self.buckets[len(self.sent)]
        with torch.no_grad():
            for parameter in bucket:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
            flat = torch.cat([flat_of(parameter.grad) for parameter in bucket])
            self.sent.append((flat, dist.all_reduce(flat, async_op=True)))

    def finish(self) -> None:
        """At the end of the backward pass: sums become means, and go back to their parameters."""
        with torch.no_grad():
            while len(self.sent) < len(self.buckets):
                self.send()
            for bucket, (flat, work) in zip(self.buckets, self.sent, strict=True):
                work.wait()
                flat /= dist.get_world_size()
                parts = flat.split([parameter.numel() for parameter in bucket])
                for parameter, part in zip(bucket, parts, strict=True):
                    flat_of(parameter.grad).copy_(part)
        self.begin()


def flat_of(gradient: Any) -> torch.Tensor:
    """A view of a gradient as a vector, in the order of its memory."""
    order = sorted(range(gradient.ndim), key=gradient.stride, reverse=True)
    return gradient.permute(order).view(-1)
