"""PReLU-nets, "Delving Deep into Rectifiers", arXiv:1502.01852."""

from functools import partial

import keras
from keras import layers

from keras_resnet.layers import SpatialPyramidPooling
from keras_resnet.networks.assembly import KITS, channel_axis, classifier, connect
from keras_resnet.networks.options import Options
from keras_resnet.networks.parts import conv, hidden
from keras_resnet.networks.systems import PReLUNet


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


def body(x, row: PReLUNet, kit):
    """conv1 of stride 2, then stages that a max pool opens."""
    convolve = partial(
        conv,
        kit,
        initializer=partial(he_normal, row.slope),
        activate=partial(prelu, slope=row.slope),
    )
    x = convolve(x, row.conv1, 7, 2, name="conv1")
    for stage, (count, filters) in enumerate(
        zip(row.convolutions, row.filters, strict=True), start=2
    ):
        x = kit.MaxPooling2D(2, 2, name=f"pool{stage - 1}")(x)
        for number in range(1, count + 1):
            x = convolve(x, filters, 3, name=f"conv{stage}_{number}")
    return x


def head(x, row: PReLUNet, rule, classes, activation):
    """The spatial pyramid, fc1, fc2 and the classifier."""
    x = SpatialPyramidPooling(row.levels, rule, name="spp")(x)
    layer = partial(
        hidden,
        initializer=partial(gaussian, 0.01),
        activate=partial(prelu, slope=row.slope),
        dropout=row.dropout,
    )
    for name in ("fc1", "fc2"):
        x = layer(x, row.units, name=name)
    return classifier(x, classes, activation, initializer=partial(gaussian, 0.001))


def prelu_net(
    row: PReLUNet, options: Options, image, *, classes, classifier_activation, **others
) -> keras.Model:
    """Connects a PReLU-net to `image`; arguments as in `keras_resnet.networks.resnet.resnet`."""
    return connect(
        image,
        partial(body, row=row, kit=KITS[options.layers]),
        partial(head, row=row, rule=options.spp, classes=classes, activation=classifier_activation),
        options,
        **others,
    )
