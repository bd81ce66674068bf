"""Opening a page in the browser of the person at this machine, if there is one."""

import os
import sys
import webbrowser
from pathlib import Path

# Said where no browser is opened.
NO_DISPLAY = "no browser is opened, as there is no display here"


def open_page(page: Path) -> bool:
    """Open a page in the browser; return whether one was asked to.

    Without a display none is: over a connection of text alone, a browser in the terminal would
    take it over, and could not run the page.
    """
    on_desktop = sys.platform in ("darwin", "win32")
    if not (on_desktop or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    return webbrowser.open(page.absolute().as_uri())
