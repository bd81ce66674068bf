"""Timing two things in turn, A B A B, so that a drifting machine moves both."""

import os
import statistics
import time
from collections.abc import Callable

# As the command line sets them, before TensorFlow is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import tensorflow as tf


def seconds(function: Callable[[], None]) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def same_batch(images) -> tf.data.Dataset:
    """Return an endless data set of one batch, which costs next to nothing."""
    options = tf.data.Options()
    options.autotune.enabled = False  # The end of ``fit`` would wait for the tuner.
    return tf.data.Dataset.from_tensors(images).repeat().with_options(options)


def compare(
    name: str, ours: Callable[[], None], rival: Callable[[], None], steps: int, pairs: int
) -> float:
    """Time ``pairs`` pairs of calls of ``steps`` steps each; print and return the median ratio."""
    return compare_seconds(name, lambda: seconds(ours), lambda: seconds(rival), steps, pairs)


def compare_seconds(
    name: str, ours: Callable[[], float], rival: Callable[[], float], steps: int, pairs: int
) -> float:
    """Do as ``compare`` with calls that return how long they took."""
    ours_ms, rival_ms, ratios = [], [], []
    for _ in range(pairs):
        a, b = ours(), rival()
        ours_ms.append(a / steps * 1e3)
        rival_ms.append(b / steps * 1e3)
        ratios.append(b / a)
    print(
        f"{name}: ours {statistics.median(ours_ms):.1f} ms/step, "
        f"rival {statistics.median(rival_ms):.1f} ms/step, "
        f"rival/ours median {statistics.median(ratios):.3f} "
        f"(from {min(ratios):.3f} to {max(ratios):.3f}, {pairs} pairs)",
        flush=True,
    )
    return statistics.median(ratios)
