"""Several machines that train in step: who this one is, and what they tell one another.

Every worker runs the same command. One of them, the chief, writes the run folder; the others read
it, so it lies where all of them see it.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator

import tensorflow as tf

from keras_genzoo.errors import GenzooError, TrainingStoppedError
from keras_genzoo.training.settings import PACE, PLACE, Settings

# What ends a collective operation when another worker is gone.
_PEER_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def join_workers() -> tf.distribute.Strategy:
    """Return the strategy over the workers that ``TF_CONFIG`` names, once all have come.

    TensorFlow must not have computed anything before.

    Raises:
        GenzooError: if ``TF_CONFIG`` is missing or wrong, its port is taken, or TensorFlow has
            begun already.
    """
    check_tf_config(os.environ.get("TF_CONFIG"))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise GenzooError(f"the workers of TF_CONFIG cannot be joined: {reason}") from error


def check_tf_config(text: str | None) -> None:
    """Check what ``TF_CONFIG`` holds.

    Raises:
        GenzooError: if it does not name the workers, or which of them this one is.

    >>> check_tf_config(_EXAMPLE)
    >>> check_tf_config(None)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    keras_genzoo.errors.GenzooError: --strategy multi_worker needs the variable TF_CONFIG; ...
    """
    advice = f"set it on each worker, such as {_EXAMPLE}"
    if not text:
        raise GenzooError(f"--strategy multi_worker needs the variable TF_CONFIG; {advice}")
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kind, index = task["type"], int(task["index"])
        members = {job: list(addresses) for job, addresses in cluster.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GenzooError(f"TF_CONFIG cannot be read ({error!r}); {advice}") from error
    if odd := sorted(members.keys() - {"chief", "worker"}):
        raise GenzooError(f"TF_CONFIG names a {odd[0]}, for which there is no work; {advice}")
    if not 0 <= index < len(members.get(kind, [])):
        raise GenzooError(f"TF_CONFIG has no task {kind} {index} among its workers; {advice}")


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run folder: the chief, and whoever trains alone."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


def gathered(strategy: tf.distribute.Strategy, number: int) -> list[int]:
    """Return the numbers that the replicas of all workers bring; all must call this."""

    @tf.function(autograph=False)
    def gather():
        context = tf.distribute.get_replica_context()
        return context.all_gather(tf.constant([number], tf.int64), axis=0)

    parts = strategy.experimental_local_results(strategy.run(gather))
    return parts[0].numpy().tolist()


def check_agreement(
    strategy: tf.distribute.Strategy, settings: Settings, fingerprint: str, step: int
) -> None:
    """Check that all workers train by the same settings on the same data from the same step.

    Raises:
        GenzooError: on every worker, if they do not.
    """
    left_out = {*settings.of_role(PLACE), *settings.of_role(PACE), "dataset"}
    facts = {k: v for k, v in settings.to_dict().items() if k not in left_out}
    text = json.dumps([facts, settings.steps, fingerprint, step], sort_keys=True)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
    if len(set(gathered(strategy, number))) > 1:
        raise GenzooError(
            "the workers were started with different settings, data or checkpoints; give all of "
            "them the same command, and a run folder that all of them see"
        )


@contextlib.contextmanager
def others_alive(strategy: tf.distribute.Strategy, run: str) -> Iterator[None]:
    """Say in one line that another worker is gone, if that is what ends the block.

    Raises:
        TrainingStoppedError: then.
    """
    try:
        yield
    except _PEER_ERRORS as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise TrainingStoppedError(
            "another worker has stopped, or cannot be reached; go on, on these workers or on "
            f"others, with: genzoo fit --resume {run}"
        ) from error
