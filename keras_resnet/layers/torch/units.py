"""PyTorch: a whole graph, with convolution, normalization, addition and ReLU in few kernels."""

from collections import UserDict
from dataclasses import dataclass

import keras
import torch

from keras_resnet.graph import channel_axis
from keras_resnet.layers import replicas
from keras_resnet.layers.calls import has_mask, lacks_names, standardized_inputs, training_kwargs
from keras_resnet.layers.stock import scale_and_offset
from keras_resnet.layers.torch.compiled import is_compiled
from keras_resnet.layers.torch.gradients import NormalizeAddRelu
from keras_resnet.layers.torch.internals import (
    FOLDED_DTYPES,
    convolution,
    convolution_add,
    convolution_add_,
    has_hooks,
    is_listened_to_by_all,
    is_scripted,
    is_transformed,
)
from keras_resnet.layers.torch.kernels import (
    channels_back,
    channels_first,
    conv2d,
    hangs_over,
    same_padding,
    statistics_dtype,
    symmetric_padding,
    tensor,
    wide_scale_and_offset,
)
from keras_resnet.layers.torch.products import Product, is_product
from keras_resnet.layers.torch.replicas import NormalizeTogether
from keras_resnet.layers.torch.statistics import Statistics
from keras_resnet.layers.units import PaddedPool, Unit


def run(model, inputs, training, plan_of):
    """The outputs of a functional model, unit by unit.

    Returns NotImplemented while something traces, which wants operations without side effects,
    or listens to every layer.
    """
    if not is_compiled() and (
        torch.compiler.is_compiling()
        or is_scripted()
        or is_transformed()
        or is_listened_to_by_all()
    ):
        return NotImplemented
    if lacks_names(model):
        return NotImplemented
    inputs = standardized_inputs(model, inputs)
    if any(x is None or x.is_meta or has_mask(x) for x in inputs):
        return NotImplemented
    plan = plan_of(model)
    listened = plan.watched.listened
    values, learned = Values(zip(plan.inputs, inputs, strict=True)), Statistics()
    for step in plan.steps:
        if step.unit is None:
            run_node(step.node, values, training)
        else:
            run_unit(step.unit, values, training, learned, listened)
        for target in step.last_uses:
            values.pop(target, None)
    learned.keep()
    outputs = keras.tree.pack_sequence_as(model.output, [values[target] for target in plan.outputs])
    single = isinstance(outputs, (list, tuple)) and len(outputs) == 1
    return outputs[0] if single else outputs


class Values(UserDict):
    """Tensors by the id of their symbol; what units make are turned into Keras' view when asked.

    From unit to unit a map stays the same tensor: each view would be a node of autograd.
    """

    def get_map(self, target, axis):
        """The tensor (batch, channels, height, width) of `target`."""
        x = self.data[target]
        return x.value if isinstance(x, Map) else channels_first(x, axis)

    def is_masked(self, unit):
        """Whether Keras passes a mask along with what a unit reads."""
        return any(has_mask(self.data[x]) for x in unit.reads)

    def __getitem__(self, target):
        x = self.data[target]
        return channels_back(x.value, x.axis) if isinstance(x, Map) else x


@dataclass(slots=True)
class Map:
    """A tensor (batch, channels, height, width), and where Keras has its channels."""

    value: torch.Tensor
    axis: int


def run_node(node, values, training):
    """One layer, as Keras calls it."""
    args, kwargs = node.arguments.fill_in(values)
    kwargs = kwargs | training_kwargs(node.operation, training)
    outputs = keras.tree.flatten(node.operation(*args, **kwargs))
    values.update(zip(map(id, node.outputs), outputs, strict=True))


