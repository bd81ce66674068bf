"""Devices: one, all of this machine in step, or those of several machines."""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.training.declared import STRATEGIES
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.workers import join_workers

# Values of an image from which on XLA saves more than the seconds that it takes to compile.
LARGE_IMAGE = 784


def make_strategy(
    name: str = "auto",
    steps_per_execution: int = 1,
    devices: Sequence[str] | None = None,
    echo: Callable[[str], None] = lambda line: None,
) -> tf.distribute.Strategy:
    """Return the distribution strategy that ``name`` stands for.

    Args:
        name: ``"one"``: the default device; ``"mirrored"``: every GPU (without one, every logical
            CPU) holds a replica; ``"multi_worker"``: every device of the machines that
            ``TF_CONFIG`` names; ``"auto"``: mirrored where there is more than one GPU, or
            ``devices`` are given.
        steps_per_execution: steps that TensorFlow will take at once.
        devices: the devices to mirror over, such as ``("GPU:0", "GPU:1")``; by default all.
        echo: called with lines that say which workers are waited for.

    Raises:
        GenzooError: if the name or a device is unknown, or the other machines cannot be joined
            or take several steps at once.
    """
    if name not in STRATEGIES:
        raise unknown("strategy", name, STRATEGIES)
    if devices is not None and name not in ("auto", "mirrored"):
        raise GenzooError(
            f"devices are chosen for the strategy mirrored, not for {name}; leave out --devices, "
            "or take --strategy mirrored"
        )
    if name == "multi_worker":
        if steps_per_execution > 1:
            raise GenzooError(
                "several workers take one step at a time, since TensorFlow fails in a loop of them "
                "(keras#19246); leave out --steps-per-execution, or give 1"
            )
        # First, since TensorFlow joins other machines only before it has run anything.
        return join_workers(echo)
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if name == "one" or (name == "auto" and devices is None and len(gpus) < 2):
        return tf.distribute.get_strategy()
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    chosen = gpus or cpus if devices is None else _chosen(devices, gpus + cpus)
    if steps_per_execution == 1 and not set(chosen) & set(cpus):
        return tf.distribute.MirroredStrategy(chosen)
    # TensorFlow's collective operations fail in a loop of steps (keras#19246), and on CPUs once a
    # process has had another strategy.
    return tf.distribute.MirroredStrategy(
        chosen, cross_device_ops=tf.distribute.HierarchicalCopyAllReduce()
    )


def choose_jit_compile(
    settings: Settings, strategy: tf.distribute.Strategy, image_shape: tuple[int, int, int]
) -> bool:
    """Return whether XLA compiles the step: what ``settings`` say, or else where that pays.

    On a CPU it takes a tenth to a quarter off the step of dense networks in float32, and adds as
    much to that of others; compiling costs seconds, which small images do not win back. The number
    of steps does not matter: it changes no weight of a run.

    Raises:
        GenzooError: if it is asked for and there are several replicas.

    >>> choose_jit_compile(Settings("vae"), tf.distribute.get_strategy(), (28, 28, 1))
    True
    """
    replicas = strategy.num_replicas_in_sync
    if settings.jit_compile and replicas > 1:
        raise GenzooError(
            f"XLA compiles the step of one device, not of {replicas} (tensorflow#56423); "
            "leave out --jit-compile, or take --strategy one"
        )
    if settings.jit_compile is not None:
        return settings.jit_compile
    on_cpu = not tf.config.list_logical_devices("GPU")
    return on_cpu and replicas == 1 and xla_pays(settings, image_shape)


def xla_pays(settings: Settings, image_shape: Sequence[int]) -> bool:
    """Return whether XLA makes training faster on one CPU.

    >>> xla_pays(Settings("dcgan"), (28, 28, 1))
    False
    """
    dense = settings.with_role("model").get("architecture") in ("dense", "gated")
    return dense and settings.mixed_precision == "float32" and math.prod(image_shape) >= LARGE_IMAGE


def _chosen(devices: Sequence[str], present: Sequence[str]) -> list[str]:
    """Return TensorFlow's names of devices."""
    names = {name.removeprefix("/device:"): name for name in present}
    for number, device in enumerate(devices):
        if device not in names:
            error = unknown("device", device, names)
            raise GenzooError(f"{error}; choose --devices among them, or take --strategy one")
        if device in devices[:number]:
            raise GenzooError(f"the device {device} is given twice; give each once")
    return [names[device] for device in devices]


def check_batch_size(batch_size: int, strategy: tf.distribute.Strategy) -> None:
    """Check that every replica gets the same number of images.

    Raises:
        GenzooError: if the batch does not divide by the replicas.
    """
    replicas = strategy.num_replicas_in_sync
    if batch_size % replicas:
        next_larger = -(-batch_size // replicas) * replicas
        raise GenzooError(
            f"a batch of {batch_size} images does not divide by {replicas} replicas; take a "
            f"multiple of {replicas}, such as --batch-size {next_larger}, fewer --devices, or "
            "--strategy one"
        )
