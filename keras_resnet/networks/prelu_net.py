"""PReLU-nets, "Delving Deep into Rectifiers", arXiv:1502.01852."""

from functools import partial

import keras
from keras import layers

from keras_resnet.graph import channel_axis
from keras_resnet.layers import SpatialPyramidPooling
from keras_resnet.networks.assembly import KITS, Top, classifier, conv, hidden
from keras_resnet.networks.systems import PReLUNet


def prelu_net(x, row: PReLUNet, options, top: Top | None):
    """A PReLU-net on `x`, a symbolic image: the last map, or classes with a top."""
    kit, activate = KITS[options.layers], partial(prelu, slope=row.slope)
    start = partial(he_normal, row.slope)
    convolve = partial(conv, kit=kit, initializer=start, activate=activate)
    x = convolve(x, row.conv1, 7, 2, name="conv1")
    for stage, (count, filters) in enumerate(zip(row.convolutions, row.filters, strict=True), 2):
        x = kit.MaxPooling2D(2, 2, name=f"pool{stage - 1}")(x)
        for number in range(1, count + 1):
            x = convolve(x, filters, 3, name=f"conv{stage}_{number}")
    if top is None:
        return x
    x = SpatialPyramidPooling(row.levels, options.spp, name="spp")(x)
    start = partial(gaussian, 0.01)
    for name in ("fc1", "fc2"):
        x = hidden(
            x, row.units, initializer=start, activate=activate, dropout=row.dropout, name=name
        )
    return classifier(x, top, initializer=partial(gaussian, 0.001))


def gaussian(deviation: float):
    """Sec. 2.2: 0.01, 0.01 and 0.001 for the fully connected layers."""
    return keras.initializers.RandomNormal(0.0, deviation)


def he_normal(slope: float):
    """Sec. 2.2: 1/2 (1 + a^2) n Var = 1, with n = k^2 d of d filters (Eqn. 14)."""
    return keras.initializers.VarianceScaling(
        2.0 / (1.0 + slope**2), "fan_out", "untruncated_normal"
    )


def prelu(x, *, slope, name):
    """One slope a channel, or a unit (Sec. 2.1)."""
    sides = [axis for axis in range(1, len(x.shape)) if axis != channel_axis()]
    shared = sides if len(x.shape) == 4 else None
    start = keras.initializers.Constant(slope)
    return layers.PReLU(start, shared_axes=shared, name=f"{name}_prelu")(x)
