"""PyTorch: all variables in one pass, by a learning rate that the host knows."""

from typing import Any

import keras
import torch

from keras_resnet.layers.torch import internals
from keras_resnet.layers.torch.optimizers import can_be_fused, in_memory_order


class HostCopy:
    """The number in a variable, read from the device only after other code has written it."""

    def __init__(self):
        self.tensor: Any = None
        self.version: int | None = None
        self.number: Any = None

    def read(self, variable):
        tensor: Any = variable.value
        if tensor is not self.tensor or internals.version(tensor) != self.version:
            self.remember(variable, tensor.item())
        return self.number

    def remember(self, variable, number):
        self.tensor = variable.value
        self.version = internals.version(self.tensor)
        self.number = number


class Updates(keras.optimizers.Optimizer):
    """An optimizer that updates all variables at once, by the function that `rule` names.

    It counts steps and knows its learning rate without asking the device: Keras passes the
    learning rate as a tensor, and torch waits for the device to read it.
    """

    rule: str

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._count = HostCopy()
        self._rate = HostCopy()

    def add_variable_from_reference(self, reference_variable, *args, **kwargs):
        slot = super().add_variable_from_reference(reference_variable, *args, **kwargs)
        if isinstance(reference_variable, keras.Variable):
            # In the memory order of the kernel it belongs to: see layers/torch/kernels.py.
            like = torch.empty_like(reference_variable.value, requires_grad=False)
            slot.value.data = like.copy_(slot.value)
        return slot

    @torch.compiler.disable  # one kernel for all variables as it is, which inductor cannot trace
    def apply(self, grads, trainable_variables=None):
        if len(grads) == 0:
            return
        count = self._count.read(self._iterations)
        super().apply(grads, trainable_variables)
        self._count.remember(self._iterations, count + 1)

    def _get_current_learning_rate(self):
        schedule = self._learning_rate
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return super()._get_current_learning_rate()
        with keras.device("cpu"):
            return float(schedule(self.updates_taken()))

    def updates_taken(self) -> int:
        return self._count.read(self._iterations) // (self.gradient_accumulation_steps or 1)

    @torch.no_grad()
    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if isinstance(learning_rate, keras.Variable):
            learning_rate = self._rate.read(learning_rate)
        UPDATES[self.rule](self, list(grads), trainable_variables, float(learning_rate))

    def slots(self, variables, slots):
        """The tensors of the slots that belong to the variables."""
        return [slots[self._get_variable_index(variable)].value for variable in variables]


def sgd(optimizer, grads, variables, rate):
    decays = [optimizer.weight_decay if optimizer.decays(v) else 0.0 for v in variables]
    descend(optimizer, grads, variables, decays, rate)


def descend(optimizer, grads, variables, decays, rate):
    momentum = optimizer.momentum
    slots = optimizer.slots(variables, optimizer.momentums) if momentum else [None] * len(grads)
    groups: dict[tuple, list[tuple]] = {}
    for variable, grad, slot, decay in zip(variables, grads, slots, decays, strict=True):
        row = in_memory_order(variable.value, grad.to(variable.value.dtype), slot)
        key = decay, row[0].dtype, row[0].device, can_be_fused(*row)
        groups.setdefault(key, []).append(row)
    for (decay, _, _, fused), rows in groups.items():
        values, gradients, velocities = map(list, zip(*rows, strict=True))
        tensors = values, gradients, velocities
        if fused and not optimizer.nesterov:
            step_in_one_pass(*tensors, rate, momentum, decay)
        else:
            step(*tensors, rate, momentum, decay, optimizer.nesterov)


def step_in_one_pass(values, grads, velocities, rate, momentum, decay):
    """Caffe's update by torch's kernel, in place.

    That computes v = momentum v + (1 - dampening)(g + decay w) and w = w - lr v. Caffe's v holds
    the learning rate: here it is 1 - dampening, and what is left of lr is a sign.
    """
    internals.fused_sgd_(
        values,
        grads,
        velocities if momentum else [],
        weight_decay=decay,
        momentum=momentum,
        lr=-1.0 if momentum else rate,
        dampening=1.0 + rate if momentum else 0.0,
        nesterov=False,
        maximize=False,
        is_first_step=False,
    )


def step(values, grads, velocities, rate, momentum, decay, nesterov):
    """The same of any tensors, in place."""
    if decay:
        grads = list(internals.foreach_add(grads, values, alpha=decay))
    if momentum:
        internals.foreach_mul_(velocities, momentum)
        internals.foreach_add_(velocities, grads, alpha=-rate)
    if momentum and not nesterov:
        internals.foreach_add_(values, velocities)
        return
    internals.foreach_add_(values, grads, alpha=-rate)
    if momentum:
        internals.foreach_add_(values, velocities, alpha=momentum)


def lars(optimizer, grads, variables, rate):
    places = [place for place, variable in enumerate(variables) if optimizer.decays(variable)]
    if places:
        decay = optimizer.weight_decay
        values = [variables[place].value for place in places]
        chosen = [grads[place].to(variables[place].value.dtype) for place in places]
        ratios = trust(values, chosen, optimizer.trust, decay, optimizer.epsilon)
        chosen = list(internals.foreach_add(chosen, values, alpha=decay))
        internals.foreach_mul_(chosen, ratios)
        for place, grad in zip(places, chosen, strict=True):
            grads[place] = grad
    descend(optimizer, grads, variables, [0.0] * len(grads), rate)


def trust(values, updates, factor=1.0, decay=0.0, epsilon=0.0):
    """factor |w| / (|u| + decay |w| + epsilon) of each pair, and 1 where a norm is 0."""
    lengths = torch.stack(internals.foreach_norm(values))
    steps = torch.stack(internals.foreach_norm(updates))
    ratios = factor * lengths / (steps + decay * lengths + epsilon)
    return torch.where((lengths > 0) & (steps > 0), ratios, 1.0).unbind()


def lamb(optimizer, grads, variables, rate):
    taken = optimizer.updates_taken() + 1
    values = [variable.value for variable in variables]
    grads = [grad.to(value.dtype) for grad, value in zip(grads, values, strict=True)]
    means = optimizer.slots(variables, optimizer._momentums)
    squares = optimizer.slots(variables, optimizer._velocities)
    internals.foreach_lerp_(means, grads, 1 - optimizer.beta_1)
    internals.foreach_mul_(squares, optimizer.beta_2)
    internals.foreach_addcmul_(squares, grads, grads, 1 - optimizer.beta_2)
    scales = internals.foreach_div(squares, 1 - optimizer.beta_2**taken)
    internals.foreach_sqrt_(scales)
    internals.foreach_add_(scales, optimizer.epsilon)
    updates = internals.foreach_div(means, 1 - optimizer.beta_1**taken)
    internals.foreach_div_(updates, scales)
    places = [place for place, variable in enumerate(variables) if optimizer.decays(variable)]
    if places:
        adapted = [updates[place] for place in places]
        kernels = [values[place] for place in places]
        internals.foreach_add_(adapted, kernels, alpha=optimizer.weight_decay)
        internals.foreach_mul_(adapted, trust(kernels, adapted))
    internals.foreach_add_(values, updates, alpha=-rate)


UPDATES = {"sgd": sgd, "lars": lars, "lamb": lamb}
