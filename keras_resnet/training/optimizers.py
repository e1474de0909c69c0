"""Gradient descent as the papers define it: weight decay is part of the gradient, and of kernels.

`keras.optimizers.SGD(weight_decay=)` is another method: it decays what momentum does not see,
and it decays batch normalization and biases too. The optimizers here keep Keras' arguments,
variables and names, so that a state saved with one can be loaded into the other.
"""

import contextlib
import re
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_resnet.files.arguments import checked
from keras_resnet.layers.backend import backend_part

KERNELS = r"kernel$"
"""The paths of what a convolution or a dense layer multiplies with; not gamma, beta or biases."""

backend: Any = backend_part("training", "optimizers")


class CoupledDecay(keras.optimizers.Optimizer):
    """What the optimizers here share: which variables decay, and what a step is counted as.

    `weight_decay` adds `weight_decay * w` to the gradient of w, after gradients were clipped
    and accumulated, as Caffe does (SGDSolver::ApplyUpdate: clip, normalize, regularize).
    A schedule counts updates: with `gradient_accumulation_steps=4`, batches 0 to 3 are step 0.
    """

    def __init__(self, *args, weight_decay=0.0, decayed=KERNELS, **kwargs):
        if weight_decay is None or not 0 <= weight_decay < float("inf"):
            raise ValueError(
                f"`weight_decay` must be at least 0. Received: weight_decay={weight_decay}"
            )
        try:
            re.compile(decayed)
        except (re.error, TypeError) as error:
            raise ValueError(
                "`decayed` must be a regular expression for paths of variables, such as "
                f"{KERNELS!r} or '' for all. Received: decayed={decayed!r}"
            ) from error
        super().__init__(*args, weight_decay=float(weight_decay), **kwargs)
        self.decayed = decayed
        replicas = getattr(self, "_distribution_strategy", None)  # Keras sets it on TensorFlow
        if self.gradient_accumulation_steps and replicas and replicas.num_replicas_in_sync > 1:
            raise ValueError(
                "Keras cannot accumulate gradients under tf.distribute "
                "(https://github.com/keras-team/keras/issues/20582): use more devices or "
                "smaller batches. Received: gradient_accumulation_steps="
                f"{self.gradient_accumulation_steps} on {replicas.num_replicas_in_sync} replicas"
            )
        # A schedule may keep a state of its own: it is saved, and updated in graphs, with ours.
        for variable in getattr(self._learning_rate, "variables", ()):
            self._track_variable(variable)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        chosen = [v for v in variables if re.search(self.decayed, v.path)]
        chosen = [v for v in chosen if self._use_weight_decay(v)]
        self._decayed_keys = frozenset(map(self._var_key, chosen))

    def decays(self, variable) -> bool:
        """Whether `weight_decay` is for this variable, of Keras or of the backend."""
        return self._var_key(variable) in self._decayed_keys

    def _apply_weight_decay(self, variables):
        """Nothing: Keras would decay here, outside of momentum."""

    def with_decay(self, gradient, variable):
        gradient = ops.cast(gradient, variable.dtype)
        if not self.weight_decay or not self.decays(variable):
            return gradient
        return gradient + ops.cast(self.weight_decay, variable.dtype) * variable

    def _get_current_learning_rate(self):
        schedule = self._learning_rate
        if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            return schedule(self.iterations)
        return super()._get_current_learning_rate()

    def get_config(self):
        return super().get_config() | {"decayed": self.decayed}


@keras.saving.register_keras_serializable("keras_resnet")
class SGD(backend.Updates, CoupledDecay, keras.optimizers.SGD):
    """Gradient descent with momentum and weight decay, as Caffe does it and the paper used it.

        velocity = momentum * velocity - learning_rate * (gradient + weight_decay * w)
        w = w + velocity

    The learning rate is inside the velocity: after it drops, the velocity still carries steps
    of the old size for a while, where `torch.optim.SGD` shrinks them at once.

    On torch one pass over the memory updates all variables, and the learning rate is known
    to the host: no step waits for the device. Gradients or slots that lie in memory in another
    order than their kernels, and Nesterov's momentum, take a few passes.

    Args:
        learning_rate: float, a `keras.optimizers.schedules.LearningRateSchedule`, or a callable.
        momentum: float from 0 to 1. "a momentum of 0.9"
        nesterov: whether to look ahead (Goyal et al., arXiv:1706.02677, Sec. 5.1, find no gain).
        weight_decay: float. "a weight decay of 0.0001"
        decayed: regular expression, searched in the path of a variable such as `conv1/kernel`:
            those found decay. `""` decays all, as torchvision's and fb.resnet.torch's recipes.
            `exclude_from_weight_decay`, called before the first step, takes more out.
        **kwargs: of `keras.optimizers.Optimizer`: `clipnorm`, `global_clipnorm`, `clipvalue`,
            `use_ema`, `loss_scale_factor`, `gradient_accumulation_steps`, `name`, ...

    Raises:
        ValueError: `weight_decay` is negative, `decayed` is no regular expression, or gradients
            are to be accumulated under `tf.distribute`, which Keras cannot do.

    Source: Sec. 3.4; Caffe's sgd_solver.cpp, https://github.com/BVLC/caffe.

    Example:

    >>> import numpy as np
    >>> dense = keras.layers.Dense(1, kernel_initializer="ones")
    >>> dense.build((None, 2))
    >>> optimizer = SGD(0.5, momentum=0.9, weight_decay=0.1)
    >>> zeros = [np.zeros((2, 1), "float32"), np.zeros(1, "float32")]
    >>> optimizer.apply([keras.ops.convert_to_tensor(x) for x in zeros], dense.trainable_variables)
    >>> print(dense.kernel.numpy())
    [[0.95]
     [0.95]]
    """

    rule = "sgd"

    @checked()
    def __init__(
        self,
        learning_rate=0.1,
        momentum=0.9,
        nesterov=False,
        weight_decay=1e-4,
        decayed=KERNELS,
        **kwargs,
    ):
        super().__init__(
            learning_rate, momentum, nesterov, weight_decay=weight_decay, decayed=decayed, **kwargs
        )

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(self.direction(gradient, variable), variable, learning_rate)

    def direction(self, gradient, variable):
        """The gradient that momentum carries."""
        return self.with_decay(gradient, variable)


