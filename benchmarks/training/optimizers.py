"""One optimizer step on the variables of ResNet-50, on PyTorch: ours, Keras' and torch's, in turns.

    python -m benchmarks.training.optimizers --threads 2 --rounds 30

Gradients are there already. Prints the median and the least milliseconds of each.
"""

import argparse
import os
import statistics
import time

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

import keras_resnet
from keras_resnet.layers.torch.kernels import out_first
from keras_resnet.training import SGD

RATE, MOMENTUM, DECAY = 1e-6, 0.9, 1e-4


def contenders(variables):
    """Steps without arguments, by name."""
    values = [variable.value for variable in variables]
    grads = [torch.randn_like(value) * 1e-3 for value in values]
    for value, grad in zip(values, grads, strict=True):
        value.grad = grad
    ours = SGD(RATE, MOMENTUM, weight_decay=DECAY)
    stock = keras.optimizers.SGD(RATE, MOMENTUM)
    for optimizer in (ours, stock):
        optimizer.build(variables)
    for slot, value in zip(stock.momentums, values, strict=True):
        if value.ndim == 4:  # as layers of this package lay them out for Keras' optimizer
            slot.value.data = out_first(slot.value.data)
    alone = torch.optim.SGD(values, RATE, MOMENTUM)
    decayed = torch.optim.SGD(values, RATE, MOMENTUM, weight_decay=DECAY)
    return {
        "keras_resnet.training.SGD, weight decay": lambda: ours.apply(grads, variables),
        "keras.optimizers.SGD, none": lambda: stock.apply(grads, variables),
        "torch.optim.SGD, none": alone.step,
        "torch.optim.SGD, weight decay": decayed.step,
    }


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    steps = contenders(keras_resnet.build("resnet50").trainable_variables)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(asked.rounds + 3):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - began))
    for name, taken in times.items():
        print(
            f"{name:42} median {statistics.median(taken[3:]):6.1f}  least {min(taken[3:]):6.1f} ms"
        )


if __name__ == "__main__":
    main()
