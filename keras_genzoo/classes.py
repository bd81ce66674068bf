"""The classes that a grid of all classes shows, and their names as text."""

from collections.abc import Sequence

# A grid with more classes is too large to read.
MOST_CLASSES = 20


def shown_classes(num_classes: int, most: int = MOST_CLASSES) -> list[int]:
    """Return the classes that a grid shows: all, or ``most`` evenly spread ones if there are more.

    >>> shown_classes(3), shown_classes(1000, most=4)
    ([0, 1, 2], [0, 333, 666, 999])
    """
    if num_classes <= most:
        return list(range(num_classes))
    return [round(number * (num_classes - 1) / (most - 1)) for number in range(most)]


def classes_in_words(num_classes: int, names: Sequence[str], most: int = MOST_CLASSES) -> str:
    """Return the names of the classes that a grid shows, in order; if not all, with their number.

    >>> classes_in_words(3, ["bird", "cat", "dog"])
    'bird, cat, dog'
    >>> classes_in_words(9, list("abcdefghi"), most=3)
    'a, e, i (3 of 9 classes, evenly spread)'
    """
    numbers = shown_classes(num_classes, most)
    words = ", ".join(names[number] for number in numbers)
    if len(numbers) < num_classes:
        words += f" ({len(numbers)} of {num_classes:,} classes, evenly spread)"
    return words