@keras.saving.register_keras_serializable("keras_resnet")
class LARS(SGD):
    """Layer-wise adaptive rate scaling: gradient descent for batches of thousands of images.

        ratio = trust * |w| / (|gradient| + weight_decay * |w| + epsilon)
        velocity = momentum * velocity - learning_rate * ratio * (gradient + weight_decay * w)
        w = w + velocity

    What does not decay (`decayed`: batch normalization and biases) has a ratio of 1, and so
    does what is all zeros.

    Args:
        learning_rate: float, a `keras.optimizers.schedules.LearningRateSchedule`, or a callable.
            It is that of a batch of thousands, such as 10: the ratio is about 0.001.
        momentum: float from 0 to 1.
        nesterov: whether to look ahead.
        weight_decay: float.
        decayed: see `SGD`.
        trust: float, eta of the paper.
        epsilon: float; not in the paper.
        **kwargs: of `keras.optimizers.Optimizer`.

    Source: You, Gitman and Ginsburg, arXiv:1708.03888, Algorithm 1.

    Example:

    >>> LARS(10.0, weight_decay=5e-5).get_config()["trust"]
    0.001
    """

    rule = "lars"

    @checked()
    def __init__(
        self,
        learning_rate=0.1,
        momentum=0.9,
        nesterov=False,
        weight_decay=1e-4,
        decayed=KERNELS,
        trust=0.001,
        epsilon=1e-9,
        **kwargs,
    ):
        super().__init__(learning_rate, momentum, nesterov, weight_decay, decayed, **kwargs)
        self.trust = trust
        self.epsilon = epsilon

    def direction(self, gradient, variable):
        if not self.decays(variable):
            return gradient
        length, steepness = norm(variable), norm(gradient)
        ratio = self.trust * length / (steepness + self.weight_decay * length + self.epsilon)
        ratio = ops.where(ops.logical_and(length > 0, steepness > 0), ratio, 1.0)
        return self.with_decay(gradient, variable) * ops.cast(ratio, variable.dtype)

    def get_config(self):
        return super().get_config() | {"trust": self.trust, "epsilon": self.epsilon}


@keras.saving.register_keras_serializable("keras_resnet")
class LAMB(backend.Updates, CoupledDecay, keras.optimizers.Lamb):
    """Adam whose step in each kernel is as long as the kernel: for batches of thousands.

        update = mean / (sqrt(square) + epsilon) + weight_decay * w
        w = w - learning_rate * |w| / |update| * update

    with the corrected moving averages `mean` of gradients and `square` of their squares.
    `keras.optimizers.Lamb` decays outside of the ratio, and gives batch normalization and
    biases a ratio too. Here what does not decay (`decayed`) is updated as by Adam.

    Args:
        learning_rate: float, a `keras.optimizers.schedules.LearningRateSchedule`, or a callable.
        beta_1, beta_2: floats, of the two moving averages.
        epsilon: float.
        weight_decay: float.
        decayed: see `SGD`.
        **kwargs: of `keras.optimizers.Optimizer`. Nothing is clipped, as in Table 2 of "ResNet
            strikes back"; timm's LAMB clips by default, which is `global_clipnorm=1.0`.

    Source: You et al., arXiv:1904.00962, Algorithm 2; Wightman et al., arXiv:2110.00476.

    Example:

    >>> LAMB(5e-3, weight_decay=0.02).get_config()["epsilon"]
    1e-06
    """

    rule = "lamb"

    @checked()
    def __init__(
        self,
        learning_rate=5e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        weight_decay=0.02,
        decayed=KERNELS,
        **kwargs,
    ):
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            weight_decay=weight_decay,
            decayed=decayed,
            **kwargs,
        )

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        mean, square = self._momentums[index], self._velocities[index]
        gradient = ops.cast(gradient, variable.dtype)
        taken = ops.cast(self.iterations + 1, variable.dtype)
        self.assign_add(mean, (gradient - mean) * (1 - self.beta_1))
        self.assign_add(square, (ops.square(gradient) - square) * (1 - self.beta_2))
        scale = ops.sqrt(square / (1 - ops.power(self.beta_2, taken))) + self.epsilon
        update = mean / (1 - ops.power(self.beta_1, taken)) / scale
        if self.decays(variable):
            update = self.with_decay(update, variable)
            length, stride = norm(variable), norm(update)
            ratio = ops.where(ops.logical_and(length > 0, stride > 0), length / stride, 1.0)
            update = update * ratio
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * update)


def norm(x):
    return ops.sqrt(ops.sum(ops.square(x)))


@contextlib.contextmanager
def without_variables(optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable]):
    """Inside of `with`, the optimizer's own variables, as they are saved, are without these."""
    optimizer._tracker.unlock()
    for variable in variables:
        optimizer._untrack_variable(variable)
    try:
        yield
    finally:
        for variable in variables:
            optimizer._track_variable(variable)
