"""Named things of one kind: models, losses, sources, recipes.

A registry feeds the command line's choices, the tests and the tables of the documentation. An
entry may be an import path (``"package.module:attribute"``), so that listing names imports nothing.
"""

import importlib
import itertools
from collections.abc import Callable, Collection, Iterator
from typing import Any

from keras_genzoo.errors import GenzooError, unknown


def import_attribute(path: str) -> Any:
    """Return what an import path ``"module:attribute"`` names.

    Raises:
        ImportError: if the module cannot be imported.
        GenzooError: if it has no such attribute.

    >>> import_attribute("math:sqrt")(4)
    2.0
    """
    module, _, attribute = path.partition(":")
    found = importlib.import_module(module)
    if not hasattr(found, attribute):
        raise GenzooError(f"'{path}' is registered, but {module} has no '{attribute}'")
    return getattr(found, attribute)


class Registry:
    """An ordered table of names that refuses duplicates and unknown names.

    Args:
        kind: what the entries are, in the singular, for error messages.
        entries: the first entries, each an object or an import path ``"module:attribute"``.
        prefix: what the options of an entry begin with among the settings of a run, such as
            ``"penalty_"``.
        check: called with the name and the entry before one is added.

    >>> shapes = Registry("shape", {"square": 4})
    >>> shapes.register("triangle", 3)
    3
    >>> shapes["triangle"], list(shapes)
    (3, ['square', 'triangle'])
    """

    # How often any registry has changed, for what is derived from them and kept.
    changes = 0

    def __init__(
        self,
        kind: str,
        entries: dict[str, Any] | None = None,
        prefix: str = "",
        check: Callable[[str, Any], None] = lambda name, entry: None,
    ):
        self.kind = kind
        self.prefix = prefix
        self._check_entry = check
        self._entries: dict[str, Any] = {}
        for name, entry in (entries or {}).items():
            self.register(name, entry)

    def register(self, name: str, entry: Any) -> Any:
        """Add ``entry`` under ``name`` and return it.

        Raises:
            GenzooError: if the name is taken, or the entry is not usable.
        """
        if name in self._entries:
            raise GenzooError(f"{self.kind} '{name}' is registered already; choose another name")
        self._check_entry(name, entry)
        self._entries[name] = entry
        Registry.changes += 1
        return entry

    def check(self, name: str) -> str:
        """Return ``name`` if it is known.

        Raises:
            GenzooError: if it is not; names the nearest one.
        """
        if name not in self._entries:
            raise unknown(self.kind, name, self._entries)
        return name

    def __getitem__(self, name: str) -> Any:
        entry = self._entries[self.check(name)]
        if isinstance(entry, str):
            entry = self._entries[name] = import_attribute(entry)
        return entry

    def name_of(self, entry: Any) -> str | None:
        """Return the name under which ``entry`` itself is registered, None if it is not."""
        return next((name for name in self if self[name] is entry), None)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


class Names:
    """The names of several collections together, as they are when they are asked for.

    Args:
        *collections: registries, or other collections of names.

    >>> list(Names(Registry("side", {"left": 1}), ("up", "down")))
    ['left', 'up', 'down']
    """

    def __init__(self, *collections: "Collection[str] | Registry | Names"):
        self._collections = collections

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in self._collections)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(itertools.chain(*self._collections)))
