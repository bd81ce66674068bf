"""Settings of Sphinx for the guide, in English and in Japanese (``-D language=ja``)."""

import inspect
import os
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from numpy.typing import ArrayLike
from sphinx.util.typing import stringify_annotation

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = Path(__file__).parent

import keras_genzoo  # noqa: E402  (after the variable above)

project = "keras_genzoo"
author = "the maintainers of keras_genzoo"
copyright = f"2026, {author}"  # noqa: A001  (Sphinx's name)
release = version = keras_genzoo.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "*.py"]
templates_path = ["_templates"]
default_role = "code"
nitpicky = True
# Names of other packages, and those that annotations name but that nobody makes or asks for.
_INNER = [
    "Case",
    "ComparedRun",
    "Configured",
    "Critic",
    "DataRequest",
    "Draw",
    "Draws",
    "EncodedSource",
    "Group",
    "LeftOut",
    "MemoryCache",
    "Record",
    "Registry",
    "SeedOutcome",
    "Setting",
    "Spread",
    "Stage",
    "Summary",
    "_Spectral",
]
nitpick_ignore_regex = [
    ("py:.*", r"(?!keras_genzoo\.).*"),
    ("py:class", r"keras_genzoo\..*\.(" + "|".join(_INNER) + ")"),
]

# Languages. Reference pages are made from docstrings and stay English.
language = "en"
locale_dirs = ["locales"]
gettext_compact = False
gettext_uuid = False
gettext_location = False

html_theme = "furo"
html_title = "keras_genzoo"
html_static_path = ["_static"]
html_extra_path = ["llms.txt"]
html_css_files = ["genzoo.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/languages.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_context = {"languages": {"en": "English", "ja": "日本語"}}

# Guides are the scripts of examples/, run and rendered with what they print and draw.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "executed")
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_in_temp = True
# What TensorFlow says while it starts.
nb_output_stderr = "remove"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "imported-members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True


_ARRAY_LIKE = stringify_annotation(ArrayLike, "smart")


def _take_guides() -> None:
    """Put the scripts of examples/ where Sphinx looks for pages."""
    place = HERE / "guides"
    wanted = {path.name: path for path in (HERE.parent / "examples").glob("[0-9][0-9]_*.py")}
    for old in place.glob("*.py"):
        if old.name not in wanted:
            old.unlink()
    for name, path in wanted.items():
        copy = place / name
        if not copy.exists() or copy.read_bytes() != path.read_bytes():
            shutil.copyfile(path, copy)


_take_guides()


def _skip_of_keras(app, what, name, member, skip, options):
    """Leave out what a class only inherits from Keras, whose own reference has it."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    return True if (getattr(function, "__module__", None) or "").startswith("keras.") else skip


def _signature(app, what, name, thing, options, signature, returned):
    """Show the arguments of a class whose ``__new__``, which is Keras', takes any.

    What NumPy makes an array of is called by its name: it is a union of a dozen types.
    """
    if what != "class" or signature != "(*args, **kwargs)":
        return signature and signature.replace(_ARRAY_LIKE, "~numpy.typing.ArrayLike"), returned
    _, *arguments = inspect.signature(thing.__init__).parameters.values()
    bare = [argument.replace(annotation=inspect.Parameter.empty) for argument in arguments]
    return str(inspect.Signature(bare)), returned


def _write_formula(writer, node) -> None:
    """Write a formula as MathML, which browsers draw without a script from elsewhere."""
    block = isinstance(node, nodes.math_block)
    formula = tex2mathml(node.astext(), as_block=block)
    writer.body.append(f'<div class="formula">{formula}</div>' if block else formula)
    raise nodes.SkipNode


def setup(app) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_write_formula, None), (_write_formula, None))
    app.connect("autodoc-process-signature", _signature)
    app.connect("autodoc-skip-member", _skip_of_keras)
