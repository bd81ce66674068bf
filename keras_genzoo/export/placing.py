"""Files that come with their cards: all of an export are put in place together, or none."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import (
    exit_on_sigterm,
    flush,
    flush_tree,
    hide_temporary_paths,
    private_folder,
    unwritable,
    write_json,
)


def card_path(file: Path) -> Path:
    """Return the place of a file's card.

    >>> card_path(Path("faces-float32.tflite")).name
    'faces-float32.tflite.json'
    """
    return file.with_name(f"{file.name}.json")


def refuse_existing(files: Sequence[Path]) -> None:
    """Refuse to replace files or their cards.

    Raises:
        GenzooError: if one exists.
    """
    for file in files:
        for path in (file, card_path(file)):
            if path.exists():
                raise GenzooError(f"{path} exists; choose another --out, or --force to replace it")


@contextlib.contextmanager
def placing(folder: Path) -> Iterator[Path]:
    """Give an empty folder; put the files written there into ``folder`` when the block succeeds.

    A card is gone before its old file is replaced: none ever lies beside a file of another export.

    Raises:
        GenzooError: if the place cannot be written.
    """
    with exit_on_sigterm():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with private_folder(folder) as temporary:
                with hide_temporary_paths(temporary):
                    yield temporary
                flush_tree(temporary)
                cards = sorted(temporary.glob("*.json"))
                for card in cards:
                    (folder / card.name).unlink(missing_ok=True)
                for file in sorted(set(temporary.iterdir()) - set(cards)) + cards:
                    file.replace(folder / file.name)
                flush(folder)
        except OSError as error:
            raise unwritable(folder, error) from error


def write_card(file: Path, card: dict[str, Any]) -> None:
    """Write the card of a file beside it."""
    write_json(card_path(file), card | {"bytes": file.stat().st_size})
