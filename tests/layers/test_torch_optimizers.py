"""Keras' Adam and AdamW on torch, as users type them: a fused step that is Keras' own."""

import copy
import subprocess
import sys

import keras
import numpy as np
import pytest
from support import BACKEND
from support.optimizers import dropping, gradients, network

import keras_resnet

pytestmark = pytest.mark.skipif(BACKEND != "torch", reason="of torch")
Adam, AdamW = keras.optimizers.Adam, keras.optimizers.AdamW


def of_kernels(**options):
    optimizer = AdamW(0.1, weight_decay=0.5, **options)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


CASES = {
    "Adam": lambda: Adam(0.1),
    "a schedule": lambda: Adam(dropping(), beta_1=0.5, beta_2=0.9, epsilon=0.1),
    "amsgrad": lambda: Adam(0.1, beta_2=0.5, amsgrad=True),
    "AdamW": lambda: AdamW(0.1, weight_decay=0.5),
    "some decay": of_kernels,
    "clipnorm": lambda: Adam(0.1, clipnorm=0.5),
    "global_clipnorm": lambda: AdamW(0.1, global_clipnorm=0.5),
    "clipvalue": lambda: Adam(0.1, clipvalue=0.1),
    "an average": lambda: Adam(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3),
    "batches in parts": lambda: AdamW(0.1, gradient_accumulation_steps=2),
    "a scaled loss": lambda: Adam(0.1, loss_scale_factor=8.0),
    "scaled losses": lambda: keras.optimizers.LossScaleOptimizer(Adam(0.1)),
}


@pytest.fixture
def elements(monkeypatch):
    """How many elements the fused kernel has updated, of each call."""
    from keras_resnet.layers.torch import internals

    counts, kernel = [], internals.fused_adam_

    def counted(values, *args, **kwargs):
        counts.append(sum(value.numel() for value in values))
        kernel(values, *args, **kwargs)

    monkeypatch.setattr(internals, "fused_adam_", counted)
    return counts


def stepped(optimizer, prepare):
    """The variables of a network and its optimizer after ten steps."""
    import torch

    model = network()
    model.compile(optimizer, "mse")
    prepare(model)
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    for step in range(10):
        for variable, grad in zip(
            model.trainable_variables, gradients(model.trainable_variables, step), strict=True
        ):
            variable.value.grad = torch.empty_like(variable.value).copy_(torch.from_numpy(grad))
        optimizer.apply([variable.value.grad for variable in model.trainable_variables])
    return [keras.ops.convert_to_numpy(v) for v in model.variables + optimizer.variables]


@pytest.mark.parametrize("case", CASES)
def test_a_fused_step_is_keras_own(case, elements, monkeypatch):
    from keras_resnet.layers.torch import optimizers

    expected = stepped(CASES[case](), prepare=lambda model: None)
    assert not elements
    monkeypatch.setattr(optimizers, "ONE_THREAD", 0)
    found = stepped(CASES[case](), prepare=optimizers.prepare_optimizer)
    if case != "scaled losses":  # Keras 3.10 takes those steps another way
        assert elements == [276] * (5 if case == "batches in parts" else 10)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, 2e-6, 2e-6)


def test_fit_updates_by_the_fused_kernel_what_is_large(elements):
    model = keras_resnet.build("resnet18", input_shape=(32, 32, 3), classes=4)
    model.compile(Adam(), "sparse_categorical_crossentropy")
    model.fit(np.ones((2, 32, 32, 3), "float32"), np.zeros(2), verbose=0)
    assert sum(elements) > 0.98 * sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def test_a_subclass_of_the_user_and_other_dtypes_keep_their_step(elements, monkeypatch):
    from keras_resnet.layers.torch import optimizers

    class Mine(Adam):
        pass

    monkeypatch.setattr(optimizers, "ONE_THREAD", 0)
    stepped(Mine(), prepare=optimizers.prepare_optimizer)
    variable = keras.Variable(np.ones((3, 3)), dtype="float64")
    optimizer = Adam(0.1)
    optimizer.build([variable])
    optimizers.fuse_step(optimizer)
    optimizer.apply([keras.ops.ones((3, 3), "float64")])
    assert not elements
    np.testing.assert_allclose(variable, 0.9, 1e-5)


def test_a_model_with_a_fused_step_is_copied_and_saved(elements, monkeypatch, tmp_path):
    from keras_resnet.layers.torch import optimizers

    monkeypatch.setattr(optimizers, "ONE_THREAD", 0)
    plain = network()
    model = keras_resnet.network.Network(plain.input, plain.output)
    x, y = np.ones((2, 6, 6, 3), "float32"), np.arange(2)
    model.compile(AdamW(0.1), "sparse_categorical_crossentropy")
    model.train_on_batch(x, y)
    model.save(tmp_path / "model.keras")
    others = [copy.deepcopy(model), keras.models.load_model(tmp_path / "model.keras")]
    for trained in (model, *others):
        trained.train_on_batch(x, y)
        assert int(trained.optimizer.iterations) == 2
    for other in others:
        for one, same in zip(other.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_allclose(one, same, 1e-6, 1e-6)


def test_importing_the_package_makes_no_optimizer_whose_name_would_count():
    program = "import keras, keras_resnet; print(keras.optimizers.Adam().name)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["adam"]
