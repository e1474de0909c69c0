"""Our network, exported to ONNX without folding anything, in a runtime made for inference.

The runtimes fold batch normalization themselves. Both read the same file, and time one call on
one batch in memory.
"""

import pathlib
import tempfile

import numpy as np

from benchmarks.training import keras_models
from benchmarks.training.catalog import Case, with_dtype
from benchmarks.training.program import Program, batch_of


def load(case: Case) -> None:
    import importlib

    keras_models.load(with_dtype(case, "float32"))
    importlib.import_module(case.contender)


def network(case: Case):
    return keras_models.network(with_dtype(case, "float32"))


def program(case: Case, model) -> Program:
    images, _ = batch_of(case)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "network.onnx")
        export(model, images, path)
        session = {"onnxruntime": onnxruntime_session, "openvino": openvino_session}
        step = session[case.contender](case, path, images)
    return Program(step, lambda outputs: None)


def export(model, images: np.ndarray, path: pathlib.Path) -> None:
    """Writes the network for batches of this one's shape."""
    import keras

    signature = [keras.InputSpec(shape=images.shape, dtype="float32")]
    model.export(path, format="onnx", input_signature=signature, verbose=False)


def onnxruntime_session(case: Case, path, images):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feed)[0]


def openvino_session(case: Case, path, images):
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": case.threads,
        "PERFORMANCE_HINT": "LATENCY",
        # Without this the CPU plugin picks bfloat16 by itself where the processor has it.
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[case.dtype],
    }
    request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
    request.set_input_tensor(openvino.Tensor(images))

    def step():
        request.infer()
        return request.get_output_tensor().data

    return step
