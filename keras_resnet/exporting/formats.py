"""The formats there are: their suffixes, who writes them, and what that needs."""

import contextlib
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path


class ExportError(RuntimeError):
    """A model could not be written, or what was written does not compute what the model does."""


@dataclass(frozen=True)
class Format:
    """`writers` are the backends whose Keras writes it, best first; none means any backend.

    `tools` are the modules that writing and running it need beside the backend, `torch_tools` those
    that torch needs to write it, and `install` the extra of this package that brings them. `dtypes`
    is what its weights may be, and `any_size` whether the file may leave the sides of images open.
    `keras` is the first Keras whose models can be written so, for batches of any size.
    """

    suffix: str
    writers: tuple[str, ...]
    tools: tuple[str, ...]
    install: str
    dtypes: tuple[str, ...]
    any_size: bool = False
    torch_tools: tuple[str, ...] = ()
    keras: tuple[int, int] = (3, 10)

    @property
    def is_written_here(self) -> bool:
        """Whether the Keras that is installed is new enough."""
        from keras import __version__  # late, as the command line lists formats without

        from keras_resnet.common.versions import numbers

        return numbers(__version__) >= self.keras


HALF = ("float32", "float16", "bfloat16")
ONNX_TOOLS = ("onnx", "onnxscript", "onnxruntime")
TF, TORCH = "export,tensorflow-cpu", "export,torch"
# By Keras' own names. A SavedModel is a folder and has no suffix; torch writes OpenVINO by ONNX.
FORMATS = {
    "tf_saved_model": Format("", ("tensorflow",), (), TF, HALF, any_size=True),
    "onnx": Format(".onnx", ("torch",), ONNX_TOOLS, TORCH, (*HALF, "int8"), keras=(3, 14)),
    "litert": Format(
        ".tflite",
        ("tensorflow",),
        ("ai_edge_litert",),
        TF,
        ("float32", "float16", "int8"),
        keras=(3, 13),
    ),
    "openvino": Format(
        ".xml",
        ("torch", "tensorflow"),
        ("openvino",),
        TORCH,
        HALF[:2],
        torch_tools=ONNX_TOOLS,
        keras=(3, 14),
    ),
    "torch": Format(".pt2", ("torch",), (), TORCH, HALF, keras=(3, 14)),
    "keras": Format(".keras", (), (), "export", HALF, any_size=True),
}


def format_of(path: str | os.PathLike, given: str | None = None) -> str:
    """The format that is given, or the one whose suffix the path has.

    Raises:
        ValueError: an unknown format, or a path that says none or another one.

    Example:

    >>> format_of("resnet50.onnx"), format_of("models/resnet50")
    ('onnx', 'tf_saved_model')
    """
    suffix = Path(path).suffix
    known = ", ".join(f"{name!r} ({row.suffix or 'a folder'})" for name, row in FORMATS.items())
    if given is None:
        for name, row in FORMATS.items():
            if suffix == row.suffix:
                return name
        raise ValueError(
            f"The suffix of the path belongs to no format: pass `format`, one of {known}. "
            f"Received: path={os.fspath(path)!r}"
        )
    if given not in FORMATS:
        raise ValueError(f"`format` must be one of {known}. Received: format={given!r}")
    wanted = FORMATS[given].suffix
    if wanted and suffix != wanted:
        raise ValueError(
            f"A path of format {given!r} must end in {wanted!r}. Received: path={os.fspath(path)!r}"
        )
    return given


def check_dtype(format: str, dtype: str) -> None:
    """Raises where weights of the format cannot be of the dtype."""
    if dtype not in FORMATS[format].dtypes:
        others = ", ".join(name for name, row in FORMATS.items() if dtype in row.dtypes)
        aside = f"; {dtype} is for {others}" if others else ""
        if (format, dtype) == ("openvino", "bfloat16"):
            aside += (
                ". OpenVINO computes a float32 file in bfloat16 with the property "
                '{"INFERENCE_PRECISION_HINT": "bf16"}'
            )
        raise ValueError(
            f"`dtype` of format {format!r} must be one of {', '.join(FORMATS[format].dtypes)}"
            f"{aside}. Received: dtype={dtype!r}"
        )


def layer_policy(format: str, dtype: str) -> str:
    """The dtype policy of the layers: half where the format's graph computes as Keras does."""
    return dtype if format in ("tf_saved_model", "torch", "keras") else "float32"


def writer_of(format: str, active: str) -> str:
    """The backend that writes a format: the active one if it can, else one that is installed.

    Raises:
        ImportError: what is needed is missing; the message says what to install.
    """
    row = FORMATS[format]
    writers = (active,) if active in row.writers or not row.writers else row.writers
    there = [name for name in writers if installed(name)]
    tools = (*row.tools, *(row.torch_tools if "torch" in (there or writers)[:1] else ()))
    missing = [name for name in tools if not installed(name)]
    if not row.is_written_here:
        missing.append(f"keras {'.'.join(map(str, row.keras))} or later")
    if missing or not there:
        absent = [*missing, *([] if there else [" or ".join(writers)])]
        raise ImportError(
            f"Format {format!r} needs {' and '.join(absent)}: "
            f'pip install "keras3-resnet[{row.install}]"'
        )
    return there[0]


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


@contextlib.contextmanager
def reading(path: str | os.PathLike, format: str):
    """Turns what the reader of a format raises of a file of another kind into a ValueError.

    Raises:
        OSError, ImportError: as they are.
        ValueError: the file cannot be read; names it.
    """
    try:
        yield
    except (ImportError, OSError):
        raise
    except Exception as error:
        raise ValueError(
            f"{os.fspath(path)} cannot be read as format {format!r}: give a file that "
            f"keras_resnet.export wrote. {type(error).__name__}: {error}"
        ) from error
