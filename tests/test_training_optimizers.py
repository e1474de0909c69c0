"""Optimizers do what the papers write: ten steps of each beside NumPy."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from support import BACKEND, random

import keras_resnet
from keras_resnet.layers import BatchNormalization, Conv2D
from keras_resnet.training import LAMB, LARS, SGD, step_drops

STEPS = 10


def network():
    """A convolution, a normalization and a head: every kind of variable."""
    inputs = keras.Input((6, 6, 3))
    x = Conv2D(8, 3, name="conv")(inputs)
    x = BatchNormalization(name="norm")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(4, name="fc")(x))
    for v in model.trainable_variables:
        v.assign(random(v.path).standard_normal(v.shape) * 0.3)
    return model


def gradients(variables, step):
    draws = [random(f"{v.path} {step}").standard_normal(v.shape) for v in variables]
    return [draw.astype("float32") for draw in draws]


def applied(optimizer, steps=STEPS):
    """The variables after some steps: as `fit` takes them, where the backend compiles."""
    variables = network().trainable_variables
    optimizer.build(variables)
    if BACKEND == "jax":
        import jax

        update = jax.jit(optimizer.stateless_apply)
        state = [v.value for v in optimizer.variables], [v.value for v in variables]
        for step in range(steps):
            values, slots = update(state[0], gradients(variables, step), state[1])
            state = slots, values
        return {v.path: np.asarray(x) for v, x in zip(variables, state[1], strict=True)}
    apply = optimizer.apply
    if BACKEND == "tensorflow":
        import tensorflow as tf

        apply = tf.function(lambda grads: optimizer.apply(grads))
    for step in range(steps):
        apply([keras.ops.convert_to_tensor(g) for g in gradients(variables, step)])
    return {v.path: keras.ops.convert_to_numpy(v) for v in variables}


def reference(update, clip=None, steps=STEPS):
    """The same in double precision. `update(w, g, state, step, is_kernel)` gives the new w."""
    variables = network().trainable_variables
    values = [keras.ops.convert_to_numpy(v).astype("float64") for v in variables]
    states: list[dict] = [{} for _ in variables]
    for step in range(steps):
        grads = [g.astype("float64") for g in gradients(variables, step)]
        if clip is not None:
            length = np.sqrt(sum(np.sum(g**2) for g in grads))
            grads = [g * min(1, clip / length) for g in grads]
        for index, (v, g) in enumerate(zip(variables, grads, strict=True)):
            kernel = v.path.endswith("kernel")
            values[index] = update(values[index], g, states[index], step, kernel)
    return {v.path: value for v, value in zip(variables, values, strict=True)}


def agree(found, expected, tolerance=3e-6):
    assert found.keys() == expected.keys()
    for path, value in found.items():
        np.testing.assert_allclose(value, expected[path], tolerance, tolerance, err_msg=path)


def caffe(momentum, decay, all_decay=False, nesterov=False):
    """SGDSolver::ComputeUpdateValue, with a rate that drops after four steps."""

    def update(w, g, state, step, kernel):
        rate = 0.1 if step < 4 else 0.01
        g = g + decay * w if kernel or all_decay else g
        state["v"] = momentum * state.get("v", 0) - rate * g
        return w + momentum * state["v"] - rate * g if nesterov else w + state["v"]

    return update


def dropping():
    return keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.1, 0.01])


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


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
def test_on_torch_the_fused_kernel_updates_what_is_large(monkeypatch):
    import torch

    from keras_resnet.training import torch_optimizers

    fused = torch._fused_sgd_
    elements = []

    def counted(values, *args, **kwargs):
        elements.extend(value.numel() for value in values)
        return fused(values, *args, **kwargs)

    monkeypatch.setattr(torch, "_fused_sgd_", counted)
    model = keras_resnet.build("resnet18", input_shape=(32, 32, 3), classes=4)
    model.compile(SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(np.ones((2, 32, 32, 3), "float32"), np.zeros(2), verbose=0)
    sizes = [int(np.prod(v.shape)) for v in model.trainable_variables]
    large = [size for size in sizes if size >= torch_optimizers.ONE_THREAD]
    assert sorted(elements) == sorted(large)
    assert sum(large) > 0.98 * sum(sizes)


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_on_torch_one_pass_over_memory_is_the_same_update(momentum, monkeypatch):
    from keras_resnet.training import torch_optimizers

    monkeypatch.setattr(torch_optimizers, "ONE_THREAD", 0)
    found = applied(SGD(dropping(), momentum, weight_decay=0.05))
    agree(found, reference(caffe(momentum, 0.05)))


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
@pytest.mark.parametrize(
    ("optimizer", "reads"),
    [(SGD(0.1), 0), (LARS(0.1), 0), (LAMB(0.1), 0), (keras.optimizers.SGD(0.1, 0.9), 1)],
    ids=["SGD", "LARS", "LAMB", "that of Keras, which does"],
)
def test_on_torch_no_step_reads_from_the_device(optimizer, reads):
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Reads(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            self.count += function is torch.ops.aten._local_scalar_dense.default
            return function(*args, **(kwargs or {}))

    variables = network().trainable_variables
    grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, 0)]
    optimizer.apply(grads, variables)
    with Reads() as seen:
        optimizer.apply(grads, variables)
    assert bool(seen.count) == bool(reads)


@pytest.mark.skipif(BACKEND != "torch", reason="of torch")
def test_on_torch_a_count_written_by_somebody_else_is_read_again():
    optimizer = SGD(keras.optimizers.schedules.PiecewiseConstantDecay([100], [0.1, 0.01]))
    variables = network().trainable_variables
    grads = [keras.ops.convert_to_tensor(g) for g in gradients(variables, 0)]
    optimizer.apply(grads, variables)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.iterations.assign(200)
    assert float(optimizer.learning_rate) == pytest.approx(0.01)
    optimizer.apply(grads, variables)
    assert int(optimizer.iterations) == 201


@pytest.mark.skipif(BACKEND != "tensorflow", reason="of TensorFlow")
def test_replicas_take_the_step_of_one_device_and_refuse_to_accumulate():
    program = """
        import keras
        import numpy as np
        import tensorflow as tf
        from keras_resnet.training import SGD

        parts = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)

        def trained():
            keras.utils.set_random_seed(0)
            model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
            model.compile(SGD(0.1, weight_decay=0.1), "mse")
            x = np.arange(24, dtype="float32").reshape(8, 3) / 24
            model.fit(x, x[:, :2], batch_size=4, shuffle=False, verbose=0)
            return model.get_weights()

        alone = trained()
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            for one, other in zip(alone, trained()):
                np.testing.assert_allclose(one, other, 1e-6, 1e-6)
            try:
                SGD(0.1, gradient_accumulation_steps=4)
            except ValueError as error:
                print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert "gradient_accumulation_steps=4 on 2 replicas" in run.stdout, run.stderr


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_trains_a_network_as_the_whole_batch(parts):
    """Without batch normalization, which knows only the images of its part."""
    x = random("accumulated").standard_normal((16, 6, 6, 3)).astype("float32")
    y = np.arange(16) % 4
    trained = []
    for count in (1, parts):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((6, 6, 3))
        features = keras.layers.Flatten()(Conv2D(8, 3, activation="relu")(inputs))
        model = keras.Model(inputs, keras.layers.Dense(4)(features))
        for v in model.trainable_variables:
            v.assign(random(v.name).standard_normal(v.shape) * 0.1)
        accumulated = {"gradient_accumulation_steps": count} if count > 1 else {}
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(SGD(step_drops(0.1, (2,)), **accumulated), loss)
        model.fit(x, y, batch_size=16 // count, epochs=4, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for one, other in zip(*trained, strict=True):
        np.testing.assert_allclose(one, other, 1e-6, 1e-6)
