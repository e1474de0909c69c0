"""A trained model as a file for another runtime: folded, checked, with metadata."""

from keras_resnet.exporting.fold import fold_batch_norm
from keras_resnet.exporting.formats import FORMATS, ExportError
from keras_resnet.exporting.metadata import read_metadata
from keras_resnet.exporting.pipeline import export
from keras_resnet.exporting.runtimes import open_exported
from keras_resnet.exporting.verification import Report

__all__ = [
    "FORMATS",
    "ExportError",
    "Report",
    "export",
    "fold_batch_norm",
    "open_exported",
    "read_metadata",
]
