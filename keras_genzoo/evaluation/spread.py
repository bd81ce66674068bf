"""The mean of a number over runs that differ by their random seed, and how far they spread."""

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Spread:
    """The mean of values, and their sample standard deviation, None of a single value.

    >>> Spread.of([1.0, 3.0])
    Spread(mean=2.0, deviation=1.4142135623730951, count=2)
    """

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float | None]) -> "Spread | None":
        """Return the spread of values; None without a value, NaN if one is not finite."""
        if not values:
            return None
        numbers = [math.nan if value is None else float(value) for value in values]
        if not all(math.isfinite(number) for number in numbers):
            return cls(math.nan, None, len(numbers))
        deviation = statistics.stdev(numbers) if len(numbers) > 1 else None
        return cls(statistics.fmean(numbers), deviation, len(numbers))

    def scaled(self, factor: float) -> "Spread":
        """Return the spread of the values times a factor.

        >>> Spread.of([0.5, 1.5]).scaled(1000).mean
        1000.0
        """
        deviation = None if self.deviation is None else self.deviation * factor
        return Spread(self.mean * factor, deviation, self.count)

    def as_dict(self) -> dict[str, Any]:
        """Return the mean, the deviation and the number of values by their names."""
        return dataclasses.asdict(self)

    def in_words(self) -> str:
        """Return it with two digits of the deviation, or four of a mean without one.

        >>> Spread(5.4137, 0.1251, 3).in_words(), Spread(5.4137, None, 1).in_words()
        ('5.41 ± 0.13', '5.414')
        """
        if not math.isfinite(self.mean):
            return "not finite"
        if not self.deviation:
            words = f"{self.mean:.0f}" if abs(self.mean) >= 1000 else f"{self.mean:.4g}"
            return words + (" ± 0" if self.deviation == 0 else "")
        digits = 1 - math.floor(math.log10(self.deviation))
        # Five of a mean are enough, however little the seeds differ.
        digits = min(digits, max(0, 4 - math.floor(math.log10(abs(self.mean) or 1))))
        if digits <= 0:
            return f"{self.mean:.0f} ± {self.deviation:.0f}"
        return f"{self.mean:.{digits}f} ± {self.deviation:.{digits}f}"