def run_unit(unit, values, training, learned, listened):
    if values.is_masked(unit) or (listened and is_listened_to(unit)) or drops_alone(unit, training):
        values[unit.target] = run_layers(unit, values, training)
        return
    if isinstance(unit, PaddedPool):
        values[unit.target] = run_pool(unit, values, training)
        return
    dtype = getattr(torch, unit.conv.compute_dtype)
    axis = channel_axis(unit.conv.data_format)
    x = values.get_map(unit.source, axis).to(dtype)
    other = None if unit.other is None else values.get_map(unit.other, axis).to(dtype)
    overwrites = unit.overwrites and isinstance(values.data[unit.other], Map)
    learns = training and unit.norm is not None and unit.norm.trainable
    if learns:
        draws = None if unit.draws is None else values[unit.draws]
        y = train(unit, x, draws, other, learned)
    else:
        y = infer(unit, x, other, overwrites)
    values[unit.target] = Map(y, axis)


def drops_alone(unit, training):
    """Whether images go without a branch that is normalized by the moving statistics."""
    drops = isinstance(unit, Unit) and unit.drop is not None
    return drops and training and not unit.norm.trainable


def is_listened_to(unit):
    """Whether a hook is on a layer; one on the ReLU before a pool may change what is pooled."""
    return isinstance(unit, PaddedPool) or any(has_hooks(layer) for layer in unit.layers)


