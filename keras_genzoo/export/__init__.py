"""A trained model where this package is not installed: SavedModel, LiteRT, ONNX, plain Keras.

Every file has the signatures of the model, with images as floats in [0, 1]; what each of them
takes stands in a card beside it.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "formats": ["EXPORT_FORMATS", "ExportFormat", "ExportOption"],
        "inputs": ["draw_inputs"],
        "litert": ["LITERT_TYPES", "export_litert"],
        "network_files": ["export_keras", "export_onnx"],
        "run": ["export_run"],
        "saved_model": ["export_saved_model"],
        "verify": ["difference"],
    },
)
