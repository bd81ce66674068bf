"""What the folders in a folder of images mean: splits, classes, shards, or nothing.

A folder that holds nothing but one folder of images is gone through: archives and torchvision put
such around the images. What was taken for what is kept in words, for a person to read.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from keras_genzoo.data.kinds import IMAGE, UNREADABLE
from keras_genzoo.data.listing import Listing, find_image, list_folders, list_images
from keras_genzoo.data.source import classes_in_words
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown

# The words by which people name the splits, and words beside them that mean nothing.
_SPLITS = {
    "train": ("train", "training", "trainval", "trn"),
    "validation": ("validation", "val", "valid", "validate", "dev"),
    "test": ("test", "testing", "tst"),
    # Images without labels, as some sets have them to be predicted.
    "prediction": ("prediction", "predictions", "pred", "predict"),
}
_SPLIT_OF = {word: split for split, words in _SPLITS.items() for word in words}
_FILLERS = {"", "set", "seg", "split", "data", "images", "image", "imgs", "img"}
# Numbered folders with these names are parts of one set, whatever they hold.
_SHARDS = {
    "part", "shard", "chunk", "batch", "images", "image", "imgs", "img", "tar",
}  # fmt: skip


@dataclass(frozen=True)
class Classes:
    """The classes of one listing.

    Args:
        names: names of the class folders, sorted; None if there are no classes.
        inside: the folder within the listing that holds the class folders.
        why: if there are no classes, the reason in words.
        empty: folders beside the class folders that hold no image.
    """

    names: tuple[str, ...] | None
    inside: str = ""
    why: str = ""
    empty: tuple[str, ...] = ()

    @property
    def shown_names(self) -> list[str] | None:
        """The names as text that any output takes; None if there are no classes.

        Raises:
            GenzooError: if two are shown alike.
        """
        if self.names is None:
            return None
        texts = [shown(name) for name in self.names]
        if len(set(texts)) < len(texts):
            raise GenzooError(f"two class folders are both shown as {max(texts, key=texts.count)}")
        return texts

    @property
    def in_words(self) -> str:
        """What the folders were taken for, in one line."""
        words = classes_in_words(self.shown_names)
        if self.why:
            words = f"{words}: {self.why}"
        if self.empty:
            words += f"; without an image, and so no class: {_list(self.empty[:5])}"
            words += ", ..." if len(self.empty) > 5 else ""
        return words


def split_of(name: str) -> str | None:
    """Return the split that a folder's name means, None if it means none.

    >>> [split_of(name) for name in ("Train", "seg_test", "validation_set", "val2017", "cats")]
    ['train', 'test', 'validation', 'validation', None]
    """
    words = [word.removesuffix("set") for word in re.findall(r"[^\W\d_]+", name.lower())]
    words = [word for word in words if word not in _FILLERS]
    return _SPLIT_OF.get(words[0]) if len(words) == 1 else None


def split_folders(path: Path, labels: str = "auto") -> dict[str, Path]:
    """Return the folder of each split by its name here; a folder without splits is ``train``.

    Folders that hold nothing but one folder of images are gone through. Folders named like splits
    are splits if no other holds images; without ``train`` among them, others may stand beside
    them, and all are classes then. A ``train`` of images alone beside others of images is a class.

    Args:
        path: the folder.
        labels: ``"folders"``: where they may be splits as well as classes, they are classes.

    Raises:
        GenzooError: if the folders may be splits as well as classes, if two are one split, or if
            images lie beside the splits.
    """
    root = path
    while True:
        folders = list_folders(root)
        if splits := _splits_in(root, folders, labels):
            return splits
        inner = _only_folder(root, folders)
        if inner is None:
            return {"train": path}
        root = inner


def find_split(name: str, folders: Mapping[str, Path]) -> str:
    """Return the split that is asked for by another word for it, or by its folder's name.

    >>> find_split("valid", {}), find_split("seg_test", {"test": Path("seg_test")})
    ('validation', 'test')
    """
    named = {folder.name: split for split, folder in folders.items()}
    return _SPLIT_OF.get(name.lower()) or named.get(name, name)


def splits_in_words(folders: Mapping[str, Path], path: Path) -> str | None:
    """Say which folder is which split; None if ``path`` has no splits."""
    if folders == {"train": path}:
        return None
    parts = [f"{split} in {shown(folder.relative_to(path))}" for split, folder in folders.items()]
    return f"splits: {', '.join(parts)}"


def classes_of(
    split: str, listing: Listing, folders: Mapping[str, Path], labels: str = "auto"
) -> Classes:
    """Return the classes of a split; labels mean the same in every split.

    Args:
        split: its name.
        listing: its files.
        folders: the folders of all splits.
        labels: where labels come from, see `find_classes`.

    Raises:
        GenzooError: as `find_classes` does, or if the split has a class that ``train`` lacks.
    """
    if split == "train" or "train" not in folders:
        return find_classes(listing, labels)
    return _classes_like(listing, find_classes(list_images(folders["train"]), labels), labels)


def find_classes(listing: Listing, labels: str = "auto") -> Classes:
    """Return the classes of a split: the folders that its images lie in, if there are several.

    Args:
        listing: the files of the split.
        labels: ``"folders"``: every folder is a class, also if it is the only one or looks like a
            shard; ``"none"``: there are no classes.

    Raises:
        GenzooError: if some images lie in class folders and others beside them, or ``"folders"``
            is asked for where there are none.
    """
    if labels == "none":
        return Classes(None, why="as asked for by labels none")
    inside = listing.common_folder()
    counts = _count_folders(listing, inside)
    if "" in counts:
        if labels == "folders":
            return _only_class(listing, inside)
        return Classes(None, inside, f"one folder{_named(inside)}", _empty(listing, inside))
    names = tuple(sorted(counts))
    if labels == "auto":
        _refuse_splits(listing, inside, names)
    if labels == "auto" and are_shards(counts):
        some = f"{shown(names[0])} to {shown(names[-1])}"
        why = (
            f"{len(names)} numbered folders of one kind ({some}) are taken for parts of one set; "
            "--labels folders makes them classes"
        )
        return Classes(None, inside, why)
    return Classes(names, inside, empty=_empty(listing, inside, names))


def _classes_like(listing: Listing, train: Classes, labels: str) -> Classes:
    """Return the classes of another split than ``train``, with the numbers that they have there.

    A split whose images lie in none of the class folders of ``train`` has no labels.

    Raises:
        GenzooError: if it has a class folder that ``train`` lacks.
    """
    if train.names is None:
        found = find_classes(listing, labels)
        if found.names is not None:
            raise _lacking(listing, min(found.names), train)
        return found
    inside = ""
    while "" not in (counts := _count_folders(listing, inside)):
        if known := counts.keys() & set(train.names):
            if lacking := counts.keys() - known:
                raise _lacking(listing, min(lacking), train)
            return Classes(train.names, inside, empty=train.empty)
        if len(counts) > 1:
            raise _lacking(listing, min(counts), train)
        inside += min(counts) + os.sep
    return Classes(None, inside, f"one folder{_named(inside)}, none of the classes of train")


def are_shards(counts: Mapping[str, int]) -> bool:
    """Whether folders, with the number of images in each, are parts of one set rather than classes.

    They are if they are named by nothing but numbers of one width, three digits or more with zeros
    in front, in equal steps, and hold about as many images each, save the last; or by a word such
    as ``part`` or ``images`` and a number.

    >>> are_shards({"00000": 1000, "01000": 1000, "02000": 17}), are_shards({"0": 9, "1": 9})
    (True, False)
    """
    names = sorted(counts)
    found = [match for name in names if (match := re.fullmatch(r"(\D*)(\d+)", name))]
    if len(names) < 2 or len(found) < len(names) or len({match[1] for match in found}) > 1:
        return False
    word = found[0][1].strip(" _-.").lower()
    if word:
        return word in _SHARDS or word.removesuffix("s") in _SHARDS
    *most, last = (counts[name] for name in names)
    numbers = [int(name) for name in names]
    steps = {after - before for before, after in pairwise(numbers)}
    return (
        len({len(name) for name in names}) == 1
        and len(names[0]) >= 3
        and names[0].startswith("0")
        and len(steps) == 1
        and min(most) >= 0.9 * max(most)
        and last <= 1.1 * max(most)
    )


def _splits_in(root: Path, folders: list[str], labels: str) -> dict[str, Path]:
    """Return the splits among the folders in ``root``; none if they are something else."""
    named = {name: split for split in _SPLITS for name in folders if split_of(name) == split}
    if not any(find_image(root / name) for name in named):
        if labels != "folders":
            _refuse_parts_of_splits(root, folders)
        return {}
    others = [
        name
        for name in folders
        if name not in named and find_image(root / name, kinds=(IMAGE, UNREADABLE))
    ]
    if others:
        trains = [name for name in named if named[name] == "train"]
        # A class may be called train; its folder then looks like those of the other classes.
        like_others = len(trains) == len(named) == 1 and not list_folders(root / trains[0])
        if not trains or like_others or labels == "folders":
            return {}
        raise GenzooError(
            f"{root} can be read in two ways: as the splits {_list(named)}, without "
            f"{_list(others)}, or as the classes {_list(sorted([*named, *others]))}; move "
            f"{shown(others[0])} elsewhere, rename {shown([*named][-1])}, or give --labels folders "
            "to take them for classes"
        )
    if labels == "folders" and not any(list_folders(root / name) for name in named):
        return {}
    for split in _SPLITS:
        if len(same := [name for name in named if named[name] == split]) > 1:
            raise GenzooError(f"{root} holds {' and '.join(same)}, which are one split; keep one")
    if loose := find_image(root, deep=False):
        raise GenzooError(
            f"{root} holds images beside the splits {_list(named)} ({shown(loose)}); move them "
            f"into a split, or give {root / next(iter(named))}"
        )
    return {split: root / name for name, split in named.items()}


def _refuse_parts_of_splits(root: Path, folders: list[str]) -> None:
    """Refuse folders such as trainA, trainB, testA and testB, which are no classes."""
    rests: dict[str, dict[str, str]] = {}
    for name in folders:
        for split in _SPLITS:
            word = next((w for w in _SPLITS[split] if name.lower().startswith(w)), "")
            if rest := name.lower().removeprefix(word).strip(" _-.") if word else "":
                rests.setdefault(rest, {})[split] = name
    for parts in rests.values():
        if (
            "train" in parts
            and len(parts) > 1
            and all(find_image(root / n) for n in parts.values())
        ):
            raise GenzooError(
                f"{root} holds {_list(sorted(parts.values()))}, which are neither splits nor "
                f"classes by their names; give one of them, such as {root / parts['train']}, or "
                "--labels folders to take them for classes"
            )


def _refuse_splits(listing: Listing, inside: str, names: tuple[str, ...]) -> None:
    """Refuse classes named like splits, or with splits in them: all would be trained on."""
    deeper = (name[len(inside) :].split(os.sep) for name in listing.files)  # noqa: PTH206
    within = {parts[1]: parts[0] for parts in deeper if len(parts) > 2}
    for folders in (names, within):
        found = {name: split for name in sorted(folders) if (split := split_of(name))}
        if "train" in found.values() and len(set(found.values())) > 1:
            where = f" in {shown(within[min(found)])}" if folders is within else ""
            raise GenzooError(
                f"{listing.root / inside} holds the splits {_list(found)}{where}; bring it into "
                "the order split, class, image, or give --labels folders to take every folder "
                "for a class"
            )


def _only_folder(root: Path, folders: list[str]) -> Path | None:
    """Return the one folder that holds images, if there are none beside it."""
    if not folders or find_image(root, deep=False):
        return None
    found = []
    for name in folders:
        if find_image(root / name):
            found.append(name)
        if len(found) > 1:
            return None
    return root / found[0] if found else None


def _count_folders(listing: Listing, inside: str) -> Mapping[str, int]:
    counts = listing.count_folders(inside)
    if "" in counts and len(counts) > 1:
        loose = next(name for name in listing.files if os.sep not in name[len(inside) :])
        raise GenzooError(
            f"{listing.root / inside} holds images beside class folders "
            f"({shown(loose[len(inside) :])} beside {shown(min(counts.keys() - {''}))}{os.sep}); "
            "move all into class folders or all side by side, or give --labels none"
        )
    return counts


def _only_class(listing: Listing, inside: str) -> Classes:
    if not inside:
        raise GenzooError(
            f"{listing.root} holds its images side by side and no class folders; go without "
            "--labels folders, or move the images of each class into a folder of its own"
        )
    outer, _, name = inside[:-1].rpartition(os.sep)
    return Classes((name,), outer + os.sep if outer else "")


def _empty(listing: Listing, inside: str, names: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the visible folders without an image beside ``names``, or else beside ``inside``."""
    if not names:
        if not inside:
            return ()
        outer, _, name = inside[:-1].rpartition(os.sep)
        inside, names = outer, (name,)
    return tuple(name for name in list_folders(listing.root / inside) if name not in names)


def _lacking(listing: Listing, name: str, train: Classes) -> GenzooError:
    there = f", where train has {len(train.names)}" if train.names else ""
    why = "holds no image in train" if name in train.empty else f"train lacks{there}"
    return GenzooError(
        f"{listing.root} has the class folder {shown(name)}, which {why}; every split needs the "
        "classes of train, or fewer"
    )


def _named(inside: str) -> str:
    return f" ({shown(inside[:-1])})" if inside else ""


def _list(names: Iterable[str]) -> str:
    return ", ".join(shown(name) for name in names)
