"""PyTorch: all variables in one pass, by a learning rate that the host knows."""

from typing import Any

import keras
import torch

from keras_resnet.layers.torch.internals import (
    FUSED_DEVICES,
    foreach_add,
    foreach_add_,
    foreach_addcmul_,
    foreach_div,
    foreach_div_,
    foreach_lerp_,
    foreach_mul_,
    foreach_norm,
    foreach_sqrt_,
    fused_sgd_,
    version,
)

ONE_THREAD = 32768  # at::internal::GRAIN_SIZE: torch uses one thread up to so many elements


class HostCopy:
    """The number in a variable, read from the device only after somebody else has written it."""

    def __init__(self):
        self.tensor: Any = None
        self.version: int | None = None
        self.number: Any = None

    def read(self, variable):
        tensor: Any = variable.value
        if tensor is not self.tensor or version(tensor) != self.version:
            self.remember(variable, tensor.item())
        return self.number

    def remember(self, variable, number):
        self.tensor = variable.value
        self.version = version(self.tensor)
        self.number = number


class HostRate(keras.optimizers.Optimizer):
    """An optimizer that counts steps and knows its learning rate without asking the device.

    Keras passes the learning rate as a tensor, and torch waits for the device to read it.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._count = HostCopy()
        self._rate = HostCopy()

    def add_variable_from_reference(self, reference_variable, *args, **kwargs):
        slot = super().add_variable_from_reference(reference_variable, *args, **kwargs)
        if isinstance(reference_variable, keras.Variable):
            # In the memory order of the kernel it belongs to: see layers/torch.py.
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
        step = self._count.read(self._iterations) // (self.gradient_accumulation_steps or 1)
        with keras.device("cpu"):
            return float(schedule(step))

    @torch.no_grad()
    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if isinstance(learning_rate, keras.Variable):
            learning_rate = self._rate.read(learning_rate)
        self.update(grads, trainable_variables, float(learning_rate))


class SGD(HostRate):
    def update(self, grads, variables, rate):
        decays = [self.weight_decay if self.decays(v) else 0.0 for v in variables]
        self.descend(grads, variables, decays, rate)

    def descend(self, grads, variables, decays, rate):
        groups: dict[tuple, list[tuple]] = {}
        for grad, variable, decay in zip(grads, variables, decays, strict=True):
            value, grad, slot = self.tensors(grad, variable)
            key = decay, value.dtype, value.device, lies_alike(value, grad, slot)
            groups.setdefault(key, []).append((value, grad, slot))
        for (decay, _, _, alike), rows in groups.items():
            values, grads, velocities = map(list, zip(*rows, strict=True))
            how = rate, self.momentum, decay
            if alike and not self.nesterov:
                step_in_one_pass(values, grads, velocities, *how)
            else:
                step(values, grads, velocities, *how, self.nesterov)

    def tensors(self, grad, variable):
        """A variable, its gradient and its velocity; all in the order they have in memory."""
        value = variable.value
        found = [value, grad.to(value.dtype)]
        if self.momentum:
            found.append(self.momentums[self._get_variable_index(variable)].value)
        if not value.is_contiguous():
            axes = sorted(range(value.ndim), key=value.stride, reverse=True)
            found = [tensor.permute(axes) for tensor in found]
        return found if self.momentum else [*found, None]


def lies_alike(value, grad, velocity):
    """Whether the fused kernel takes these as they lie; others it would copy, there and back.

    On a CPU it starts threads for each tensor, however small.
    """
    place = value.device.type
    return (
        place in FUSED_DEVICES
        and (place != "cpu" or value.numel() >= ONE_THREAD)
        and value.is_floating_point()
        and value.is_contiguous()
        and grad.is_contiguous()
        and (velocity is None or velocity.is_contiguous())
    )


def step_in_one_pass(values, grads, velocities, rate, momentum, decay):
    """Caffe's update by torch's kernel, in place.

    That computes v = momentum v + (1 - dampening)(g + decay w) and w = w - lr v. Caffe's v holds
    the learning rate: here it is 1 - dampening, and what is left of lr is a sign.
    """
    fused_sgd_(
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
        grads = list(foreach_add(grads, values, alpha=decay))
    if momentum:
        foreach_mul_(velocities, momentum)
        foreach_add_(velocities, grads, alpha=-rate)
    if momentum and not nesterov:
        foreach_add_(values, velocities)
        return
    foreach_add_(values, grads, alpha=-rate)
    if momentum:
        foreach_add_(values, velocities, alpha=momentum)


class LARS(SGD):
    def update(self, grads, variables, rate):
        grads = list(grads)
        places = [place for place, variable in enumerate(variables) if self.decays(variable)]
        if places:
            values = [variables[place].value for place in places]
            chosen = [grads[place].to(variables[place].value.dtype) for place in places]
            ratios = trust(values, chosen, self.trust, self.weight_decay, self.epsilon)
            chosen = list(foreach_add(chosen, values, alpha=self.weight_decay))
            foreach_mul_(chosen, ratios)
            for place, grad in zip(places, chosen, strict=True):
                grads[place] = grad
        self.descend(grads, variables, [0.0] * len(grads), rate)


def trust(values, updates, factor=1.0, decay=0.0, epsilon=0.0):
    """factor |w| / (|u| + decay |w| + epsilon) of each pair, and 1 where a norm is 0."""
    lengths = torch.stack(foreach_norm(values))
    steps = torch.stack(foreach_norm(updates))
    ratios = factor * lengths / (steps + decay * lengths + epsilon)
    return torch.where((lengths > 0) & (steps > 0), ratios, 1.0).unbind()


class LAMB(HostRate):
    def update(self, grads, variables, rate):
        taken = self._count.read(self._iterations) // (self.gradient_accumulation_steps or 1) + 1
        indices = [self._get_variable_index(variable) for variable in variables]
        values = [variable.value for variable in variables]
        grads = [grad.to(value.dtype) for grad, value in zip(grads, values, strict=True)]
        means = [self._momentums[index].value for index in indices]
        squares = [self._velocities[index].value for index in indices]
        foreach_lerp_(means, grads, 1 - self.beta_1)
        foreach_mul_(squares, self.beta_2)
        foreach_addcmul_(squares, grads, grads, 1 - self.beta_2)
        scales = foreach_div(squares, 1 - self.beta_2**taken)
        foreach_sqrt_(scales)
        foreach_add_(scales, self.epsilon)
        updates = foreach_div(means, 1 - self.beta_1**taken)
        foreach_div_(updates, scales)
        places = [place for place, variable in enumerate(variables) if self.decays(variable)]
        if places:
            adapted = [updates[place] for place in places]
            kernels = [values[place] for place in places]
            foreach_add_(adapted, kernels, alpha=self.weight_decay)
            foreach_mul_(adapted, trust(kernels, adapted))
        foreach_add_(values, updates, alpha=-rate)
