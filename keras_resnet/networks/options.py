"""What a builder may be asked for: one table, and all that follows from it.

An option is one annotation of `BuildOptions`. Its type and its `Option` say what it accepts,
which networks have it and why others do not, what it is by default, whether the weights depend
on it, and its help. The checks and their messages, the signatures and the help of all builders,
the types that an editor sees and the table in docs/differences.md are made of it.
"""

import dataclasses
import difflib
import inspect
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, get_args, get_type_hints
from typing import Annotated as Row

from keras_resnet.networks.checks import Option
from keras_resnet.networks.paper import Downsample, Shortcut, StrideOn

# RGB, 0..255: the statistics most public ImageNet weights were trained with.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


BLOCKS = (lambda row: row.family == "resnet", "{row.family} has no residual blocks")


def blocks(condition, why: str):
    """Residual and plain networks of which the condition holds."""
    return BLOCKS, (condition, why)


def families(*names: str, why: str):
    return ((lambda row: row.family in names, why),)


def strides(row) -> tuple[int, ...]:
    """The output strides of a row, the undilated first."""
    return tuple(row.stride // n for n in (1, 2, 4) if row.stride // n >= row.stem_stride)


def where_it_normalizes_first(row) -> str:
    own = row.order == "v2" or (row.preactivated and row.stem == "cifar")
    return "conv2_1" if own else "conv1"


def pools_nothing(row, options) -> str:
    dilated = row.downsample == "avg" and options.output_stride != row.stride
    return (
        f"a dilated network (output_stride={options.output_stride}) pools nothing"
        if dilated
        else ""
    )


def pools_negatives(row, options) -> str:
    negative = row.order == "preactivation" and options.first_norm == "conv2_1"
    why = "what is pooled has not been through a ReLU, and zeros around it would count"
    return why if negative else ""


# fmt: off
class BuildOptions(TypedDict, total=False):
    """The table: the keyword-only arguments of `keras_resnet.build`."""

    shortcut: Row[Shortcut | None, Option(
        """option `"A"`, `"B"` or `"C"` of Sec. 3.3. Default: B for ImageNet, A for CIFAR.""",
        blocks(lambda row: row.shortcut is not None, "a plain net has no shortcuts"),
        graph="implied", is_field=True)]
    stride_on: Row[StrideOn | None, Option(
        """the convolution of a bottleneck that downsamples: `"1x1"`, the paper ("v1"), or `"3x3"`
        ("v1.5", fb.resnet.torch and torchvision), which is the default of v2 and ResNeXt.""",
        blocks(lambda row: row.block == "bottleneck", "a basic block has no 1x1 convolution"),
        lambda row: row.stride_on or ("3x3" if row.order == "v2" else "1x1"), "implied")]
    pool1: Row[Literal["symmetric", "caffe"] | None, Option(
        """`"symmetric"` pads the first max pool on all sides; `"caffe"` as the released Caffe
        models, on the bottom and the right only.""",
        blocks(lambda row: row.stem != "cifar", "the CIFAR stem has no max pool"),
        "symmetric", "implied", clash=pools_negatives)]
    zero_channels: Row[Literal["end", "center"] | None, Option(
        """where option A adds its zeros: `"end"` (fb.resnet.torch) or `"center"`.""",
        blocks(lambda row: row.shortcut == "A", "only shortcut option A adds zeros"),
        "end", "implied")]
    stem: Row[Literal["imagenet", "deep"] | None, Option(
        """`"deep"` is three 3x3 convolutions instead of the 7x7 (ResNet-C, arXiv:1812.01187).""",
        blocks(lambda row: row.stem != "cifar", "the CIFAR stem is one 3x3 convolution"),
        graph="implied", unsaid="imagenet", is_field=True)]
    downsample: Row[Downsample | None, Option(
        """what halves the map in a projection: its `"conv"`, of stride 2, or an `"avg"` pool
        before it (ResNet-D).""",
        blocks(lambda row: row.shortcut in ("B", "C") and row.order != "v2",
               "only projections, shortcut options B and C, downsample with a convolution"),
        graph="implied", unsaid="conv", clash=pools_nothing, is_field=True)]
    first_norm: Row[Literal["conv1", "conv2_1"] | None, Option(
        """where a pre-activation network for ImageNet normalizes first: after `"conv1"`
        (arXiv:1603.05027), or after the max pool, in `"conv2_1"` (timm).""",
        blocks(lambda row: row.order == "preactivation" and row.stem != "cifar",
               "only pre-activation networks for ImageNet leave that open"),
        where_it_normalizes_first, "implied", "conv1")]
    blur_pool: Row[bool, Option(
        """blur what a strided convolution reads, conv1 aside (arXiv:1904.11486): the output moves
        less when the image does. The weights stay the same.""",
        blocks(lambda row: len(row.blocks) > 1, "no block has a strided convolution"),
        False, "part")]
    zero_init_residual: Row[bool, Option(
        """start every block as the identity (arXiv:1706.02677, Sec. 5.1).""",
        (*blocks(lambda row: row.shortcut is not None, "a plain net would start as a constant"),
         (lambda row: not row.preactivated,
          "a pre-activation block ends in a convolution, not in a normalization")),
        False)]
    output_stride: Row[int | None, Option(
        """input pixels to one pixel of the last map along a side. 32, 16 or 8 for ImageNet, 4, 2
        or 1 for CIFAR; below the first, convolutions are dilated instead of strided, with the same
        weights (arXiv:1606.00915).""",
        (BLOCKS,), lambda row: row.stride, "part", values=strides)]
    drop_path_rate: Row[float, Option(
        """probability, from 0 up to but not including 1, of leaving out the last block's F(x) while
        training, growing linearly from the first (stochastic depth, arXiv:1603.09382).""",
        blocks(lambda row: row.shortcut is not None, "a plain net has no path to fall back on"),
        0.0)]
    block_dropout: Row[float, Option(
        """probability, from 0 up to but not including 1, of leaving out a feature between the
        convolutions of a basic block while training (arXiv:1605.07146, Sec. 2.4).""",
        blocks(lambda row: row.block == "basic", "only basic blocks have two convolutions"),
        0.0)]
    dropout: Row[float, Option(
        """probability, from 0 up to but not including 1, of leaving out a feature before the fully
        connected layer while training.""",
        families("resnet", "bn_inception", why="{row.family} has its paper's dropout or none"),
        0.0)]
    auxiliary: Row[bool, Option(
        """GoogLeNet's two training heads. The outputs are then a dict: `"fc"`, and `"loss1"` and
        `"loss2"`, whose losses count 0.3 each (Sec. 5); at inference
        `keras.Model(model.input, model.output["fc"])` does without them.""",
        families("googlenet", why="only GoogLeNet has auxiliary heads"), False)]
    pool_proj: Row[Literal[96, 128] | None, Option(
        """filters of BN-Inception's pool projections in 4c and 4d: 96, with which its Figure 5 adds
        up, or 128, which it prints and Caffe's and PyTorch's weights have.""",
        families("bn_inception", why="only BN-Inception's table contradicts itself there"),
        96, "implied")]
    conv1: Row[Literal["dense", "separable"] | None, Option(
        """of GoogLeNet and BN-Inception: `"dense"`, as the public models, or `"separable"`, as the
        first row of GoogLeNet's Table 1 counts.""",
        families("googlenet", "bn_inception",
                 why="only GoogLeNet and BN-Inception have a separable conv1"),
        "dense", "implied")]
    spp: Row[Literal["window", "proportional", "caffe"] | None, Option(
        """how PReLU-nets cut their pyramid's bins: `"window"` (the paper's 14 x 14),
        `"proportional"`, which reads every pixel at any size, or `"caffe"`.""",
        families("prelu_net", why="only PReLU-nets pool a spatial pyramid"), "window", "implied")]
    include_preprocessing: Row[bool, Option(
        """take RGB images of 0 to 255 and normalize them inside, as the weights expect; resizing
        and cropping is `Preprocessing`'s.""",
        (), False)]
    layers: Row[Literal["fast", "keras"], Option(
        """`"fast"`, this package's own, or `"keras"`: a plain `keras.Model` of stock layers, whose
        saved file needs no keras_resnet to be loaded. Both have the same weights in the same order,
        and the same results to float rounding. Keras has no local response normalization and no
        spatial pyramid: networks with these are fast.""",
        ((lambda row: not row.own_layers, "Keras has no layer for {row.own_layers}"),), "fast")]
# fmt: on


OPTIONS: dict[str, Option] = {
    name: dataclasses.replace(hint.__metadata__[0], name=name, type=get_args(hint)[0])
    for name, hint in get_type_hints(BuildOptions, include_extras=True).items()
}
# Those that set a field of the row.
FIELDS = tuple(name for name, option in OPTIONS.items() if option.is_field)
# What weights mean that say nothing of it.
UNSAID = {name: option.unsaid for name, option in OPTIONS.items() if option.unsaid is not None}
# The arguments of a builder that are no options, in the order of keras.applications.
ARGUMENTS = (
    "include_top",
    "weights",
    "input_tensor",
    "input_shape",
    "pooling",
    "classes",
    "classifier_activation",
    "name",
)

if TYPE_CHECKING:
    Options = Any
else:
    Options = dataclasses.make_dataclass(
        "Options",
        [
            *((name, option.type) for name, option in OPTIONS.items() if not option.is_field),
            ("mean", tuple, MEAN),
            ("std", tuple, STD),
        ],
        frozen=True,
        namespace={"__doc__": "What a network is built with besides its row, every choice made."},
    )


def options_of(row) -> dict[str, Option]:
    """The options that a network has, or gets with another shortcut; all of them for None."""
    if row is None:
        return OPTIONS
    rows = [row]
    if row.shortcut:
        rows += [dataclasses.replace(row, shortcut=letter) for letter in get_args(Shortcut)]
    return {n: option for n, option in OPTIONS.items() if not all(map(option.lacks, rows))}


def resolve(
    row, given: Mapping[str, Any], implied: Mapping[str, Any] | None = None
) -> tuple[Any, Any]:
    """The row and the `Options` that a builder's keyword arguments ask for.

    Args:
        row: of the table, or one that the user made.
        given: keyword arguments; None leaves the choice to the weights, or else to the paper.
        implied: what the weights imply.

    Raises:
        ValueError: an unknown option or value, one that the network does not have, or two that
            do not go together.

    Example:

    >>> from keras_resnet.networks.paper import imagenet
    >>> row, options = resolve(imagenet(50), {"shortcut": "C", "blur_pool": True})
    >>> row.shortcut, options.stride_on, options.blur_pool
    ('C', '1x1', True)
    """
    refuse_unknown(given, row)
    left_out = {name for name, value in given.items() if value is None and OPTIONS[name].optional}
    asked = {**(implied or {}), **{n: given[n] for n in given if n not in left_out}}
    for name in FIELDS:
        if name in asked:
            row = dataclasses.replace(row, **{name: OPTIONS[name].checked(asked[name], row)})
    options = Options(
        **{
            name: option.checked(asked[name], row) if name in asked else option.default_of(row)
            for name, option in OPTIONS.items()
            if not option.is_field
        }
    )
    # What a row has of itself may go together with an option as little as what was asked for.
    fields = {name: getattr(row, name) for name in FIELDS if not OPTIONS[name].lacks(row)}
    for name, value in (asked | fields).items():
        if reason := OPTIONS[name].clash(row, options):
            raise ValueError(f"`{name}` does not apply: {reason}. Received: {name}={value!r}")
    return row, options


def meant_by(row, said: Mapping[str, Any]) -> dict[str, Any]:
    """The options that weights imply for a network which say as much of them."""
    unsaid = {name: value for name, value in UNSAID.items() if not OPTIONS[name].lacks(row)}
    return unsaid | dict(said)


def refuse_unknown(given: Mapping[str, Any], row) -> None:
    """Raises where a keyword is none of a builder's, and suggests the nearest."""
    unknown = {name: value for name, value in given.items() if name not in OPTIONS}
    if unknown:
        received = ", ".join(f"{name}={value!r}" for name, value in unknown.items())
        every = (*OPTIONS, *ARGUMENTS)
        near = [close for name in unknown for close in difflib.get_close_matches(name, every, 1)]
        hint = f" Did you mean {' and '.join(f'`{name}`' for name in near)}?" if near else ""
        raise ValueError(
            f"Unknown option. Received: {received}.{hint} Options of this network: "
            f"{', '.join(options_of(row))}"
        )


def parameters(row=None) -> list[inspect.Parameter]:
    """The options of a network, or of all, as a signature has them."""
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None if option.optional else option.default,
            annotation=option.type if row is None else option.type_of(row),
        )
        for name, option in options_of(row).items()
    ]


def described(row=None) -> str:
    """The options of a network, or of all, as a docstring has them under `Args:`."""
    return "\n".join(
        textwrap.fill(
            f"{name}: {' '.join(option.text.split())}",
            96,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, option in options_of(row).items()
    )
