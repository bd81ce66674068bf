"""A page out of its parts: templates of this folder, data, and scripts that alone may run."""

import base64
import gzip
import hashlib
import html
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from keras_genzoo.markup import fill

# Megabytes up to which a page has the last weights of a generator besides the averaged ones.
MOST_WITH_BOTH = 16


def resource(name: str) -> Path:
    """Return the place of a file that lies beside this module."""
    return Path(str(resources.files(__package__) / name))


def read(name: str) -> str:
    """Return the text of a file that lies beside this module."""
    return resource(name).read_text(encoding="utf-8")


def blob(name: str, content: bytes) -> str:
    """Return bytes as an element that the page's scripts unpack, and the browser does not run."""
    # Without the time of day, so that the same model gives the same page.
    packed = base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")
    return f'<script type="text/plain" id="data-{name}">{packed}</script>'


def joined(names: Sequence[str]) -> str:
    """Return scripts of this folder as one, in which each sees the names of those before it."""
    return f'"use strict";\n(() => {{\n{"".join(map(read, names))}}})();\n'


def filled(template: str, title: str, data: str, scripts: Sequence[str], *, mark: str = "") -> str:
    """Return a page, with a policy that lets it run these scripts and load nothing.

    Args:
        template: name of the page's body in this folder.
        title: the title of the page.
        data: elements that hold data.
        scripts: what the page runs, in this order.
        mark: element of the head that says whose images the page shows.
    """
    style = read("style.css")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"script-src 'wasm-unsafe-eval' {_hashes(scripts)}; "
        f"style-src {_hashes([style])}"
    )
    title = html.escape(title)
    parts = {
        "POLICY": policy,
        "MARK": mark,
        "TITLE": title,
        "STYLE": style,
        "BODY": fill(read(template), TITLE=title),
        "DATA": data,
        "SCRIPTS": "\n".join(f"<script>{script}</script>" for script in scripts),
    }
    return fill(read("shell.html"), **parts)


def _hashes(parts: Sequence[str]) -> str:
    digests = [hashlib.sha256(part.encode()).digest() for part in parts]
    return " ".join(f"'sha256-{base64.b64encode(d).decode('ascii')}'" for d in digests)
