"""Optimizers do what the papers write: ten steps of each beside NumPy."""

import keras
import numpy as np
import pytest
from support.optimizers import agree, applied, caffe, dropping, gradients, network, reference

from keras_resnet.training import LAMB, LARS, SGD


@pytest.mark.parametrize("momentum", [0.9, 0.0])
@pytest.mark.parametrize("decay", [0.05, 0.0])
def test_ten_steps_are_caffes(momentum, decay):
    found = applied(SGD(dropping(), momentum, weight_decay=decay))
    agree(found, reference(caffe(momentum, decay)))


def test_nesterovs_steps_look_ahead():
    found = applied(SGD(dropping(), 0.9, nesterov=True, weight_decay=0.05))
    agree(found, reference(caffe(0.9, 0.05, nesterov=True)))


def test_an_expression_chooses_what_decays():
    found = applied(SGD(dropping(), 0.9, weight_decay=0.05, decayed=""))
    agree(found, reference(caffe(0.9, 0.05, all_decay=True)))


def test_what_is_excluded_as_keras_does_it_does_not_decay():
    optimizer = SGD(dropping(), 0.9, weight_decay=0.05)
    optimizer.exclude_from_weight_decay(var_names=["kernel"])
    agree(applied(optimizer), reference(caffe(0.9, 0.0)))


def test_gradients_are_clipped_before_they_decay():
    found = applied(SGD(dropping(), 0.9, weight_decay=0.05, global_clipnorm=2.0))
    agree(found, reference(caffe(0.9, 0.05), clip=2.0))


def test_without_decay_the_steps_are_those_of_keras():
    ours = applied(SGD(0.1, 0.9, weight_decay=0.0))
    agree(ours, applied(keras.optimizers.SGD(0.1, 0.9)), tolerance=1e-6)


def test_keras_decays_another_way():
    ours = applied(SGD(0.1, 0.9, weight_decay=0.05))
    theirs = applied(keras.optimizers.SGD(0.1, 0.9, weight_decay=0.05))
    assert np.abs(ours["conv/kernel"] - theirs["conv/kernel"]).max() > 0.01
    assert np.abs(ours["norm/gamma"] - theirs["norm/gamma"]).max() > 0.01


def test_ten_steps_of_lars_are_the_papers():
    def update(w, g, state, step, kernel):
        if kernel:
            w_norm, g_norm = np.linalg.norm(w), np.linalg.norm(g)
            g = 0.02 * w_norm / (g_norm + 0.05 * w_norm + 1e-9) * (g + 0.05 * w)
        return caffe(0.9, 0.0)(w, g, state, step, kernel)

    agree(applied(LARS(dropping(), 0.9, weight_decay=0.05, trust=0.02)), reference(update))


def test_ten_steps_of_lamb_are_the_papers():
    def update(w, g, state, step, kernel):
        state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
        state["s"] = 0.99 * state.get("s", 0) + 0.01 * g**2
        u = state["m"] / (1 - 0.9 ** (step + 1))
        u = u / (np.sqrt(state["s"] / (1 - 0.99 ** (step + 1))) + 1e-6)
        if kernel:
            u = u + 0.05 * w
            u = u * np.linalg.norm(w) / np.linalg.norm(u)
        return w - (0.1 if step < 4 else 0.01) * u

    found = applied(LAMB(dropping(), beta_2=0.99, weight_decay=0.05))
    agree(found, reference(update), tolerance=1e-5)


@pytest.mark.parametrize("optimizer", [SGD, LARS, LAMB])
def test_zeros_stay_finite(optimizer):
    variable = keras.Variable(np.zeros((2, 2), "float32"), name="kernel")
    chosen = optimizer(0.1)
    chosen.apply([keras.ops.zeros((2, 2))], [variable])
    assert np.all(keras.ops.convert_to_numpy(variable) == 0)


@pytest.mark.parametrize("optimizer", [SGD, LARS, LAMB])
def test_gradients_of_four_small_batches_are_those_of_a_big_one(optimizer):
    """Schedules, which Keras would move four times as fast, included."""
    variables = network().trainable_variables
    steps = [gradients(variables, step) for step in range(8)]
    whole, parts = network(), network()
    big, small = optimizer(dropping()), optimizer(dropping(), gradient_accumulation_steps=4)
    for _ in range(3):
        for first in (0, 4):
            mean = [np.mean(g, axis=0) for g in zip(*steps[first : first + 4], strict=True)]
            big.apply(list(map(keras.ops.convert_to_tensor, mean)), whole.trainable_variables)
            for grads in steps[first : first + 4]:
                small.apply(
                    list(map(keras.ops.convert_to_tensor, grads)), parts.trainable_variables
                )
    for one, other in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-6)


def test_slots_have_the_names_and_values_of_keras():
    ours, theirs = SGD(0.1, 0.9, weight_decay=0.0), keras.optimizers.SGD(0.1, 0.9)
    for optimizer in (ours, theirs):
        variables = network().trainable_variables
        grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, 0)]
        optimizer.apply(grads, variables)
    for one, other in zip(ours.variables, theirs.variables, strict=True):
        assert one.path.split("/")[1:] == other.path.split("/")[1:]
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), 1e-6, 1e-6
        )


@pytest.mark.parametrize("optimizer", [SGD, LARS, LAMB])
def test_an_optimizer_is_saved_with_its_state(optimizer, tmp_path):
    model = network()
    model.compile(optimizer(dropping(), weight_decay=0.05, decayed="fc"), "mse")
    x, y = np.ones((4, 6, 6, 3), "float32"), np.ones((4, 4), "float32")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is optimizer
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        assert np.array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
    model.fit(x, y, verbose=0)
    loaded.fit(x, y, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_float32_variables(policy):
    keras.config.set_dtype_policy(policy)
    model = network()
    before = model.get_weights()
    model.compile(SGD(0.1), "mse", jit_compile=False)
    model.fit(np.ones((4, 6, 6, 3), "float32"), np.ones((4, 4), "float32"), verbose=0)
    optimizer = model.optimizer
    if policy == "mixed_float16":
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        optimizer = optimizer.inner_optimizer
    assert {v.dtype for v in optimizer.momentums} == {"float32"}
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_keras_average_of_the_weights_is_kept():
    averages = []
    for optimizer in (
        SGD(0.1, weight_decay=0.0, use_ema=True, ema_momentum=0.5),
        keras.optimizers.SGD(0.1, 0.9, use_ema=True, ema_momentum=0.5),
    ):
        variables = network().trainable_variables
        for step in range(3):
            grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, step)]
            optimizer.apply(grads, variables)
        optimizer.finalize_variable_values(variables)
        averages.append([keras.ops.convert_to_numpy(v) for v in variables])
    for one, other in zip(*averages, strict=True):
        np.testing.assert_allclose(one, other, 1e-5, 1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weight_decay": -1.0}, "weight_decay=-1.0"),
        ({"weight_decay": None}, "weight_decay=None"),
        ({"decayed": "("}, r"decayed='\('"),
        ({"decayed": None}, "decayed=None"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SGD(0.1, **arguments)
