"""What takes a minute: learning digits, and the largest network of the tables in 6 GiB."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from golden_cases import TINY

import keras_resnet
from keras_resnet.data.digits import load_data
from keras_resnet.systems import VGG, BNInception, GoogLeNet, PReLUNet

pytestmark = pytest.mark.slow

LEARNING = {
    "vgg": (VGG((1, 1, 2), width=16, units=64, dropout=0.2), 32, 0.05),
    "googlenet": (GoogLeNet(width=16, dropout=0.1), 32, 0.02),
    "prelu_net": (PReLUNet((1, 1), (16, 32), conv1=16, units=64, dropout=0.2), 32, 0.02),
    "bn_inception": (BNInception(width=16), 32, 0.05),
    "preact_cifar": (TINY["preact_cifar"], 16, 0.1),
}


@pytest.mark.parametrize("kind", LEARNING)
def test_a_narrow_build_learns_the_digits(kind):
    row, side, rate = LEARNING[kind]
    keras.utils.set_random_seed(0)
    (x, y), (x_test, y_test) = load_data()
    x, x_test = (enlarged(images, side) for images in (x, x_test))
    model = keras_resnet.build(
        row, input_shape=(side, side, 1), classes=10, classifier_activation=None
    )
    steps = 8 * (len(x) // 64)
    model.compile(
        keras.optimizers.SGD(
            keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=rate, warmup_steps=40),
            momentum=0.9,
            clipnorm=1.0,
        ),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, 64, epochs=8, verbose=0)
    accuracy = (model.predict(x_test, verbose=0).argmax(-1) == np.asarray(y_test)).mean()
    print(f"{kind}: {100 * accuracy:.1f} % of {len(x_test)} digits")
    assert accuracy > 0.9


def enlarged(images, side):
    """Digits of -1 to 1, each pixel a square."""
    times = side // images.shape[1]
    return np.repeat(np.repeat(2 * images - 1, times, 1), times, 2)


def test_prelu_net_c_runs_within_six_gigabytes():
    pytest.importorskip("resource")
    code = """
import resource, numpy as np, keras_resnet
model = keras_resnet.PReLUNetC(weights=None)
y = model(np.zeros((1, 224, 224, 3), "float32"), training=False)
assert y.shape == (1, 1000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    gigabytes = float(done.stdout.split()[-1])
    print(f"{keras.backend.backend()}: {gigabytes:.2f} GiB")
    assert gigabytes < 6
