"""Runs the steps of a plan: a unit as the backend likes, any other node as Keras calls it."""

import keras


def run_steps(model, values, run_unit, training):
    """The outputs of a functional model, whose inputs are in `values` by the id of their symbol.

    `run_unit(unit, values)` puts what it makes into `values`, where nothing stays longer than
    somebody reads it.
    """
    plan = model.plan
    for step in plan.steps:
        if step.unit is None:
            run_node(step.node, values, training)
        else:
            run_unit(step.unit, values)
        for target in step.dead:
            values.pop(target, None)
    outputs = keras.tree.pack_sequence_as(
        model._outputs_struct, [values[target] for target in plan.outputs]
    )
    single = isinstance(outputs, (list, tuple)) and len(outputs) == 1
    return outputs[0] if single else outputs


def run_node(node, values, training):
    """One layer, as Keras calls it."""
    args, kwargs = node.arguments.fill_in(values)
    kwargs = kwargs | told(node.operation, training)
    outputs = keras.tree.flatten(node.operation(*args, **kwargs))
    values.update(zip(map(id, node.outputs), outputs, strict=True))


def run_layers(layers, unit, x, values, training):
    """Some of a unit's layers on `x`, one by one."""
    for layer in layers:
        inputs = [values[unit.other], x] if layer is unit.add else x
        x = layer(inputs, **told(layer, training))
    return x


def told(operation, training):
    """`training`, for those who ask: a model's own call need not have come by `__call__`."""
    asks = "training" in getattr(operation, "_call_context_args", ())
    return {"training": training} if asks and training is not None else {}
