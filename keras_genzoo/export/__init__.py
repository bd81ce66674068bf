"""A trained model without this package: SavedModel, LiteRT, ONNX, plain Keras, a page to play with.

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
        "playground": ["open_page", "write_playground", "write_theory_page"],
        "run": ["export_run"],
        "saved_model": ["export_saved_model"],
        "verify": ["Difference", "difference"],
    },
)
