"""A prepared model written in one format, by the backend that is active here."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_resnet.exporting.formats import ExportError
from keras_resnet.exporting.placing import members
from keras_resnet.exporting.prepare import INPUT
from keras_resnet.exporting.torch_graph import joined
from keras_resnet.graph import deep_graph
from keras_resnet.layers.backend import tensorflow


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


def by_keras(model, format: str, path, batch, **options) -> None:
    """What `model.export` of Keras writes."""
    image = model.inputs[0]
    shape = (batch, *image.shape[1:])
    signature: list[Any] = [keras.InputSpec(shape=shape, dtype=image.dtype, name=INPUT)]
    model.export(str(path), format=format, verbose=False, input_signature=signature, **options)


def saved_model(model, path, dtype, batch, calibration):
    tensorflow()  # on JAX, which has the GPU, too
    by_keras(model, "tf_saved_model", path, batch)


def keras_file(model, path, dtype, batch, calibration):
    model.save(path)


def litert(model, path, dtype, batch, calibration):
    options: dict[str, Any] = {}
    if dtype != "float32":
        tf = tensorflow()
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if dtype == "float16":
        options["target_spec"] = {"supported_types": [tf.float16]}
    elif dtype == "int8":
        # Activations and weights of 8 bits, kernels per channel; images and scores stay float32.
        eight_bits = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        options["target_spec"] = {"supported_ops": eight_bits}
        options["representative_dataset"] = lambda: (
            [images] for images in batches(calibration, batch or 1)
        )
    by_keras(model, "litert", path, batch, **options)


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
        dynamic_shapes=dynamic_batch(batch),
        verbose=False,
    )
    if program is None:
        raise ExportError("torch.onnx.export wrote no program")
    program.optimize()
    program.save(path)
    simplify_onnx(path)
    if dtype == "int8":
        quantize_onnx(path, calibration, batch)
    elif dtype != "float32":
        halve_onnx(path, dtype)


def openvino(model, path, dtype, batch, calibration):
    import openvino as runtime

    # By way of ONNX where torch writes: read from torch itself, every convolution of NHWC maps
    # stays between two transpositions, and ResNet-50 takes four times as long.
    by_onnx = keras.backend.backend() == "torch"
    first = path.with_name(f"first_{path.stem}{'.onnx' if by_onnx else '.xml'}")
    if by_onnx:
        onnx(model, first, "float32", batch, None)
    else:
        by_keras(model, "openvino", str(first), batch)
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
    arguments, shapes = (sample(model, batch),), dynamic_batch(batch)
    program = torch.export.export(model, arguments, dynamic_shapes=shapes, strict=False)
    # By way of memory: on a full disk torch's own writer ends the process.
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    path.write_bytes(buffer.getbuffer())


WRITERS = {
    "tf_saved_model": saved_model,
    "onnx": onnx,
    "litert": litert,
    "openvino": openvino,
    "torch": torch_program,
    "keras": keras_file,
}


def sample(model, batch):
    """Any images: a dynamic batch is traced with two, as one would be taken for a constant."""
    image = model.inputs[0]
    return keras.ops.zeros((batch or 2, *image.shape[1:]), dtype=image.dtype)


def dynamic_batch(batch):
    import torch

    return None if batch else [({0: torch.export.Dim("batch")},)]


def batches(images, size: int) -> Iterator[np.ndarray]:
    """Batches of exactly `size` images."""
    return (images[at : at + size] for at in range(0, len(images) - size + 1, size))


# ---- smaller weights in ONNX --------------------------------------------------------------


def simplify_onnx(path: Path) -> None:
    """What onnxruntime does on loading with operators of the standard alone, done once.

    Keras' maps have channels last and its bias is an addition: of ResNet-50's 283 nodes 128
    stay, without the transpositions around every convolution, for runtimes that keep them.
    """
    import onnx
    import onnxruntime

    simpler = path.with_suffix(".simpler")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(simpler)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = onnx.load(simpler)
    used = {node.domain for node in model.graph.node}
    imports = [entry for entry in model.opset_import if entry.domain in used | {""}]
    del model.opset_import[:]
    model.opset_import.extend(imports)
    onnx.save(model, path)
    simpler.unlink()


def halve_onnx(path: Path, dtype: str) -> None:
    """Stores weights in half precision; the runtime computes in float32, from the rounded ones.

    Each becomes an initializer of half the size and a Cast, which runtimes do once, on loading.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kind = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}[dtype]
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < 16:
            continue
        name, narrow = f"{tensor.name}_{dtype}", helper.tensor_dtype_to_np_dtype(kind)
        values = numpy_helper.to_array(tensor).astype(narrow).tobytes()
        casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
        tensor.CopyFrom(helper.make_tensor(name, kind, list(tensor.dims), values, raw=True))
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
    del model.graph.value_info[:]
    onnx.save(model, path)


def quantize_onnx(path: Path, calibration: np.ndarray | None, batch: int | None) -> None:
    """8 bits by onnxruntime: QDQ, kernels per channel, ranges from the calibration images."""
    from onnxruntime import quantization

    class Images(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = batches(calibration, batch or 1)

        def get_next(self):
            images = next(self.left, None)
            return None if images is None else {INPUT: images}

    shaped, quantized = path.with_suffix(".shaped"), path.with_suffix(".int8")
    quantization.shape_inference.quant_pre_process(str(path), str(shaped))
    quantization.quantize_static(
        str(shaped),
        str(quantized),
        Images(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        calibrate_method=quantization.CalibrationMethod.MinMax,
        op_types_to_quantize=["Conv", "Add", "MaxPool", "Gemm", "MatMul", "Relu", "Pad"],
    )
    quantized.replace(path)
    shaped.unlink()
