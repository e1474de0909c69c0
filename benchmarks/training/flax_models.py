"""Flax and optax: the networks a JAX user would write, and the step that trains them."""

from typing import Any

from benchmarks.training import device
from benchmarks.training.catalog import Case
from benchmarks.training.program import LEARNING_RATE, MOMENTUM, Program, batch_of


def load(case: Case) -> None:
    import flax.linen  # noqa: F401
    import optax  # noqa: F401


def network(case: Case):
    """A linen module that returns logits; its type is made here, since flax is optional."""
    import jax.numpy as jnp

    from benchmarks.training.flax_resnet import ResNet

    imagenet = {"widths": (64, 128, 256, 512), "classes": 1000}
    options: dict[str, Any] = {
        "resnet50v1.5": {**imagenet, "blocks": (3, 4, 6, 3), "bottleneck": True},
        "resnet18": {**imagenet, "blocks": (2, 2, 2, 2), "bottleneck": False},
        "cifar_resnet56": {
            "widths": (16, 32, 64),
            "blocks": (9, 9, 9),
            "bottleneck": False,
            "classes": 10,
        },
    }[case.net]
    return ResNet(**options, cifar=case.net.startswith("cifar"), dtype=jnp.dtype(case.dtype))


def program(case: Case, model) -> Program:
    import jax
    import jax.numpy as jnp

    images, labels = map(jnp.asarray, batch_of(case))
    variables = jax.jit(model.init, static_argnames="train")(jax.random.key(0), images, train=False)
    step = {"train": trainer, "infer": predictor}[case.mode](model, variables, images, labels)
    return Program(step, device.waiter("jax"))


def trainer(model, variables, images, labels):
    import jax
    import optax

    optimizer = optax.sgd(LEARNING_RATE, momentum=MOMENTUM)

    def loss_of(params, statistics, images, labels):
        logits, updated = model.apply(
            {"params": params, "batch_stats": statistics},
            images,
            train=True,
            mutable=["batch_stats"],
        )
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return losses.mean(), updated["batch_stats"]

    def update(state, images, labels):
        params, statistics, slots = state
        differentiate = jax.value_and_grad(loss_of, has_aux=True)
        (loss, statistics), gradients = differentiate(params, statistics, images, labels)
        changes, slots = optimizer.update(gradients, slots, params)
        return (optax.apply_updates(params, changes), statistics, slots), loss

    update = jax.jit(update, donate_argnums=0)
    params = variables["params"]
    state = (params, variables["batch_stats"], optimizer.init(params))

    def step():
        nonlocal state
        state, loss = update(state, images, labels)
        return loss

    return step


def predictor(model, variables, images, labels):
    import jax

    forward = jax.jit(lambda variables, images: model.apply(variables, images, train=False))
    return lambda: forward(variables, images)
