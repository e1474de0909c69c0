"""A small training run on several devices or in several processes, for tests to start.

In tests/: KERAS_BACKEND=jax python -m support.distributed_run --kind auto --devices 2 --save FILE
"""

import argparse
import os
import signal

BATCH, STEPS_PER_EPOCH = 8, 10


def devices_of_cpu(count):
    """Has the backend take this machine's processor for several devices."""
    backend = os.environ["KERAS_BACKEND"]
    if backend == "jax":
        os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={count}"
        os.environ["JAX_PLATFORMS"] = "cpu"
    if backend == "tensorflow" and count > 1:
        import tensorflow as tf

        parts = [tf.config.LogicalDeviceConfiguration()] * count
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    if backend == "torch":
        import torch

        torch.set_num_threads(1)


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", default="auto")
    parser.add_argument("--devices", type=int, default=1, help="of this process")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--per-replica", action="store_true")
    parser.add_argument("--out")
    parser.add_argument("--die-at", type=int, default=-1)
    parser.add_argument("--stop-at", type=int, default=-1)
    parser.add_argument("--drop-path", type=float, default=0.0)
    parser.add_argument("--warm-up", type=float, help="until the error is below this")
    parser.add_argument("--fail-evaluation", action="store_true", help="in the last process")
    parser.add_argument("--save")
    options = parser.parse_args(arguments)
    devices_of_cpu(options.devices)

    import keras
    import numpy as np

    import keras_resnet
    from keras_resnet import training
    from keras_resnet.training.checkpoints import read_state
    from keras_resnet.training.distribution import distributed
    from support.resumed_run import At

    class Noise:
        """Random images and labels of each step, of which a process may have a part."""

        batch_size, steps_per_epoch = BATCH, STEPS_PER_EPOCH
        part = slice(None)

        def shard(self, index, count):
            sharded = Noise()
            each = BATCH // count
            sharded.part = slice(index * each, (index + 1) * each)
            return sharded

        def batches(self, start, stop=None):
            for step in range(start, stop):
                random = np.random.default_rng(step)
                images = random.normal(size=(BATCH, 8, 8, 3)).astype("float32")
                labels = random.integers(0, 4, BATCH).astype("int32")
                # Replicas whose parts differ in mean and variance tell whose statistics are used.
                images *= np.linspace(0.5, 2, BATCH, dtype="float32")[:, None, None, None]
                yield images[self.part], labels[self.part]

    distribution = distributed(options.kind, synchronize=not options.per_replica, timeout=30)
    # Only the first process' weights count: the others must take them over.
    several = distribution.kind in ("ddp", "multi-worker")
    keras.utils.set_random_seed(1 + distribution.index if several else 1)
    with distribution.scope():
        model = keras_resnet.build(
            "cifar_resnet8", input_shape=(8, 8, 3), classes=4, drop_path_rate=options.drop_path
        )
        optimizer = keras.optimizers.SGD(0.05, 0.9)
        warming: list[keras.callbacks.Callback] = []
        if options.warm_up:
            schedule = training.WarmUpUntil(0.05, warmup=0.005)
            optimizer = training.SGD(schedule, 0.9)
            warming = [training.EndWarmUp(schedule, error=options.warm_up, every=2)]
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(99).normal(size=(21, 8, 8, 3)).astype("float32")
    y = np.arange(21) % 4

    def evaluate(model):
        if options.fail_evaluation and distribution.index == distribution.count - 1:
            return training.evaluate(model, (x, y + 10), batch_size=4)
        return training.evaluate(model, (x, y), batch_size=4)

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    def stop():
        if distribution.index == distribution.count - 1:  # the others must hear of it
            os.kill(os.getpid(), signal.SIGTERM)

    rows = training.fit(
        model,
        Noise(),
        steps=options.steps,
        out=options.out,
        evaluate=evaluate,
        callbacks=[At(options.die_at, die), At(options.stop_at, stop), *warming],
        checkpoint_every=4,
        log_every=2,
    )
    distribution.sync_state(model)
    names = ("step", "loss", "accuracy", "learning_rate", "top1_error", "top5_error", "images")
    told = {name: np.array([row[name] for row in rows]) for name in names}
    told["evaluated_loss"] = np.array([row["loss"] for row in rows])
    everyone = distribution.gather(read_state(model))
    if distribution.is_first:
        apart = max(
            np.abs(one[name].astype("float64") - everyone[0][name]).max()
            for one in everyone
            for name in one
            if "seed_generator" not in name
        )
        if options.save:
            np.savez(options.save, **everyone[0], **told, apart=apart)


if __name__ == "__main__":
    main()
