"""Runs of layers that one kernel can do: pad, convolve, normalize, add, ReLU.

A layer alone may not overwrite its input, as anyone may have asked for it. The graph of a
model says which maps nobody else reads, and only there are layers run together, if they are as
Keras made them. A plan is thrown away as soon as one of its layers has changed.
"""

from collections import Counter

from keras_resnet.graph import nodes_of
from keras_resnet.layers.known import (
    KNOWN,
    Watched,
    does_nothing_else,
    is_a,
    normalizes_channels,
    plain_convolution,
    plain_relu,
)
from keras_resnet.layers.units import PaddedPool, Step, Unit


class Plan:
    """The steps of a functional model, in order, as long as `watched` finds nothing changed."""

    def __init__(self, model):
        nodes = nodes_of(model)
        self.watched = Watched(
            model, {node.operation for node in nodes if type(node.operation) in KNOWN}
        )
        self.inputs = [id(x) for x in model.inputs]
        self.outputs = [id(x) for x in model.outputs]
        self.steps = with_last_uses(steps_of(nodes, self.outputs, model), self.outputs)


def plan_of(model) -> Plan:
    """The plan of a model, made again where a layer has changed."""
    plan = vars(model).get("_plan")
    if plan is None or plan.watched.changed(model):
        model._plan = plan = Plan(model)
    return plan


def steps_of(nodes, outputs, model) -> list[Step]:
    """Groups nodes into units, each at the place of its last node."""
    readers = Counter(outputs)
    reader = {}
    maker = {}
    for node in nodes:
        for tensor in node.input_tensors:
            readers[id(tensor)] += 1
            reader[id(tensor)] = node
        for tensor in node.output_tensors:
            maker[id(tensor)] = node

    def only_reader(node):
        """The node that alone reads the output of `node`, or None."""
        target = id(node.output_tensors[0])
        return reader.get(target) if readers[target] == 1 else None

    taken: set[int] = set()
    units: dict[int, Unit | PaddedPool] = {}
    for node in nodes:
        if is_a(node, "pool"):
            pad = maker.get(id(node.input_tensors[0]))
            if pad and pools_what_is_padded(pad, node, maker) and only_reader(pad) is node:
                source, target = pad.input_tensors[0], id(node.output_tensors[0])
                unit = PaddedPool(id(source), pad.operation, node.operation, target)
                relu = [maker[id(source)].operation] if node.operation.pool_mode == "max" else []
                if does_nothing_else([*relu, *unit.layers], model):
                    units[id(node)] = unit
                    taken.update((id(pad), id(node)))
        elif is_a(node, "conv") and plain_convolution(node.operation):
            last, unit, members = follow(node, maker, only_reader)
            if does_nothing_else(unit.layers, model):
                units[id(last)] = unit
                taken.update(map(id, members))
    return [
        Step(units.get(id(node)), node)
        for node in nodes
        if not node.is_input and (id(node) in units or id(node) not in taken)
    ]


def follow(node, maker, only_reader):
    """The longest unit around the convolution `node`, its last node and all its nodes."""
    members = [node]
    source = node.input_tensors[0]
    unit = Unit(id(source), node.operation, 0)
    before = maker.get(id(source))
    if before is not None and foldable_padding(before, node) and only_reader(before) is node:
        unit.pad, unit.source = before.operation, id(before.input_tensors[0])
        members.append(before)
    after = only_reader(node)
    if is_a(after, "norm") and normalizes_channels(after.operation, node.operation):
        unit.norm, node = after.operation, after
        members.append(node)
        after = only_reader(node)
    if unit.norm is not None and is_a(after, "drop") and drops(after, node):
        added = only_reader(after)
        if is_a(added, "add") and adds_two_maps(added, after):
            unit.drop, unit.draws = after.operation, id(after.input_tensors[1])
            node, after = after, added
            members.append(node)
    if is_a(after, "add") and adds_two_maps(after, node):
        unit.add, unit.other = after.operation, id(after.input_tensors[0])
        node = after
        members.append(node)
        after = only_reader(node)
    if is_a(after, "relu") and plain_relu(after.operation):
        unit.relu, node = after.operation, after
        members.append(node)
    unit.target = id(node.output_tensors[0])
    return node, unit, members


def pools_what_is_padded(pad, node, maker) -> bool:
    """Whether windows reach no further than they may; before a max pool there is a ReLU.

    Zeros may be on both sides alike, or for the last windows of a max pool to hang over.
    """
    mode = node.operation.pool_mode
    hangs = mode == "max" and pads_for(pad, node) and not any(n for n, _ in pad.operation.padding)
    if mode not in ("max", "average") or not (hangs or foldable_padding(pad, node)):
        return False
    before = maker.get(id(pad.input_tensors[0]))
    fits = all(
        2 * width[0] <= size
        for width, size in zip(pad.operation.padding, node.operation.pool_size, strict=True)
    )
    positive = is_a(before, "relu") and plain_relu(before.operation)
    return fits and (mode == "average" or positive)


def foldable_padding(node, reader) -> bool:
    """Whether `node` pads a map alike on both sides for a layer that pads nothing itself."""
    return pads_for(node, reader) and all(n == after for n, after in node.operation.padding)


def pads_for(node, reader) -> bool:
    if not is_a(node, "pad"):
        return False
    pad, layer = node.operation, reader.operation
    return layer.padding == "valid" and pad.data_format == layer.data_format


def drops(node, last_node) -> bool:
    """Whether the map of `last_node` is what may be left out, and not what was drawn."""
    return node.input_tensors[0] is last_node.output_tensors[0]


def adds_two_maps(node, last_node) -> bool:
    """Whether a shortcut of the same shape comes first and the map of `last_node` second."""
    inputs = node.input_tensors
    return (
        len(inputs) == 2
        and inputs[0] is not inputs[1]
        and inputs[1] is last_node.output_tensors[0]
        and inputs[0].shape == inputs[1].shape
        and inputs[0].dtype == inputs[1].dtype
    )


def with_last_uses(steps: list[Step], outputs) -> list[Step]:
    """Notes after every step which tensors are not read again, so that memory is given back."""
    alive = set(outputs)
    # What a node reads its output may be, and what it makes may be its input.
    nodes = [step.node for step in steps if step.unit is None]
    shared = {id(x) for node in nodes for x in (*node.input_tensors, *node.output_tensors)}
    for step in reversed(steps):
        unit = step.unit
        if unit is not None:
            read = set(unit.reads)
            made = {unit.target}
        else:
            read = {id(x) for x in step.node.input_tensors}
            made = {id(x) for x in step.node.output_tensors}
        step.last_uses = sorted((read | made) - alive)
        if isinstance(unit, Unit) and unit.other in step.last_uses:
            unit.overwrites = unit.other != unit.source and unit.other not in shared
        alive |= read
    return steps
