"""Where names that Keras and torch keep private may be used: each in one place."""

import ast
import pathlib
import re
import tomllib

import pytest

import keras_resnet

pytestmark = pytest.mark.once

ROOT = pathlib.Path(keras_resnet.__file__).parent
PRIVATE = re.compile(r"_[A-Za-z]\w*")

# The files of the package, and the names of Keras or torch that stand behind functions in them.
PLACES = {
    "graph.py": "_flatten_layers _nodes_by_depth",
    "layers/calls.py": "_call_context_args _h5_entry_group _keras_mask _standardize_inputs",
    "layers/torch/internals.py": """
        _C _are_functorch_transforms_active _backward_hooks _backward_pre_hooks _cdata
        _convolution_pointwise _convolution_pointwise_ _current_level _dynamo _execution_engine
        _foreach_add _foreach_add_ _foreach_addcmul_ _foreach_clamp_min_ _foreach_div
        _foreach_div_ _foreach_lerp_ _foreach_mul _foreach_mul_ _foreach_norm _foreach_pow
        _foreach_sqrt_ _foreach_sub_ _foreach_utils _forward_hooks _forward_pre_hooks
        _fused_adam_ _fused_sgd_ _get_fused_kernels_supported_devices _get_tracing_state
        _global_backward_hooks _global_backward_pre_hooks _global_forward_hooks
        _global_forward_pre_hooks _is_mkldnn_bf16_supported _storage_Use_Count _use_count _value
        _version
    """,
    "layers/torch/optimizers.py": """
        _get_variable_index _momentums _parallel_update_step _velocities _velocity_hats
    """,
    "training/checkpoints.py": "jax_state_sync",
    "training/remembered.py": "_set_monitor_op",
    "training/loop.py": "_async_predict _async_test _async_train",
    # What a subclass of Keras' layers or optimizers has, of itself or to override.
    "layers/convolution.py": "_kernel",
    "training/optimizers.py": """
        _apply_weight_decay _distribution_strategy _get_current_learning_rate _get_variable_index
        _learning_rate _momentums _track_variable _tracker _untrack_variable _use_weight_decay
        _var_key _velocities
    """,
    "training/torch/optimizers.py": """
        _backend_update_step _get_current_learning_rate _get_variable_index _iterations
        _learning_rate _momentums _velocities
    """,
}
ALLOWED = {file: set(names.split()) for file, names in PLACES.items()}
# Not private by their underscore, but in no documentation.
UNDOCUMENTED = {"jax_state_sync"}
# Attributes that this package puts on objects of its own or of its users'.
OURS = {"_averages_gradients", "_averaging", "_count", "_decayed_keys", "_plan", "_rate"}
OURS |= {"_prepared_optimizer"}


def private_names(source: str) -> set[str]:
    """Attributes, imports and names of attributes in strings that begin with one underscore."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "").endswith("attr"):
            strings = (x.value for x in node.args[1:] if isinstance(x, ast.Constant))
            names |= {value for value in strings if isinstance(value, str)}
    return {name for name in names if PRIVATE.fullmatch(name) or name in UNDOCUMENTED}


FOUND = {
    path.relative_to(ROOT).as_posix(): private_names(path.read_text())
    for path in sorted(ROOT.rglob("*.py"))
}


@pytest.mark.parametrize("file", FOUND)
def test_private_names_stand_only_where_the_table_says(file):
    assert FOUND[file] - OURS == ALLOWED.get(file, set())


def test_the_table_names_files_that_exist():
    assert set(ALLOWED) <= set(FOUND)
    assert set().union(*FOUND.values()) >= OURS


def test_what_the_table_would_miss():
    source = "x._value; getattr(x, '_plan'); from torch._a import _b\ndef _c(self): 'conv' + '_bn'"
    assert private_names(source) == {"_value", "_plan", "_a", "_b", "_c"}


# ---- what leaves the device, and who may use it -------------------------------------------

SOURCES = {
    path.relative_to(ROOT.parent).as_posix(): ast.parse(path.read_text())
    for folder in ("keras_resnet", "recipes", "benchmarks")
    for path in sorted((ROOT.parent / folder).rglob("*.py"))
}


def arrays_of_tensors(tree: ast.AST) -> list[int]:
    """The lines where NumPy is given what a layer or a model returns: a tensor, maybe on a GPU."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("np.array", "np.asarray")
        and isinstance(given := node.args[0], ast.Call)
        and (
            isinstance(given.func, ast.Call)
            or re.search(r"(^|[._])(model|layer|net|network)$", ast.unparse(given.func))
        )
    ]


def test_a_tensor_becomes_an_array_by_keras():
    found = {file: arrays_of_tensors(tree) for file, tree in SOURCES.items()}
    assert {file: lines for file, lines in found.items() if lines} == {}


def test_what_numpy_cannot_take_from_a_gpu_is_found():
    source = "np.asarray(Layer(3)(x))\nnp.array(self.model(x))\nnp.asarray(model.predict(x))"
    assert arrays_of_tensors(ast.parse(source)) == [1, 2]


def test_tensorflow_is_imported_where_it_is_told_to_leave_the_gpu_alone():
    importers = {
        file
        for file, tree in SOURCES.items()
        if file.startswith("keras_resnet") and "/tensorflow/" not in file
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(name.name == "tensorflow" for name in node.names)
    }
    assert importers == {"keras_resnet/layers/backend.py"}


def test_no_extra_brings_two_versions_of_cuda():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    # torch's own wheels are built against CUDA 13, those of TensorFlow against CUDA 12.
    brings = {"tensorflow[and-cuda]": 12, "jax[cuda13]": 13, "torch": 13}
    for extra, wanted in extras.items():
        names = {re.split("[<>=!~]", requirement)[0] for requirement in wanted}
        assert len({brings[name] for name in names & set(brings)}) <= 1, extra
        assert not any("cuda" in name and name not in brings for name in names), extra
