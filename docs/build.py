"""Build the guide in English and in Japanese: ``python docs/build.py``.

The pages land in ``docs/_build/html/en`` and ``docs/_build/html/ja``; warnings are errors. Guides
are run once, and again only when their code changes.

    python docs/build.py --messages     # after a change of a page: bring docs/locales up to date
    python docs/build.py --check        # whether all of them are translated
"""

import argparse
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE / "_build"
MESSAGES = BUILT / "gettext"
TRANSLATED = HERE / "locales" / "ja" / "LC_MESSAGES"
LANGUAGES = ("en", "ja")
# What is made from docstrings stays English, and so does the list of changes.
UNTRANSLATED = ("reference", "changelog.md")
# The messages of the theme, which are not those of a page.
THEME = Path("sphinx")
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
    parser.add_argument("--check", action="store_true", help="check the translation, and no more")
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
    if options.check or "ja" in options.languages:
        check_messages()
    if options.check:
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
    collect_messages()
    command = ["sphinx_intl", "update", "-p", str(MESSAGES), "-d", str(HERE / "locales")]
    subprocess.run(
        [sys.executable, "-m", *command, "-l", "ja", "--no-obsolete", "-w", "0"], check=True
    )


def check_messages() -> None:
    """Check that each message of each page is translated, and that nothing else is."""
    from babel.messages.pofile import read_po

    collect_messages()
    faults = []
    pages = {path.relative_to(MESSAGES).with_suffix("") for path in MESSAGES.rglob("*.pot")}
    kept = {path.relative_to(TRANSLATED).with_suffix("") for path in TRANSLATED.rglob("*.po")}
    unknown = kept - pages - {THEME}
    faults += [f"{page}: no page of that name; remove its .po file" for page in unknown]
    for page in sorted(pages):
        wanted = {message.id for message in read_po((MESSAGES / f"{page}.pot").open("rb"))}
        done = translated(page)
        faults += [f"{page}: not translated: {text}" for text in wanted - done - {""}]
        faults += [f"{page}: of no page: {text}" for text in done - wanted - {""}]
    missing = theme_messages() - translated(THEME)
    faults += [f"the theme: not translated in {THEME}.po: {text}" for text in missing]
    if faults:
        sys.exit(
            "\n".join([*faults, f"Error: {len(faults)} messages; python docs/build.py --messages"])
        )


def translated(page: Path) -> set[str]:
    """Return the messages of a page that are translated."""
    from babel.messages.pofile import read_po

    place = TRANSLATED / f"{page}.po"
    found = read_po(place.open("rb")) if place.exists() else []
    return {message.id for message in found if message.string and not message.fuzzy}


def theme_messages() -> set[str]:
    """Return the messages of the theme that Sphinx brings no translation of."""
    from gettext import translation

    import furo
    import sphinx
    from jinja2.ext import babel_extract

    of_sphinx = translation("sphinx", Path(sphinx.__file__).parent / "locale", ["ja"])
    found = set()
    for template in Path(furo.__file__).parent.rglob("*.html"):
        with template.open("rb") as file:
            found |= {message for _, _, message, _ in babel_extract(file, ["_", "gettext"], (), {})}
    return {message for message in found if of_sphinx.gettext(message) == message}


def collect_messages() -> None:
    """Write the messages of all pages that are translated."""
    shutil.rmtree(MESSAGES, ignore_errors=True)
    excluded = ",".join(["_build", "*.py", *UNTRANSLATED])
    settings = [
        "-D",
        f"exclude_patterns={excluded}",
        "-D",
        "nitpicky=0",  # The reference, which pages refer to, is not among these pages.
        "-D",
        "suppress_warnings=toc,myst.xref_missing",
    ]
    sphinx("gettext", MESSAGES, "-D", "nb_execution_mode=off", *settings)


def sphinx(builder: str, out: Path, *options: str) -> None:
    """Run Sphinx; what it warns of ends the build."""
    command = [sys.executable, "-m", "sphinx", "-q", "-j", "auto", "-b", builder]
    doctrees = BUILT / "doctrees" / out.name
    finished = subprocess.run([*command, "-d", doctrees, *options, HERE, out], check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


if __name__ == "__main__":
    main()
