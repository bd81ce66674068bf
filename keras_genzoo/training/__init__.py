"""Around ``model.fit``: settings and recipes, the run folder, checkpoints, callbacks, devices.

The algorithms themselves are in ``models``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
