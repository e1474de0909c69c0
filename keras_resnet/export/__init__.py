"""A trained model as a file for another runtime: folded, checked, and told what it takes."""

from keras_resnet.export.exporting import export
from keras_resnet.export.fold import fold_batch_norm
from keras_resnet.export.formats import FORMATS, ExportError
from keras_resnet.export.metadata import read_metadata
from keras_resnet.export.runtimes import open_exported
from keras_resnet.export.verification import Report

__all__ = [
    "FORMATS",
    "ExportError",
    "Report",
    "export",
    "fold_batch_norm",
    "open_exported",
    "read_metadata",
]
