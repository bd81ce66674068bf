"""Training on several machines in step: joining the workers and agreeing on what they train.

Every worker runs the same command. One of them, the chief, writes the run folder; the others read
it, so it must lie in a file system that all of them share.
"""

import contextlib
import hashlib
import itertools
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from keras_genzoo.errors import GenzooError, TrainingStoppedError
from keras_genzoo.training.declared import PACE, PLACE
from keras_genzoo.training.run import list_checkpoints
from keras_genzoo.training.settings import Settings

# Errors of a collective operation when another worker is gone.
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


def join_workers(echo: Callable[[str], None] = lambda line: None) -> tf.distribute.Strategy:
    """Wait for the workers that ``TF_CONFIG`` names, and return the strategy over all of them.

    It must be called before TensorFlow computes anything in this process.

    Args:
        echo: called with lines that say which workers are waited for.

    Raises:
        GenzooError: if ``TF_CONFIG`` is missing or wrong, its port is taken, or TensorFlow is
            initialized already.
    """
    config = check_tf_config(os.environ.get("TF_CONFIG"))
    _wait_for_all(config, echo)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise GenzooError(f"the workers of TF_CONFIG cannot be joined: {reason}") from error


def _wait_for_all(config: dict, echo: Callable[[str], None]) -> None:
    """Wait until every worker listens on its port, either in this function or in TensorFlow.

    TensorFlow itself waits for the workers without a message and without reacting to Ctrl-C, so the
    waiting is done here: each worker opens its own port and tries those of the others.

    Raises:
        GenzooError: if this worker's port is taken.
    """
    cluster, task = config["cluster"], config["task"]
    own = cluster[task["type"]][int(task["index"])]
    missing = [address for job in sorted(cluster) for address in cluster[job] if address != own]
    try:
        listener = _listen(own, len(missing)) if missing else contextlib.nullcontext()
    except OSError as error:
        raise GenzooError(f"the workers of TF_CONFIG cannot be joined: {own}: {error}") from error
    announced: list[str] = []
    with listener:
        while missing := [address for address in missing if not _listens(address)]:
            if missing != announced:
                echo(f"waiting for {', '.join(missing)}")
                announced = missing
            time.sleep(0.2)


def _listen(address: str, others: int) -> socket.socket:
    both = socket.has_dualstack_ipv6()
    return socket.create_server(
        ("", _host_and_port(address)[1]),
        family=socket.AF_INET6 if both else socket.AF_INET,
        dualstack_ipv6=both,
        backlog=max(others, 128),
    )


def _listens(address: str) -> bool:
    try:
        with socket.create_connection(_host_and_port(address), timeout=1):
            return True
    except OSError:
        return False


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not 0 <= int(port) < 2**16:
        raise ValueError(f"{port} is not a port")
    return host.strip("[]"), int(port)


def check_tf_config(text: str | None) -> dict:
    """Parse and check ``TF_CONFIG``.

    Raises:
        GenzooError: if it does not name the workers and the index of this one.

    >>> check_tf_config(_EXAMPLE)["task"]
    {'type': 'worker', 'index': 0}
    >>> check_tf_config(None)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    keras_genzoo.errors.GenzooError: --strategy multi_worker needs the variable TF_CONFIG; ...
    """
    advice = f"set it on each worker, such as {_EXAMPLE}, or take --strategy one"
    if not text:
        raise GenzooError(f"--strategy multi_worker needs the variable TF_CONFIG; {advice}")
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        kind, index = task["type"], int(task["index"])
        members = {job: list(addresses) for job, addresses in cluster.items()}
        for address in itertools.chain.from_iterable(members.values()):
            _host_and_port(address)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise GenzooError(f"TF_CONFIG cannot be read ({error!r}); {advice}") from error
    if odd := sorted(members.keys() - {"chief", "worker"}):
        raise GenzooError(
            f"TF_CONFIG names a task '{odd[0]}'; there are only chief and worker; {advice}"
        )
    if not 0 <= index < len(members.get(kind, [])):
        raise GenzooError(f"TF_CONFIG has no task {kind} {index} among its workers; {advice}")
    return config


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run folder: the chief, or the only process."""
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return True
    resolver = strategy.cluster_resolver
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "chief" or (not has_chief and resolver.task_id == 0)


def gather_numbers(strategy: tf.distribute.Strategy, number: int) -> list[int]:
    """Return the numbers that all workers pass in, one for each replica; all must call this."""

    @tf.function(autograph=False)
    def gather() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        return context.all_gather(tf.constant([number], tf.int64), axis=0)

    parts = strategy.experimental_local_results(strategy.run(gather))
    return parts[0].numpy().tolist()


def check_agreement(
    strategy: tf.distribute.Strategy, settings: Settings, fingerprint: str, step: int
) -> None:
    """Check that all workers train with the same settings, on the same data, from the same step.

    Each worker hashes these, and the hashes of all workers are compared.

    Raises:
        GenzooError: on every worker, if they differ.
    """
    left_out = {*settings.with_role(PLACE), *settings.with_role(PACE), "dataset"}
    facts = {k: v for k, v in settings.to_dict().items() if k not in left_out}
    text = json.dumps([facts, settings.total_steps, fingerprint, step], sort_keys=True)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
    if len(set(gather_numbers(strategy, number))) > 1:
        raise GenzooError(
            "the workers were started with different settings, data or checkpoints; give all of "
            "them the same command, and a run folder that all of them see"
        )


@contextlib.contextmanager
def report_lost_workers(strategy: tf.distribute.Strategy, run: Path | None) -> Iterator[None]:
    """Turn TensorFlow's error about a lost worker in the block into one line.

    Args:
        strategy: the devices.
        run: the run folder, if it is known.

    Raises:
        TrainingStoppedError: if another worker has stopped or cannot be reached.
    """
    try:
        yield
    except _PEER_ERRORS as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        advice = "see what it said, and start all of them again"
        if run is not None and list_checkpoints(run / "checkpoints"):
            advice = f"go on, on these workers or on others, with: genzoo fit --resume {run}"
        raise TrainingStoppedError(
            f"another worker has stopped, or cannot be reached; {advice}"
        ) from error
