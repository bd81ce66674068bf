"""Build the guide in English and in Japanese: ``python docs/build.py``.

The pages land in ``docs/_build/html/en`` and ``docs/_build/html/ja``; warnings are errors. Guides
are run once, and again only when their code changes.

    python docs/build.py --messages     # after a change of a page: bring docs/locales up to date
"""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "_build"
LANGUAGES = ("en", "ja")
# What is made from docstrings stays English, and so does the list of changes.
UNTRANSLATED = ("reference/", "changelog")
TOOLS = (
    "sphinx",
    "myst_nb",
    "furo",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_intl",
    "jupytext",
)


def main() -> None:
    """Build all languages, or bring the messages to translate up to date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--messages", action="store_true", help="update docs/locales, build nothing"
    )
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, choices=LANGUAGES)
    parser.add_argument(
        "--no-execution", action="store_true", help="show guides without their output; for drafts"
    )
    options = parser.parse_args()
    if missing := [name for name in TOOLS if importlib.util.find_spec(name) is None]:
        sys.exit(f"Error: no {', '.join(missing)} here; pip install 'keras_genzoo[docs]'")
    if options.messages:
        update_messages()
        return
    settings = ["-D", "nb_execution_mode=off"] if options.no_execution else []
    for language in options.languages:
        out = BUILT / "html" / language
        sphinx("html", out, "-W", "--keep-going", "-D", f"language={language}", *settings)
    (BUILT / "html" / "index.html").write_text(
        '<!doctype html><meta http-equiv="refresh" content="0; url=en/index.html">\n',
        encoding="utf-8",
    )
    sys.stdout.write(f"{BUILT / 'html' / 'index.html'}\n")


def update_messages() -> None:
    """Collect the messages of all pages, and merge them into those that are translated."""
    sphinx("gettext", BUILT / "gettext", "-D", "nb_execution_mode=off")
    for template in BUILT.glob("gettext/**/*.pot"):
        if template.relative_to(BUILT / "gettext").as_posix().startswith(UNTRANSLATED):
            template.unlink()
    command = ["sphinx_intl", "update", "-p", str(BUILT / "gettext"), "-d", str(HERE / "locales")]
    subprocess.run(
        [sys.executable, "-m", *command, "-l", "ja", "--no-obsolete", "-w", "0"], check=True
    )


def sphinx(builder: str, out: Path, *options: str) -> None:
    """Run Sphinx; what it warns of ends the build."""
    command = [sys.executable, "-m", "sphinx", "-q", "-j", "auto", "-b", builder]
    doctrees = BUILT / "doctrees" / out.name
    finished = subprocess.run([*command, "-d", doctrees, *options, HERE, out], check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    main()
