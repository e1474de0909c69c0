"""Any combination of options builds the right shape, or is refused before a layer is made."""

import keras
import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from support import layers_made, without_values

import keras_resnet
from keras_resnet.networks.paper import Architecture

pytestmark = pytest.mark.portable

ROWS = st.sampled_from(
    [
        Architecture(block, blocks, 4, stem, shortcut)
        for block in ("basic", "bottleneck")
        for blocks in ((1,), (1, 2), (1, 1, 1), (1, 1, 2, 1))
        for stem in ("imagenet", "cifar")
        for shortcut in ("A", "B", "C", None)
    ]
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "shortcut": st.sampled_from(["A", "B", "C", None]),
        "stride_on": st.sampled_from(["1x1", "3x3", None]),
        "pool1": st.sampled_from(["symmetric", "caffe", None]),
        "zero_channels": st.sampled_from(["end", "center", None]),
        "zero_init_residual": st.booleans(),
        "blur_pool": st.booleans(),
        "output_stride": st.sampled_from([1, 2, 4, 8, 16, 32, None]),
        "drop_path_rate": st.sampled_from([0, 0.2, 0.99]),
        "include_preprocessing": st.booleans(),
    },
)
SIDES = st.one_of(st.none(), st.integers(32, 70), st.integers(1, 40))
SHAPES = st.one_of(st.none(), st.tuples(SIDES, SIDES, st.sampled_from([3, 3, 1, 4])))
HEADS = st.fixed_dictionaries(
    {
        "include_top": st.booleans(),
        "pooling": st.sampled_from([None, "avg", "max"]),
        "classes": st.integers(1, 12),
        "classifier_activation": st.sampled_from([None, "softmax", "sigmoid"]),
    }
)


def applies(row, options):
    """Whether every option given is one that can change this row: the rules, said once more."""
    shortcut = options.get("shortcut") or row.shortcut
    least = 4 if row.stem == "imagenet" else 1
    stride = least * 2 ** (len(row.blocks) - 1)
    wanted = options.get("output_stride") or stride
    return (
        (row.shortcut is not None or not options.get("shortcut"))
        and (row.block == "bottleneck" or not options.get("stride_on"))
        and (row.stem == "imagenet" or not options.get("pool1"))
        and (shortcut == "A" or not options.get("zero_channels"))
        and (row.shortcut is not None or not options.get("zero_init_residual"))
        and (len(row.blocks) > 1 or not options.get("blur_pool"))
        and (row.shortcut is not None or not options.get("drop_path_rate"))
        and (wanted in (stride, stride // 2, stride // 4) and wanted >= least)
    )


def sides_of(shape, row, include_top):
    if shape is None:
        return (row.size, row.size) if include_top else (None, None)
    return shape[:2]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@settings(max_examples=100)
@given(row=ROWS, options=OPTIONS, shape=SHAPES, head=HEADS)
def test_options_build_the_right_shape_or_are_refused_at_once(
    data_format, row, options, shape, head
):
    keras.config.set_image_data_format(data_format)
    last = data_format == "channels_last"
    sides = sides_of(shape, row, head["include_top"])
    channels = shape[2] if shape else 3
    if shape is not None and not last:
        shape = (shape[2], *shape[:2])
    good = (
        applies(row, options)
        and all(side is None or side >= row.stride for side in sides)
        and (channels == 3 or not options.get("include_preprocessing"))
    )
    event("accepted" if good else "refused")
    if not good:
        with layers_made() as made, pytest.raises(ValueError, match="Received: "):
            keras_resnet.build(row, input_shape=shape, **head, **options)
        assert made == []
        return
    with without_values():
        model = keras_resnet.build(row, input_shape=shape, **head, **options)
    filters = row.width * 2 ** (len(row.blocks) - 1) * (4 if row.block == "bottleneck" else 1)
    stride = options.get("output_stride") or row.stride
    if options.get("pool1") == "caffe":  # its pool leaves the last pixel of an odd map out
        sides, stride = tuple(side and -(-side // 2) // 2 for side in sides), stride // 4
    height, width = (side and -(-side // stride) for side in sides)
    if head["include_top"]:
        expected = (None, head["classes"])
    elif head["pooling"]:
        expected = (None, filters)
    elif last:
        expected = (None, height, width, filters)
    else:
        expected = (None, filters, height, width)
    assert model.output.shape == expected


@given(st.integers(-20, 2000))
def test_a_cifar_depth_is_6n_plus_2_or_refused(depth):
    name = f"cifar_resnet{depth}"
    if depth >= 8 and depth % 6 == 2:
        assert keras_resnet.networks.family.network_row(name).depth == depth
    else:
        with pytest.raises(ValueError, match="6n"):
            keras_resnet.build(name)


@given(st.text())
def test_a_name_that_is_not_known_is_refused(name):
    if name not in keras_resnet.list_models():
        with pytest.raises(ValueError, match=r"Unknown network|6n"):
            keras_resnet.build(name)


def test_layers_of_one_shape_start_from_different_weights():
    model = keras_resnet.build("cifar_resnet20", input_shape=(8, 8, 3), classes=4)
    kernels = [v for v in model.trainable_variables if v.path.endswith("kernel")]
    sums = [float(np.abs(keras.ops.convert_to_numpy(kernel.value)).sum()) for kernel in kernels]
    assert len(set(sums)) == len(sums)


def test_the_seed_decides_the_initial_weights():
    def drawn(seed):
        keras.utils.set_random_seed(seed)
        model = keras_resnet.build("cifar_resnet8", input_shape=(8, 8, 3), classes=4)
        return [keras.ops.convert_to_numpy(v.value) for v in model.trainable_variables]

    first, again, other = drawn(0), drawn(0), drawn(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
