"""Every setting changes the run, and every flag can switch off what a recipe has on."""

import dataclasses

import keras
import pytest
from support.recipes import module_of

import keras_resnet
from keras_resnet import training
from keras_resnet.data import Augmentation, Mixing

pytestmark = pytest.mark.once
IMAGENET, CIFAR10 = module_of("imagenet"), module_of("cifar10")
HEADS = {"fc": 1.0, "loss1": 0.3}
# Values of a field that differ from one another, where doubling the number is not enough.
VALUES = {
    "source": ("one", "another"),
    "schedule": ("steps", "triangle"),
    "momentum": (0.5, 0.9),
    "drops": ((1,), (2, 3)),
    "optimizer": ("sgd", "lamb"),
    "loss": ("softmax", "binary"),
    "size": (64, 96),
    "last_size": (64, 96),
    "rise": ((0, 4), (2, 3)),
    "evaluation": ((256, 224), (100, 96)),
    "augmentation": (Augmentation(), Augmentation(flip=False)),
    "mixing": (None, Mixing(mixup=0.3)),
    "stride_on": ("1x1", "3x3"),
    "loss_weights": (HEADS, HEADS | {"loss1": 0.5}),
    "warm_up_from": (None, 20),
}
# In which settings a field has an effect, where the recipe "goyal" has not.
WHERE = {
    "every": {"schedule": "exponential"},
    "start": {"schedule": "cosine"},
    "final": {"schedule": "cosine"},
    "size": {"rise": (2, 3)},
    "last_size": {"rise": (2, 3)},
    "rise": {"size": 64, "last_size": 224},
}


def pair(settings, name):
    """Settings that differ in one field."""
    value = getattr(settings, name)
    other = not value if isinstance(value, bool) else value or 0.25
    values = VALUES.get(name) or (other, value if isinstance(value, bool) else 2 * other)
    settings = dataclasses.replace(settings, **WHERE.get(name, {}))
    return [dataclasses.replace(settings, **{name: value}) for value in values]


def compiled(model):
    optimizer, loss = model.optimizer.get_config(), model.loss.get_config()
    return [type(model.optimizer), optimizer, type(model.loss), loss]


class Batches:
    """Keeps what a recipe's batches are made with, and reads no image."""

    bad_images: dict = {}  # noqa: RUF012

    def __init__(self, images, batch_size, size, **how):
        sizes = [size(epoch) for epoch in range(8)] if callable(size) else size
        self.batch_size, self.how = batch_size, [batch_size, sizes, repr(how)]
        self.steps_per_epoch = 12_800 // batch_size


