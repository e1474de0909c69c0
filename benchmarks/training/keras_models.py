"""Keras contenders: this package's networks and keras.applications, on any backend.

What is timed is what `model.fit` and `model.predict` call for each batch, on a batch that is
on the device already: `train_function` (forward, loss, backward, SGD with momentum, the loss
metric) and `predict_function`. Reading data and callbacks are not part of it.
"""

import itertools
import math
from typing import Any

from benchmarks.training import device
from benchmarks.training.catalog import NETS, Case
from benchmarks.training.program import LEARNING_RATE, MOMENTUM, Program, batch_of


def load(case: Case) -> None:
    import keras

    device.set_threads(case)
    if case.contender != "keras.applications":
        import keras_resnet  # noqa: F401
    if case.dtype == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")


def network(case: Case):
    """An untrained Keras model that returns logits."""
    import keras

    shape = (case.size, case.size, 3)
    if case.contender == "keras.applications":
        return keras.applications.ResNet50(
            weights=None, input_shape=shape, classifier_activation=None
        )
    import keras_resnet

    row = NETS[case.net]
    options: dict[str, Any] = {} if row.stride_on is None else {"stride_on": row.stride_on}
    if case.contender == "stock":
        options["layers"] = "keras"
    return keras_resnet.build(row.build, input_shape=shape, classifier_activation=None, **options)


def program(case: Case, model) -> Program:
    import keras

    images, labels = batch_of(case)
    model.compile(
        optimizer=optimizer(case),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=True if case.contender == "ours-compiled" else "auto",
    )
    prepare = trainer if case.mode == "train" else predictor
    step = prepare(case.backend, model, images, labels)
    return Program(step, device.waiter(case.backend), costs_of(case, model))


def optimizer(case: Case):
    """Keras' own, and for our networks ours, without weight decay as everyone's here."""
    import keras

    if case.contender not in ("ours", "ours-compiled"):
        return keras.optimizers.SGD(LEARNING_RATE, momentum=MOMENTUM)
    from keras_resnet import training

    return training.SGD(LEARNING_RATE, momentum=MOMENTUM, weight_decay=0.0)


def costs_of(case: Case, model) -> dict[str, int]:
    """Multiply-adds, and elements the convolutions write, for one image."""
    import keras

    if case.contender == "keras.applications":
        return {}
    import keras_resnet

    convolutions = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    written = sum(math.prod(layer.output.shape[1:]) for layer in convolutions)
    return {"macs": keras_resnet.count(model).macs, "conv_outputs": written}


def on_device(*arrays):
    """The arrays as tensors of the backend, where the model is."""
    import keras

    return tuple(keras.ops.convert_to_tensor(array) for array in arrays)


def trainer(backend, model, images, labels):
    """One step of `fit`, as a function without arguments."""
    batch = (*on_device(images, labels), None)  # None: no weights of samples
    # Makes the optimizer's slots, the metrics and the train function, and runs that once.
    model.train_on_batch(*batch)
    if backend != "jax":
        if backend == "torch":
            model.train()
        return lambda: model.train_function([batch])
    state = [
        [v.value for v in variables]
        for variables in (
            model.trainable_variables,
            model.non_trainable_variables,
            model.optimizer.variables,
            model.metrics_variables,
        )
    ]
    batches = itertools.repeat(batch)

    def step():
        logs, state[:] = model.train_function(tuple(state), batches)
        return logs

    return step


def predictor(backend, model, images, labels):
    """One step of `predict`, as a function without arguments."""
    batch = on_device(images)
    model.make_predict_function()
    if backend != "jax":
        if backend == "torch":
            model.eval()
        return lambda: model.predict_function([batch])
    state = [
        [v.value for v in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    ]
    batches = itertools.repeat(batch)

    def step():
        outputs, state[:] = model.predict_function(tuple(state), batches)
        return outputs

    return step
