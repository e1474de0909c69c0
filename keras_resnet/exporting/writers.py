"""A prepared model written in one format, by the backend that is active here."""

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.exporting import precision
from keras_resnet.exporting.formats import ExportError
from keras_resnet.exporting.placing import members
from keras_resnet.exporting.prepare import INPUT
from keras_resnet.exporting.torch_graph import joined
from keras_resnet.graph import deep_graph

OUTPUT = "output_0"


def write(
    model: keras.Model,
    format: str,
    path: Path,
    dtype: str = "float32",
    batch: int | None = None,
    calibration: np.ndarray | None = None,
) -> None:
    """Writes `model`, which `prepared` returned, to a path where nothing is.

    `batch` is the number of images of every call, or None for any; `calibration` are images
    as the model takes them, for int8.

    Raises:
        ExportError: there is nothing at the path afterwards.
    """
    with quiet(), deep_graph():
        WRITERS[format](model, path, dtype, batch, calibration)
    if not path.exists():
        raise ExportError(f"The tool for {format} wrote nothing")


@contextlib.contextmanager
def quiet():
    """Without the warnings of exporters about themselves."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def signature(model: keras.Model, batch: int | None) -> list[Any]:
    image = model.inputs[0]
    shape = (batch, *image.shape[1:])
    return [keras.InputSpec(shape=shape, dtype=image.dtype, name=INPUT)]


def saved_model(model, path, dtype, batch, calibration):
    model.export(
        path, format="tf_saved_model", verbose=False, input_signature=signature(model, batch)
    )


def litert(model, path, dtype, batch, calibration):
    model.export(
        path,
        format="litert",
        verbose=False,
        input_signature=signature(model, batch),
        **precision.litert_options(dtype, calibration, batch),
    )


def onnx(model, path, dtype, batch, calibration):
    import torch

    # Keras falls back to the TorchScript exporter for a dynamic batch, which leaves outputs
    # without a name and hundreds of casts; torch's own takes the same module.
    program = torch.onnx.export(
        joined(model),
        (sample(model, batch),),
        input_names=[INPUT],
        output_names=[f"output_{n}" for n in range(len(model.outputs))],
        dynamo=True,
        dynamic_shapes=None if batch else [({0: torch.export.Dim("batch")},)],
        verbose=False,
    )
    if program is None:
        raise ExportError("torch.onnx.export wrote no program")
    program.optimize()
    program.save(path)
    precision.convert_onnx(path, dtype, calibration, batch)


def sample(model, batch):
    """Any images: a dynamic batch is traced with two, as one would be taken for a constant."""
    image = model.inputs[0]
    return keras.ops.zeros((batch or 2, *image.shape[1:]), dtype=image.dtype)


def openvino(model, path, dtype, batch, calibration):
    import openvino as runtime

    # By way of ONNX where torch writes: read from torch itself, every convolution of NHWC maps
    # stays between two transpositions, and ResNet-50 takes four times as long.
    by_onnx = keras.backend.backend() == "torch"
    first = path.with_name(f"first_{path.stem}{'.onnx' if by_onnx else '.xml'}")
    if by_onnx:
        onnx(model, first, "float32", batch, None)
    else:
        model.export(
            str(first), format="openvino", verbose=False, input_signature=signature(model, batch)
        )
    graph = runtime.Core().read_model(first)
    (image,) = graph.inputs
    image.get_node().set_friendly_name(INPUT)
    image.tensor.set_names({INPUT})
    sides = [-1 if side is None else side for side in model.inputs[0].shape[1:]]
    graph.reshape({image: [batch or -1, *sides]})
    for number, output in enumerate(graph.outputs):
        output.tensor.set_names({f"output_{number}"})
    runtime.save_model(graph, path, compress_to_fp16=dtype == "float16")
    del graph
    for file in members(first):
        file.unlink()


def torch_program(model, path, dtype, batch, calibration):
    import torch

    # torch.export takes what Keras' layers read for constants. The parameters of the module
    # are the same tensors, which nothing reads: without them the file is half the size.
    for parameters in (x for x in model.modules() if isinstance(x, torch.nn.ParameterDict)):
        parameters.clear()
    program = torch.export.export(
        model,
        (sample(model, batch),),
        dynamic_shapes=None if batch else [({0: torch.export.Dim("batch")},)],
        strict=False,
    )
    # By way of memory: on a full disk torch's own writer ends the process.
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    path.write_bytes(buffer.getbuffer())


def keras_file(model, path, dtype, batch, calibration):
    model.save(path)


WRITERS = {
    "tf_saved_model": saved_model,
    "onnx": onnx,
    "litert": litert,
    "openvino": openvino,
    "torch": torch_program,
    "keras": keras_file,
}
