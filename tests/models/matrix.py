"""Train every meaningful combination of the axes of a GAN: on two replicas, and after loading.

``python -m tests.models.matrix [--kind gan|dcgan]`` takes hours of one core; the tests take a
few of them.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import keras

from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES
from keras_genzoo.models import MODELS
from keras_genzoo.networks import AUGMENTATIONS, NORMALIZATIONS
from tests.models.test_combinations import (
    POLICIES,
    check_goes_on_after_loading,
    check_on_two_replicas,
    meaningful,
)
from tests.processors import two_processors


def main() -> None:
    """Train them all; say which fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="gan", choices=["gan", "dcgan"])
    parser.add_argument("--part", type=int, default=0, help="which of --parts")
    parser.add_argument("--parts", type=int, default=1)
    options = parser.parse_args()
    two_processors()
    axes = ADVERSARIAL_LOSSES, [None, *PENALTIES], [None, *AUGMENTATIONS], NORMALIZATIONS
    cases = [
        (*parts, policy)
        for parts in itertools.product(*axes)
        if meaningful(parts[0], parts[1], parts[3], parts[2])
        for policy in POLICIES
    ][options.part :: options.parts]
    start, failed = time.monotonic(), 0
    for number, (*parts, policy) in enumerate(cases, start=1):
        try:
            check_on_two_replicas(*parts, policy=policy, kind=MODELS[options.kind])
            with tempfile.TemporaryDirectory() as folder:
                check_goes_on_after_loading(
                    *parts, policy=policy, folder=Path(folder), kind=MODELS[options.kind]
                )
        except Exception as error:  # Whatever goes wrong belongs into the list.
            failed += 1
            print(f"FAILED {parts} {policy}: {type(error).__name__}: {error}", flush=True)
        keras.backend.clear_session()
        if number % 20 == 0 or number == len(cases):
            seconds = time.monotonic() - start
            print(f"{number} of {len(cases)}, {failed} failed, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
