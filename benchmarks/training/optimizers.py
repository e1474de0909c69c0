"""One optimizer step on the variables of ResNet-50, on PyTorch: ours, Keras' and torch's, in turns.

    python -m benchmarks.training.optimizers --threads 2 --rounds 30

Gradients are there already. Prints the median and the least milliseconds of each.
"""

import argparse
import functools
import os
import statistics
import time

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch

import keras_resnet
from keras_resnet.layers import kernels
from keras_resnet.training import SGD

RATE, MOMENTUM, DECAY = 1e-6, 0.9, 1e-4


def contenders(model):
    """Steps without arguments, by name. As they come, or as a network's `fit` prepares them."""
    variables = model.trainable_variables
    values = [variable.value for variable in variables]
    for value in values:
        value.grad = torch.randn_like(value) * 1e-3
    grads = [value.grad for value in values]
    ours = SGD(RATE, MOMENTUM, weight_decay=DECAY)
    steps = {"keras_resnet.training.SGD, weight decay": (ours, True)}
    for kind, arguments in {"SGD": (RATE, MOMENTUM), "Adam": (RATE,), "AdamW": (RATE,)}.items():
        for prepared in (True, False):
            name = f"keras.optimizers.{kind}, {'our' if prepared else 'any'} model"
            steps[name] = getattr(keras.optimizers, kind)(*arguments), prepared
    for optimizer, prepared in steps.values():
        optimizer.build(variables)
        if prepared:
            model.optimizer = optimizer
            kernels.active.prepare_optimizer(model)
    return {
        **{
            name: functools.partial(step.apply, grads, variables)
            for name, (step, _) in steps.items()
        },
        "torch.optim.SGD": torch.optim.SGD(values, RATE, MOMENTUM).step,
        "torch.optim.SGD, weight decay": torch.optim.SGD(
            values, RATE, MOMENTUM, weight_decay=DECAY
        ).step,
        "torch.optim.Adam": torch.optim.Adam(values, RATE).step,
        "torch.optim.AdamW": torch.optim.AdamW(values, RATE).step,
    }


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    steps = contenders(keras_resnet.build("resnet50"))
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