def run_pool(unit, values, training):
    pool, widths = unit.pool, unit.pad.padding
    axis = channel_axis(pool.data_format)
    border = [before for before, _ in widths]
    x = values.get_map(unit.source, axis)
    size, strides = tuple(pool.pool_size), tuple(pool.strides)
    if pool.pool_mode == "average":
        return Map(torch.nn.functional.avg_pool2d(x, size, strides, border), axis)
    over = any(before != after for before, after in widths)
    if over:
        sides = [
            side + sum(width) - window
            for side, width, window in zip(x.shape[2:], widths, size, strict=True)
        ]
        counts = [side // stride + 1 for side, stride in zip(sides, strides, strict=True)]
        if not hangs_over(x.shape[2:], size, strides, counts):
            return run_layers(unit, values, training)
    return Map(torch.nn.functional.max_pool2d(x, size, strides, border, ceil_mode=over), axis)


def run_layers(unit, values, training):
    """Layer by layer, for those who listen to a layer."""
    x = values[unit.source]
    for layer in unit.layers:
        if layer is unit.add:
            x = [values[unit.other], x]
        elif layer is getattr(unit, "drop", None):
            x = [x, values[unit.draws]]
        x = layer(x, **training_kwargs(layer, training))
    return x


def arguments_of(unit, x):
    """The arguments of torch.conv2d, in the dtype of `x`.

    Where the network's `call` is run past Keras, as `stateless_call` does, Keras casts nothing.
    """
    conv = unit.conv
    weight = tensor(conv.kernel, x.dtype).permute(3, 2, 0, 1)
    if unit.pad is not None:
        border = [before for before, _ in unit.pad.padding]
    else:
        border = symmetric_padding(
            x.shape[2:], weight.shape[2:], conv.strides, conv.padding, conv.dilation_rate
        )
    if border is None:  # "same" with a stride: Keras adds more at the end
        border = [0, 0]
        x = pad_same(conv, x)
    groups = x.shape[1] // weight.shape[1]
    return x, weight, tensor(conv.bias, x.dtype), conv.strides, border, conv.dilation_rate, groups


def convolve(x, weight, bias, strides, border, dilation, groups):
    """torch.conv2d, as a product of matrices where that is faster."""
    if not is_compiled() and is_product(x, weight, strides, border, groups):
        return Product.apply(x, weight, bias, strides)
    return conv2d(x, weight, bias, strides, border, dilation, groups)


def pad_same(conv, x):
    widths: list[int] = []
    sides, size = x.shape[2:], conv.kernel.shape[:2]
    for total in same_padding(sides, size, conv.strides, conv.dilation_rate):
        widths = [total // 2, total - total // 2, *widths]
    return torch.nn.functional.pad(x, widths)


def normalization(unit, x):
    """gamma, beta, moving mean and moving variance, or None for those that are absent."""
    norm, dtype = unit.norm, statistics_dtype(x)
    variables = *scale_and_offset(norm), norm.moving_mean, norm.moving_variance
    return [tensor(variable, dtype) for variable in variables]


def train(unit, x, draws, other, learned):
    """One step of training: normalized by the statistics of the batch, which are learned."""
    y = convolve(*arguments_of(unit, x))
    norm = unit.norm
    gamma, beta = wide_scale_and_offset(y, *scale_and_offset(norm))
    alone = replicas.sum_over_replicas is None
    kept = None if draws is None else unit.drop.keeps(draws).to(y.dtype)
    rate = 0.0 if draws is None else unit.drop.rate
    y, mean, inverse_std = (NormalizeAddRelu if alone else NormalizeTogether).apply(
        y, gamma, beta, other, norm.epsilon, unit.relu is not None, kept, 1 / (1 - rate)
    )
    learned.add(norm, mean, inverse_std)
    return y


def infer(unit, x, other, overwrites):
    """Normalized by the moving statistics; where no gradient is asked for, inside the kernel.

    `overwrites` says that nobody else reads `other`, and that its memory may be taken.
    """
    arguments = arguments_of(unit, x)
    statistics = [] if unit.norm is None else normalization(unit, x)
    if can_fold(unit, arguments, other, statistics):
        y = infer_folded(unit, arguments, other, statistics, overwrites)
        # Not in the kernel above: it makes 0 of NaN.
        return y if unit.relu is None else y.relu_()
    y = convolve(*arguments)
    if unit.norm is not None:
        gamma, beta, mean, variance = statistics
        epsilon = unit.norm.epsilon
        y = torch.native_batch_norm(y, gamma, beta, mean, variance, False, 0.0, epsilon)[0]
    # Not y += other: Keras may have been given maps of other strides, as from a slice.
    y = y if other is None else y.add_(other)
    return y if unit.relu is None else y.relu_()


def can_fold(unit, arguments, other, statistics):
    """Whether one kernel runs the unit, and scaling its weights costs less than its map."""
    x, weight, bias, strides, *_ = arguments
    if is_compiled() or (
        torch.is_grad_enabled()
        and any(t is not None and t.requires_grad for t in (x, weight, bias, other, *statistics))
    ):
        return False
    map_size = x.numel() // x.shape[1] // (strides[0] * strides[1]) * weight.shape[0]
    return (
        x.device.type == "cpu"
        and x.dtype in FOLDED_DTYPES
        and (unit.norm is None or weight.numel() <= map_size)
    )


def infer_folded(unit, arguments, other, statistics, overwrites):
    """Convolution and addition in one kernel, with the normalization inside the weights."""
    x, _, _, strides, border, dilation, groups = arguments
    weight, shift = folded(unit, arguments, statistics)
    geometry = (border, strides, dilation, groups)
    if other is None:
        return convolution(x, weight, shift, geometry)
    if overwrites and other.is_contiguous(memory_format=torch.channels_last):
        return convolution_add_(x, other, weight, shift, geometry)
    return convolution_add(x, other, weight, shift, geometry)


def folded(unit, arguments, statistics):
    """Weight and bias with the normalization inside, if there is one."""
    x, weight, bias, *_ = arguments
    if unit.norm is None:
        return weight.to(x.dtype), bias if bias is None else bias.to(x.dtype)
    gamma, beta, mean, variance = statistics
    scale = torch.rsqrt(variance + unit.norm.epsilon)
    scale = scale if gamma is None else scale * gamma
    shift = -mean if bias is None else bias - mean
    shift = shift * scale if beta is None else torch.addcmul(beta, shift, scale)
    return (weight * scale.view(-1, 1, 1, 1)).to(x.dtype), shift.to(x.dtype)
