"""How the codes of a codebook are used over an epoch: how many of them, and how evenly."""

import keras
from keras import ops


class CodesInUse(keras.metrics.Metric):
    """Number of codes that occurred since the last reset.

    Args:
        num_codes: number of codes.
        name: of the metric.

    >>> metric = CodesInUse(3)
    >>> metric.update_state([2.0, 0.0, 5.0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, num_codes: int, name: str = "codes_in_use"):
        super().__init__(name=name)
        self.counts = self.add_variable((num_codes,), "zeros", name="counts")

    def update_state(self, counts, sample_weight=None):
        """Add the counts of a batch, ``(num_codes,)``."""
        self.counts.assign(self.counts + counts)

    def result(self):
        """Return the number."""
        return ops.sum(ops.cast(ops.convert_to_tensor(self.counts) > 0, "float32"))


class Perplexity(CodesInUse):
    """The exponential of the entropy of the codes since the last reset: so many, if used evenly.

    >>> metric = Perplexity(3)
    >>> metric.update_state([2.0, 0.0, 2.0])
    >>> round(float(metric.result()), 4)
    2.0
    """

    def __init__(self, num_codes: int, name: str = "perplexity"):
        super().__init__(num_codes, name)

    def result(self):
        """Return the perplexity, 0 before the first batch."""
        counts = ops.convert_to_tensor(self.counts)
        total = ops.sum(counts)
        shares = counts / ops.maximum(total, 1.0)
        entropy = -ops.sum(shares * ops.log(ops.maximum(shares, 1e-12)))
        return ops.where(total > 0, ops.exp(entropy), 0.0)
