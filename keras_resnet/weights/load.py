"""Loading a file of any dialect into a model, strictly both ways."""

import os
from collections.abc import Iterable, Mapping

import numpy as np

from keras_resnet.networks.paper import one_of
from keras_resnet.weights.convert import (
    Entry,
    entries,
    layout_of_model,
    source_shape,
    to_ours,
)
from keras_resnet.weights.dialects import Dialect
from keras_resnet.weights.families import NAMES, dialect_of, dialects_of
from keras_resnet.weights.readers import Arrays, Stored, open_arrays

MOST_SHOWN = 12
WRAPPERS = ("module.", "_orig_mod.", "model.")


def load_arrays(
    model, arrays: Arrays, dialect: str, skip: bool | frozenset[str], what: str
) -> tuple[str, ...]:
    """Sets every variable of `model` from `arrays`, or none where anything is wrong."""
    arrays = unwrapped(arrays)
    if dialect == "auto":
        chosen = recognised(model, arrays, what)
    else:
        chosen = dialect_of(layout_of_model(model), dialect)
    arrays = with_prefix(arrays, chosen)
    wanted = entries(model, chosen)
    problems, skipped = compare(wanted, arrays, chosen, skip)
    if problems:
        raise ValueError(
            f"{what}, read as {chosen.name!r}, does not fit the model {model.name!r}; "
            f"nothing was loaded.\n{problems}\nA layer may be left as it is with "
            f"skip_mismatch=[its name]; list_weights() tells which graph weights are for."
        )
    values = []
    for entry in wanted:
        if entry.layer in skipped:
            continue
        bias = arrays[entry.conv_bias].read() if entry.conv_bias in arrays else None
        values.append((entry, to_ours(entry, chosen, arrays[entry.name].read(), bias)))
    check_values(values, what)
    for entry, value in values:
        entry.variable.assign(value)
    return tuple(skipped)


def unwrapped(arrays: Arrays) -> Arrays:
    """Without the prefix that DataParallel, torch.compile and the like put before every name."""
    for prefix in WRAPPERS:
        if all(name.startswith(prefix) for name in arrays):
            arrays = {name.removeprefix(prefix): stored for name, stored in arrays.items()}
    return arrays


def with_prefix(arrays: Arrays, dialect: Dialect) -> Arrays:
    """With the prefix that some of the dialect's models leave out."""
    optional = dialect.optional
    if not optional or any(name.startswith(optional) for name in arrays):
        return arrays
    return {
        name if name.startswith(dialect.fc) else optional + name: stored
        for name, stored in arrays.items()
    }


def recognised(model, arrays: Arrays, what: str) -> Dialect:
    """The dialect that shares most names with the file."""
    scores = {}
    known = dialects_of(layout_of_model(model))
    for name, dialect in known.items():
        found = with_prefix(arrays, dialect)
        names = {entry.name for entry in entries(model, dialect)}
        # The classifier's name tells dialects apart, whether or not the model has one.
        names |= {dialect.variable(dialect.fc, "kernel"), dialect.variable(dialect.fc, "bias")}
        scores[name] = len(names & found.keys())
    best = max(scores, key=lambda name: scores[name], default="")
    if not best or not scores[best]:
        given = sorted(arrays)
        raise ValueError(
            f"The names in {what} are of no dialect known ({', '.join(known)}) for the model "
            f"{model.name!r}. Received: {', '.join(given[:MOST_SHOWN])}"
            f"{', ...' if len(given) > MOST_SHOWN else ''}"
        )
    return known[best]


def compare(
    wanted: list[Entry], arrays: Arrays, dialect: Dialect, skip: bool | frozenset[str]
) -> tuple[str, list[str]]:
    """What is missing, left over and misshapen, in words; and the layers that are skipped."""
    missing: dict[str, list[str]] = {}
    misshapen: dict[str, list[str]] = {}
    known = set()
    for entry in wanted:
        known.add(entry.name)
        shape = source_shape(entry, dialect)
        if entry.name not in arrays:
            missing.setdefault(entry.layer, []).append(f"{entry.name} {shape} for {entry.layer}")
        elif arrays[entry.name].shape != shape:
            misshapen.setdefault(entry.layer, []).append(
                f"{entry.name} is {arrays[entry.name].shape}, {entry.layer} takes {shape}"
            )
        if entry.conv_bias in arrays:
            known.add(entry.conv_bias)
            bias = arrays[entry.conv_bias].shape
            if bias != shape:
                misshapen.setdefault(entry.layer, []).append(
                    f"{entry.conv_bias} is {bias}, {entry.layer} takes {shape}"
                )
        if dialect.variables == "torch" and entry.kind == "moving_mean":
            known.add(entry.name.removesuffix("running_mean") + "num_batches_tracked")
    left_over = {name: layer_of(name, wanted, dialect) for name in arrays if name not in known}
    wrong = list(dict.fromkeys([*missing, *misshapen, *left_over.values()]))
    skipped = [layer for layer in wrong if skip is True or layer in (skip or ())]
    sections = {
        "missing": [line for layer in missing if layer not in skipped for line in missing[layer]],
        "left over": [
            f"{n} {arrays[n].shape}" for n, layer in left_over.items() if layer not in skipped
        ],
        "misshapen": [
            line for layer in misshapen if layer not in skipped for line in misshapen[layer]
        ],
    }
    text = "\n".join(
        f"{title} ({len(lines)}): {'; '.join(lines)}" for title, lines in sections.items() if lines
    )
    return text, skipped


def layer_of(name: str, wanted: list[Entry], dialect: Dialect) -> str:
    """What a left-over array is called by in `skip_mismatch`: our name if it is the classifier."""
    layer = name.rpartition("/" if dialect.variables == "keras" else ".")[0]
    return "fc" if layer == dialect.fc else layer


def check_values(values, what: str) -> None:
    """Weights that are not finite numbers are damage, wherever they come from."""
    wrong = []
    for entry, value in values:
        if not np.isfinite(value).all():
            wrong.append(f"{entry.name} is not finite")
        elif entry.kind == "moving_variance" and (value + entry.epsilon <= 0).any():
            wrong.append(f"{entry.name} has a negative variance")
    if wrong:
        raise ValueError(
            f"{what} holds numbers no network works with; nothing was loaded: {'; '.join(wrong)}"
        )


def skip_names(skip_mismatch) -> bool | frozenset[str]:
    """`skip_mismatch` as True, or the names of the layers that need not fit."""
    if skip_mismatch is True:
        return True
    if isinstance(skip_mismatch, str):
        return frozenset((skip_mismatch,))
    if not skip_mismatch:
        return frozenset()
    try:
        names = frozenset(skip_mismatch)
    except TypeError:
        names = frozenset((None,))
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            "`skip_mismatch` must be True, False, or names of layers. "
            f"Received: skip_mismatch={skip_mismatch!r}"
        )
    return names


def load_file(
    model,
    source: str | os.PathLike | Mapping[str, np.ndarray],
    dialect: str = "auto",
    skip_mismatch: bool | str | Iterable[str] = False,
) -> tuple[str, ...]:
    """Loads a file, or arrays by name, into `model`; see `keras_resnet.load_weights`."""
    one_of("dialect", dialect, ("auto", *NAMES))
    skip = skip_names(skip_mismatch)
    if isinstance(source, Mapping):
        arrays = {name: Stored.of(array) for name, array in source.items()}
        return load_arrays(model, arrays, dialect, skip, "The mapping")
    with open_arrays(source) as arrays:
        return load_arrays(model, arrays, dialect, skip, str(os.fspath(source)))
