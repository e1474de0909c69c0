"""PyTorch: steps of optimizers by torch's fused kernels, which pass over the memory once."""

import functools
import math
from typing import Any

import torch
from keras import ops

from keras_resnet.graph import warn_of
from keras_resnet.layers.torch import internals
from keras_resnet.layers.torch.kernels import out_first

ONE_THREAD = 32768  # at::internal::GRAIN_SIZE: torch uses one thread up to so many elements


def prepare_optimizer(model):
    """Lays the slots out as their kernels, and gives Adam and AdamW of Keras a fused step.

    Momentum and its like are in the memory order of their kernels: else each update transposes.
    """
    optimizer = model.optimizer
    if optimizer is None or getattr(model, "_prepared_optimizer", None) is optimizer:
        return
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    orders = {
        tuple(v.shape): v.value.stride() for v in model.trainable_variables if len(v.shape) == 4
    }
    for slot in optimizer.variables:
        if orders.get(tuple(slot.shape), slot.value.stride()) != slot.value.stride():
            slot.value.data = out_first(slot.value.data)
    fuse_step(getattr(optimizer, "inner_optimizer", optimizer))
    model._prepared_optimizer = optimizer


def fuse_step(optimizer):
    """Has an optimizer of Keras update by a fused kernel what that can take, else by its own."""
    kind = type(optimizer)
    step = FUSED_STEPS.get(kind.__name__) if kind.__module__.startswith("keras.src.") else None
    if step is None or "_parallel_update_step" in vars(optimizer):
        return
    read = ("_parallel_update_step", "_momentums", "_velocities", "_get_variable_index")
    missing = tuple(name for name in read if not hasattr(optimizer, name))
    if missing:
        warn_of(missing, "Optimizers take Keras' own step, slower")
        return
    own = optimizer._parallel_update_step
    optimizer._parallel_update_step = functools.partial(fused_step, step, optimizer, own)


@torch.no_grad()
def fused_step(step, optimizer, own, grads, variables, rate):
    fused, rest = [], []
    device = variables[0].value.device
    for grad, variable in zip(grads, variables, strict=True):
        index = optimizer._get_variable_index(variable)
        slots = (slot[index].value for slot in slots_of_adam(optimizer))
        row = in_memory_order(variable.value, grad, *slots)
        suits = row[0].device == device and row[0].dtype == torch.float32 and can_be_fused(*row)
        if suits and not internals.is_dynamo_at_work():
            fused.append(row)
        else:
            rest.append((grad, variable))
    if rest:
        own(*map(list, zip(*rest, strict=True)), rate)
    if fused:
        step(optimizer, [list(column) for column in zip(*fused, strict=True)], rate)


def slots_of_adam(optimizer):
    hats = [optimizer._velocity_hats] if optimizer.amsgrad else []
    return [optimizer._momentums, optimizer._velocities, *hats]


def adam(optimizer, tensors, rate):
    """Keras' update: w = w - alpha mean / (sqrt(square) + epsilon).

    torch computes alpha inside of the kernel, with epsilon elsewhere. It becomes 1 after
    infinitely many steps, and Keras' alpha is the learning rate.
    """
    values, grads, means, squares, *hats = tensors
    taken = ops.cast(optimizer.iterations + 1, "float32")
    correction = (1 - optimizer.beta_2**taken) ** 0.5 / (1 - optimizer.beta_1**taken)
    infinity = torch.full((), math.inf, device=values[0].device)
    alpha: Any = ops.cast(rate, "float32") * correction
    internals.fused_adam_(
        values,
        grads,
        means,
        squares,
        hats[0] if hats else [],
        [infinity] * len(values),
        lr=alpha,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        weight_decay=0.0,
        eps=optimizer.epsilon,
        amsgrad=optimizer.amsgrad,
        maximize=False,
    )


# By the name of Keras' own class. On torch it is another than `keras.optimizers.Adam`; an instance
# made only to find it would change the names of a user's optimizers.
FUSED_STEPS = {"Adam": adam, "AdamW": adam}


def in_memory_order(value, *others):
    """Views of tensors of one shape, their axes in the order that `value` has in memory."""
    if value.is_contiguous():
        return value, *others
    axes = sorted(range(value.ndim), key=value.stride, reverse=True)
    return tuple(x if x is None else x.permute(axes) for x in (value, *others))


def can_be_fused(value, *others):
    """Whether a fused kernel takes the tensors without copying them there and back.

    On a CPU it starts threads for each tensor, however small.
    """
    place = value.device.type
    return (
        place in internals.FUSED_DEVICES
        and (place != "cpu" or value.numel() >= ONE_THREAD)
        and value.is_floating_point()
        and value.is_contiguous()
        and all(x is None or (x.is_contiguous() and x.dtype == value.dtype) for x in others)
    )
