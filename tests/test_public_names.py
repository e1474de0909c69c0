"""Every public name means one thing, and its docstring says what a user needs to call it."""

import importlib
import inspect
import pkgutil
import re
import types

import keras
import numpy as np
import pytest

import keras_resnet

ROOMS = ("data", "evaluation", "exporting", "figures", "layers", "report", "training", "weights")
PACKAGES = ("keras_resnet", *(f"keras_resnet.{room}" for room in ROOMS))
NAMES = [
    (package, name) for package in PACKAGES for name in importlib.import_module(package).__all__
]
# What the paper does not have: its docstring says where it is from.
CITED = {
    "data": ["Augmentation", "Mixing", "PadCropFlip", "Photometric", "RandAugment"],
    "evaluation": ["fully_convolutional", "wilson"],
    "figures": ["class_activation_map", "layer_responses"],
    "layers": ["LocalResponseNormalization", "SpatialPyramidPooling"],
    "training": [
        "LAMB",
        "LARS",
        "BinaryCrossentropy",
        "SparseCategoricalCrossentropy",
        "WarmUp",
        "WeightAverages",
        "WithAuxiliaryLosses",
        "linear_scaling",
        "recompute_batch_norm",
    ],
}
SOURCE = re.compile(r"arXiv|https?://|Sec\. ?\d|Fig\. ?\d|Table \d|Keras|[A-Z]\w+.*\d{4}")


def meaning(package: types.ModuleType, name: str) -> list[str]:
    """The modules and objects that `package.name` stands for, after or before an import."""
    submodules = {found.name for found in pkgutil.iter_modules(package.__path__)}
    value = getattr(package, name)
    is_module = isinstance(value, types.ModuleType)
    return [*(["object"] if not is_module else []), *(["module"] if name in submodules else [])]


def parameters_of(value) -> list[str]:
    """The arguments that a caller gives by name, but for those that Keras documents."""
    if inspect.isclass(value) and issubclass(value, BaseException):
        return []
    known = {
        name
        for base in (value.__mro__[1:] if inspect.isclass(value) else ())
        if base.__module__.startswith("keras.")
        for name in inspect.signature(base.__init__).parameters
    }
    given = inspect.signature(value).parameters.values()
    return [
        p.name
        for p in given
        if p.kind < p.VAR_KEYWORD and p.kind != p.VAR_POSITIONAL
        if p.name not in known
    ]


def errors_of(value) -> set[str]:
    """The errors that are raised in a function's own lines, or in a class' constructor."""
    made = value
    if inspect.isclass(value):
        generated = hasattr(value, "__dataclass_fields__") or value.__module__ == "typing"
        made = value.__dict__.get("__post_init__" if generated else "__init__")
    if made is None or made.__module__ == "typing":
        return set()
    return set(re.findall(r"raise (\w*(?:Error|Exception))\(", inspect.getsource(made)))


def lacks(value) -> list[str]:
    """What the docstring of a public function or class leaves out."""
    text = inspect.getdoc(value) or ""
    first, _, rest = text.partition("\n")
    found = [] if first[:1].isupper() or first[:1] == "`" else ["a first sentence"]
    found += [] if first.endswith((".", ":", "?")) else ["a first sentence of one line"]
    about = re.split(r"\n(?:Args|Attributes):\n", text)
    said = about[-1] if len(about) > 1 else text
    for name in parameters_of(value):
        if not re.search(rf"(^|\n) *[\w, ]*\b{name}\b[\w, ]*:|`{name}\b", said):
            found.append(f"the argument {name}")
    raised = text.partition("Raises:")[2]
    found += [f"the error {name}" for name in sorted(errors_of(value)) if name not in raised]
    if inspect.isfunction(value):
        hints = {n: str(hint) for n, hint in inspect.get_annotations(value).items()}
        says = re.match(r"(The|A|An|What|Whether|How|One|All)\b", first)
        if hints.get("return", "None") != "None" and not says and "Returns:" not in rest:
            found.append("what is returned") if "Yields:" not in rest else None
        if any("ndarray" in hint for hint in hints.values()):
            found += [] if re.search(r"\(\w+, [\w, ]+\)|shape", text) else ["a shape"]
    return found


@pytest.mark.once
@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_is_a_module_or_an_object_and_not_both(package, name):
    assert len(meaning(importlib.import_module(package), name)) == 1


@pytest.mark.once
@pytest.mark.parametrize(("package", "name"), NAMES)
def test_the_docstring_of_a_public_name_says_how_to_call_it(package, name):
    value = getattr(importlib.import_module(package), name)
    if callable(value):
        assert lacks(value) == []


@pytest.mark.once
@pytest.mark.parametrize("room", CITED)
def test_what_is_not_of_the_paper_says_where_it_is_from(room):
    package = importlib.import_module(f"keras_resnet.{room}")
    texts = {name: inspect.getdoc(getattr(package, name)) for name in CITED[room]}
    assert [name for name, text in texts.items() if not SOURCE.search(text)] == []


@pytest.mark.once
def test_a_name_of_two_meanings_is_found():
    package = types.ModuleType("a_package")
    package.__path__ = keras_resnet.__path__
    package.costs = lambda: None
    assert meaning(package, "costs") == ["object", "module"]


@pytest.mark.once
def test_what_a_docstring_leaves_out_is_found():
    def bad(images: np.ndarray, size: int) -> np.ndarray:
        """crops"""
        if size < 0:
            raise ValueError(size)
        return images

    assert lacks(bad) == [
        "a first sentence",
        "a first sentence of one line",
        "the argument images",
        "the argument size",
        "the error ValueError",
        "what is returned",
        "a shape",
    ]

    class Rate(keras.optimizers.schedules.LearningRateSchedule):
        """A rate."""

        def __init__(self, steps):
            raise OSError(steps)

    assert lacks(Rate) == ["the argument steps", "the error OSError"]