@pytest.fixture
def imagenet(monkeypatch, capsys):
    """Runs the recipe up to its training; returns all that depends on the settings."""
    seen = {}

    def build(row, input_tensor, **options):
        keras.utils.set_random_seed(0)
        x = keras.layers.GlobalAveragePooling2D()(input_tensor)
        ends = {name: keras.layers.Dense(3, name=name)(x) for name in HEADS}
        seen["network"] = options
        seen["preprocessing"] = input_tensor._keras_history.operation.get_config()
        seen["model"] = keras.Model(
            input_tensor, ends if options["auxiliary"] else ends["fc"], name=options["name"]
        )
        return seen["model"]

    def run(recipe, model, batches, *, evaluate, finish, kept, settings, **how):
        seen["run"] = [*compiled(model), batches.how, evaluate(model), finish is None, how]
        seen["weights"] = getattr(model, "loss_weights", None)
        kernel = seen.pop("model").get_layer("fc").kernel
        seen["kernel"] = keras.ops.convert_to_numpy(kernel).tolist()

    def evaluate(model, tested, mirrored):
        return tested.how, mirrored

    monkeypatch.setattr(keras_resnet, "build", build)
    monkeypatch.setattr(training, "evaluate", evaluate)
    monkeypatch.setattr(IMAGENET.runs, "run", run)
    monkeypatch.setattr(IMAGENET, "ImageBatches", Batches)
    monkeypatch.setattr(IMAGENET, "EvaluationBatches", Batches)

    def observed(settings):
        keras.utils.clear_session(free_memory=False)  # names start from their first number
        monkeypatch.setattr(IMAGENET.Recipe, "settings", lambda self: settings)
        IMAGENET.main(IMAGENET.Recipe(dataset="synthetic"))
        return repr([seen, capsys.readouterr().out])

    return observed


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(IMAGENET.Settings)])
def test_every_setting_of_imagenet_changes_the_run(imagenet, name):
    one, another = pair(IMAGENET.RECIPES["goyal"], name)
    first = imagenet(one)
    assert first == imagenet(one)
    assert first != imagenet(another)


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(CIFAR10.Settings)])
def test_every_setting_of_cifar_10_changes_the_run(monkeypatch, tmp_path, capsys, name):
    def observed(settings):
        keras.utils.clear_session(free_memory=False)
        seen = {}

        def run(recipe, model, batches, *, steps, callbacks, **how):
            held = vars(batches.augment)
            seen.update(run=[*compiled(model), held, batches.batch_size, steps, len(callbacks)])

        def build(name, **options):
            return keras.Sequential([keras.Input((4,)), keras.layers.Dense(10)])

        monkeypatch.setattr(keras_resnet, "build", build)
        monkeypatch.setattr(CIFAR10.runs, "run", run)
        monkeypatch.setattr(CIFAR10.Recipe, "settings", lambda self: settings)
        CIFAR10.main(CIFAR10.Recipe(smoke=True, out=str(tmp_path)))
        return repr([seen, capsys.readouterr().out])

    settings = dataclasses.replace(CIFAR10.RECIPES["paper"], batch_size=16)
    one, another = pair(settings, name)
    assert observed(one) == observed(one)
    assert observed(one) != observed(another)


@pytest.mark.parametrize(
    ("recipe", "model", "flag", "name"),
    [
        ("paper", "googlenet", "--ema=0", "ema"),
        ("fast", "resnet50", "--label-smoothing=0", "label_smoothing"),
        ("paper", "resnet50", "--no-recompute-batch-norm", "recompute_batch_norm"),
        ("paper", "resnet50", "--learning-rate=0", "learning_rate"),
    ],
)
def test_a_flag_switches_off_what_the_recipe_has_on(recipe, model, flag, name):
    def settings(*flags):
        words = ["--recipe", recipe, "--model", model, *flags]
        return IMAGENET.common.from_command_line(IMAGENET.Recipe, None, words).settings()

    assert getattr(settings(), name)
    assert settings(flag) == dataclasses.replace(settings(), **{name: 0})


def test_a_flag_switches_off_the_label_smoothing_of_cifar_10():
    assert CIFAR10.Recipe(recipe="fast").settings().label_smoothing == 0.1
    assert CIFAR10.Recipe(recipe="fast", label_smoothing=0.0).settings().label_smoothing == 0


@pytest.mark.parametrize("recipe", IMAGENET.RECIPES)
def test_flags_that_are_not_given_leave_the_settings_as_they_are(recipe):
    assert IMAGENET.Recipe(recipe=recipe).settings() == IMAGENET.RECIPES[recipe]


@pytest.mark.parametrize("module", [IMAGENET, CIFAR10], ids=["imagenet", "cifar10"])
def test_a_smoke_run_is_small_unless_a_flag_says_otherwise(module):
    small, asked = module.Recipe(smoke=True), module.Recipe(smoke=True, batch_size=16)
    assert (small.settings().batch_size, asked.settings().batch_size) == (8, 16)
    rate = module.Recipe().settings()
    assert asked.settings().learning_rate == rate.learning_rate * 16 / rate.batch_size


@pytest.mark.parametrize("module", [IMAGENET, CIFAR10], ids=["imagenet", "cifar10"])
def test_a_run_of_version_0_1_which_wrote_0_for_what_was_not_given_continues(module):
    numbers = {"steps": 0, "batch_size": 0, "learning_rate": 0.0, "ema": 0.0}
    assert module.Recipe().configuration().items() >= numbers.items()
