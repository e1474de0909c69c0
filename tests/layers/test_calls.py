"""Without a name that Keras keeps private: Keras' own way is taken, with one warning."""

import sys
import warnings

import keras
import numpy as np
import pytest
from keras.src.saving import saving_lib
from support import BACKEND, fill, images

import keras_resnet
from keras_resnet import graph
from keras_resnet.layers import calls

# Those of graph.py and layers/calls.py: see tests/test_internals.py.
NAMES = [
    "_call_context_args",
    "_flatten_layers",
    "_h5_entry_group",
    "_keras_mask",
    "_nodes_by_depth",
    "_standardize_inputs",
]


def hide(monkeypatch, cls, name):
    """Has objects of a class lack an attribute, but for Keras itself."""
    plain = cls.__getattribute__

    def look(self, wanted):
        if wanted == name and sys._getframe(1).f_globals["__name__"].startswith("keras_resnet."):
            raise AttributeError(name)
        return plain(self, wanted)

    monkeypatch.setattr(cls, "__getattribute__", look)


def rise_and_fall(folder):
    """What a user does with a small network, and its numbers."""
    model = fill(keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=2))
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    x, y = images(4, 8, 8, 3), np.arange(4) % 2
    loss = model.train_on_batch(x, y)
    keras_resnet.training.recompute_batch_norm(model, [x])
    model.save_weights(folder / "file.weights.h5")
    model.load_weights(folder / "file.weights.h5")
    return np.append(model.predict_on_batch(x), loss)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return rise_and_fall(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("name", NAMES)
def test_where_keras_lacks_a_private_name_its_own_way_is_taken_with_one_warning(
    name, expected, monkeypatch, tmp_path
):
    for function in (graph.warn_of, calls.marks_masks):
        function.cache_clear()
    if name == "_keras_mask":
        monkeypatch.setattr(keras.layers.Masking, "__call__", lambda self, x: x)
    elif name == "_h5_entry_group":
        hide(monkeypatch, saving_lib.H5IOStore, name)
    else:
        hide(monkeypatch, keras_resnet.Network, name)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = rise_and_fall(tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    ours = [str(w.message) for w in said if "where keras_resnet looks" in str(w.message)]
    matters = BACKEND == "torch" or name in ("_flatten_layers", "_h5_entry_group")
    assert len(ours) == matters
    assert all(f"has no {name} where" in text for text in ours)
    calls.marks_masks.cache_clear()


@pytest.mark.once
def test_what_needs_the_graph_says_so_where_it_cannot_be_read(monkeypatch):
    model = keras_resnet.build("cifar_resnet8")
    hide(monkeypatch, keras_resnet.Network, "_nodes_by_depth")
    with pytest.raises(RuntimeError, match=r"needs the graph .* Keras 3.* keeps elsewhere"):
        keras_resnet.count(model)
