"""Running a layer forwards and backwards on whichever backend there is."""

import contextlib

import keras
import numpy as np

from support import BACKEND


def run(layer, x, probe, **call):
    """Outputs of `layer`, and gradients of sum(outputs * probe) by the input and the weights.

    All as float32 or float64 arrays. Non-trainable weights are updated as a side effect.
    """
    outputs, gradients = {"torch": run_torch, "tensorflow": run_tf, "jax": run_jax}[BACKEND](
        layer, x, probe, call
    )
    return as_array(outputs), [as_array(gradient) for gradient in gradients]


def op_by_op():
    """Where JAX compiles no whole step: what is compiled for one mode serves the next."""
    if BACKEND != "jax":
        return contextlib.nullcontext()
    import jax

    return jax.disable_jit()


def unsupported_errors():
    """The errors by which a backend says that it cannot compute something on this device.

    TensorFlow has convolutions of float16 under channels_first only for CPUs with AVX512-FP16
    or AMX.
    """
    if BACKEND != "tensorflow":
        return ()
    import tensorflow as tf

    return (tf.errors.UnimplementedError,)


def as_array(tensor):
    if BACKEND == "torch":
        tensor = tensor.detach()
    array = keras.ops.convert_to_numpy(tensor)
    return array if array.dtype == np.float64 else array.astype("float32")


def run_torch(layer, x, probe, call):
    import torch

    x = torch.tensor(x, requires_grad=True)
    outputs = layer(x, **call)
    wanted = [x, *(v.value for v in layer.trainable_variables)]
    return outputs, torch.autograd.grad((outputs * torch.tensor(probe)).sum(), wanted)


def run_tf(layer, x, probe, call):
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = layer(x, **call)
        loss = tf.reduce_sum(tf.cast(outputs, probe.dtype) * probe)
    return outputs, tape.gradient(loss, [x, *(v.value for v in layer.trainable_variables)])


def run_jax(layer, x, probe, call):
    import jax

    def loss(x, trainable):
        outputs, states = layer.stateless_call(
            trainable, [v.value for v in layer.non_trainable_variables], x, **call
        )
        return (outputs.astype(probe.dtype) * probe).sum(), (outputs, states)

    trainable = [v.value for v in layer.trainable_variables]
    step = jax.jit(jax.grad(loss, (0, 1), has_aux=True))
    gradients, (outputs, states) = step(jax.numpy.asarray(x), trainable)
    for variable, state in zip(layer.non_trainable_variables, states, strict=True):
        variable.assign(state)
    return outputs, [gradients[0], *gradients[1]]


def assert_close(ours, theirs, tolerance, label=""):
    """Equal to `tolerance` of the largest of `theirs`."""
    scale = max(1.0, float(np.abs(theirs).max(initial=0)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * scale, err_msg=label)
