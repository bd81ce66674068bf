"""Images in: sources of many kinds (`SOURCES` lists them), one pipeline.

Everything here is uint8, ``(height, width, channels)``; numeric ranges belong to the models.
Importing this package imports neither TensorFlow nor an image library.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
