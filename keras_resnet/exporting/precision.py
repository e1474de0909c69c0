"""Smaller weights: half precision, and 8 bits by the runtimes' own quantisers."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_resnet.exporting.prepare import INPUT


def layer_policy(format: str, dtype: str) -> str:
    """The dtype policy of the layers: half where the format's graph computes as Keras does."""
    return dtype if format in ("tf_saved_model", "torch", "keras") else "float32"


def litert_options(dtype: str, calibration: np.ndarray | None, batch: int | None) -> dict[str, Any]:
    """What the converter of LiteRT is told."""
    if dtype == "float32":
        return {}
    import tensorflow as tf

    options: dict[str, Any] = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    if dtype == "float16":
        return {**options, "target_spec": {"supported_types": [tf.float16]}}
    # Activations and weights of 8 bits, kernels per channel; images and scores stay float32.
    return {
        **options,
        "representative_dataset": lambda: ([x] for x in batches(calibration, batch or 1)),
        "target_spec": {
            "supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
        },
    }


def batches(images, size: int):
    """Whole batches of `size` images."""
    return (images[at : at + size] for at in range(0, len(images) - size + 1, size))


def convert_onnx(path: Path, dtype: str, calibration: np.ndarray | None, batch: int | None) -> None:
    """Makes the file that torch wrote at `path` a simpler one, of that dtype."""
    simplify_onnx(path)
    if dtype == "int8":
        quantize_onnx(path, calibration, batch)
    elif dtype != "float32":
        halve_onnx(path, dtype)


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
        values = numpy_helper.to_array(tensor)
        name, shape = tensor.name, list(tensor.dims)
        narrow = values.astype(helper.tensor_dtype_to_np_dtype(kind))
        tensor.CopyFrom(
            helper.make_tensor(f"{name}_{dtype}", kind, shape, narrow.tobytes(), raw=True)
        )
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
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

    prepared, quantized = path.with_suffix(".prepared"), path.with_suffix(".int8")
    quantization.shape_inference.quant_pre_process(str(path), str(prepared))
    quantization.quantize_static(
        str(prepared),
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
    prepared.unlink()
