"""The devices of a strategy in words, and why TensorFlow does not use a GPU of the machine.

The command line hides TensorFlow's log, so the reason is read from the log of a second process.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

# Files that exist where there is an NVIDIA GPU: those of the driver, on Linux and on WSL.
_GPU_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
# Time limit of the second process, in seconds.
_SECONDS = 120
_LIST_GPUS = "import tensorflow as tf; tf.config.list_physical_devices('GPU')"
# The prefix of each line of TensorFlow's log.
_PREFIX = re.compile(r"^.*?\.cc:\d+\] ")
_ABOUT_GPUS = re.compile(r"gpu|cuda|cudnn", re.IGNORECASE)


def devices_in_words(strategy: tf.distribute.Strategy) -> str:
    """Return the line that names the devices of a strategy.

    Args:
        strategy: as ``make_strategy`` returns it.
    """
    if isinstance(strategy, _MIRRORED):
        names = strategy.extended.worker_devices
    else:
        gpus = tf.config.list_logical_devices("GPU")
        names = [(gpus or tf.config.list_logical_devices("CPU"))[0].name]
    short = ["{type}:{index}".format(**_parsed(name)) for name in names]
    kinds = _gpu_product_names() if short[0].startswith("GPU") else []
    if not kinds:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        several = f"{len(short)} replicas, " if len(short) > 1 else ""
        words = f"the CPU, {several}{cores} core{'s' if cores != 1 else ''}"
    else:
        words = ", ".join(
            f"{name} ({kinds[int(name.rpartition(':')[2]) % len(kinds)]})" for name in short
        )
    if isinstance(strategy, _SEVERAL_MACHINES):
        words += f" of this machine, {strategy.num_replicas_in_sync} replicas in all"
    return f"training on {words}"


_SEVERAL_MACHINES = tf.distribute.MultiWorkerMirroredStrategy
_MIRRORED = tf.distribute.MirroredStrategy, _SEVERAL_MACHINES


def _parsed(name: str) -> dict[str, str]:
    """Return the type and the index in a logical device's name."""
    match = re.search(r"(GPU|CPU):(\d+)$", name)
    assert match is not None  # TensorFlow names all of its devices so.
    kind, index = match.groups()
    return {"type": kind, "index": index}


def _gpu_product_names() -> list[str]:
    """Return the product name of each visible GPU."""
    return [
        tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        for gpu in tf.config.get_visible_devices("GPU")
    ]


def unused_gpu(files: Sequence[str] = _GPU_FILES) -> str | None:
    """Return in a line why TensorFlow does not use the GPU of this machine.

    None if it uses a GPU, or the machine has none.

    Args:
        files: files of which one exists where there is a GPU.
    """
    if tf.config.list_physical_devices("GPU") or not any(Path(file).exists() for file in files):
        return None
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and not re.search(r"^\s*(\d|GPU|MIG)", hidden):
        reason = f"CUDA_VISIBLE_DEVICES='{hidden}' hides it"
    elif not tf.sysconfig.get_build_info().get("is_cuda_build"):
        reason = "this TensorFlow is built without CUDA"
    else:
        reason = _reason_in_log() or "TensorFlow does not say why"
    return (
        f"there is a GPU here, which TensorFlow cannot use: {reason}; see "
        "pip install 'keras_genzoo[gpu]'"
    )


def _reason_in_log() -> str:
    """Return the last line about GPUs that a new process of TensorFlow logs, empty if none."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_MAX_VLOG_LEVEL": "0"}
    try:
        started = subprocess.run(
            [sys.executable, "-c", _LIST_GPUS],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    lines = [line for line in started.stderr.splitlines() if _PREFIX.search(line)]
    messages = [_PREFIX.sub("", line).strip() for line in lines]
    # The last message is the conclusion: it sums up what the ones before report.
    matching = [message for message in messages if _ABOUT_GPUS.search(message)]
    return matching[-1].partition(". ")[0].rstrip(".") if matching else ""
