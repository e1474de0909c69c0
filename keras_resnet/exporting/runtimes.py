"""Exported files, run by the runtimes they are for."""

import os
from collections.abc import Callable

import numpy as np

from keras_resnet.common.arguments import checked
from keras_resnet.exporting.formats import format_of, reading
from keras_resnet.exporting.verification import outputs_of
from keras_resnet.layers import backend

Run = Callable[[np.ndarray], list[np.ndarray]]


@checked()
def open_exported(
    path: str | os.PathLike, format: str | None = None, threads: int | None = None
) -> Run:
    """Loads an exported file in its own runtime.

    Args:
        path: of the file, or the folder of a SavedModel.
        format: a name of `FORMATS`; by default, the one that the suffix belongs to.
        threads: how many the runtime may use; its own choice by default. onnxruntime,
            OpenVINO and LiteRT take it.

    Returns:
        A function from a batch of images, an array of the shape and dtype of the exported model's
        input, to the list of outputs.

    Raises:
        ImportError: the runtime is missing.
        FileNotFoundError: there is no such file.
        ValueError: it is of no format, or of another than its name says.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no such file: {path}")
    format = format_of(path, format)
    with reading(path, format):
        return RUNTIMES[format](path, threads)


def tensorflow(path: str, threads: int | None = None) -> Run:
    tf = backend.tensorflow()
    loaded = tf.saved_model.load(path)
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]

    def run(images):
        outputs = serve(**{name: tf.constant(images)})
        return [outputs[key].numpy() for key in sorted(outputs)]

    run.loaded = loaded  # type: ignore[attr-defined]  # the signature does not keep it alive
    return run


def onnxruntime(path: str, threads: int | None = None) -> Run:
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.log_severity_level = 3
    if threads:
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})


def litert(path: str, threads: int | None = None) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads=threads)
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()

    def run(images):
        outputs = runner(**{name: images})
        return [outputs[key] for key in sorted(outputs)]

    run.interpreter = interpreter  # type: ignore[attr-defined]
    return run


def openvino(
    path: str,
    threads: int | None = None,
    precision: str = "f32",
    shape: tuple[int, ...] | None = None,
) -> Run:
    """`shape` fixes that of the images, batch included: the plugin then plans their layout."""
    import openvino as runtime

    core = runtime.Core()
    model = core.read_model(path)
    if shape is not None:
        model.reshape(list(shape))
    # Without the hint the plugin picks bfloat16 where the processor has it.
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    compiled = core.compile_model(model, "CPU", settings)

    def run(images):
        outputs = compiled(images)
        return [np.array(outputs[output]) for output in compiled.outputs]

    return run


def torch(path: str, threads: int | None = None) -> Run:
    import torch as runtime

    module = runtime.export.load(path).module()

    def run(images):
        with runtime.no_grad():
            outputs = module(runtime.from_numpy(images))
        outputs = outputs if isinstance(outputs, tuple | list) else [outputs]
        return [output.float().numpy() for output in outputs]

    return run


def keras(path: str, threads: int | None = None) -> Run:
    from keras.saving import load_model

    model = load_model(path, compile=False)
    return lambda images: outputs_of(model, images)


RUNTIMES = {
    "tf_saved_model": tensorflow,
    "onnx": onnxruntime,
    "litert": litert,
    "openvino": openvino,
    "torch": torch,
    "keras": keras,
}
