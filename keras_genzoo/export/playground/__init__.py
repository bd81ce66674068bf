"""Pages to play with, one HTML file each: a model of a person's, and a GAN on points of the plane.

A page runs in the browser, and loads nothing else. It is a template of this folder, filled with
the style, the scripts and the data; the scripts are joined into one, in which each sees the names
of those before it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
