"""What scores cost: FID against torch-fidelity's, precision to coverage against prdc's, in one run.

    python -m benchmarks.scores --rival-python PYTHON

PYTHON has torch, torch-fidelity and prdc installed; each side runs in a process of its own, in
turn, so that its peak of memory is its own.
"""

import argparse
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N, FEATURES = 10_000, 2_048


def features() -> tuple[np.ndarray, np.ndarray]:
    """Return float32 features that are correlated, as those of a network are."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((FEATURES, FEATURES), "float32") / np.sqrt(FEATURES)
    real = rng.standard_normal((N, FEATURES), "float32") @ mixing
    fake = 0.9 * rng.standard_normal((N, FEATURES), "float32") @ mixing + 0.1
    return tuple(np.maximum(part, 0).astype("float32") for part in (real, fake))


def our_fid(real, fake):
    """Score by this package."""
    from keras_genzoo.evaluation.frechet import feature_statistics, frechet_distance

    return [frechet_distance(feature_statistics(real), feature_statistics(fake))]


def our_prdc(real, fake):
    """Score by this package."""
    from keras_genzoo.evaluation.manifold import manifold_scores

    return list(manifold_scores(real, fake, 5, 5))


def rival_fid(real, fake):
    """Score by torch-fidelity."""
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    statistics = [fid_features_to_statistics(torch.from_numpy(part)) for part in (real, fake)]
    return [fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]]


def rival_prdc(real, fake):
    """Score by prdc."""

    import prdc

    with contextlib.redirect_stdout(io.StringIO()):
        scores = prdc.compute_prdc(real, fake, nearest_k=5)
    return [float(scores[name]) for name in ("precision", "recall", "density", "coverage")]


def memory(name: str) -> float:
    """Return a line of this process' status in MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def one_side(name: str, folder: Path) -> None:
    """Print seconds, peak of memory above the features' and values, as JSON."""
    function = globals()[name]
    tiny = [part[:20, :4].copy() for part in (np.eye(20), 2 * np.eye(20))]
    function(*tiny)  # Imports and first calls are not what is measured.
    # Read, not made here: making them would leave a higher peak behind.
    real, fake = (np.load(folder / f"{kind}.npy") for kind in ("real", "fake"))
    # The system's mark of the highest is set back to where it stands now.
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    began = time.perf_counter()
    values = function(real, fake)
    spent = time.perf_counter() - began
    peak = memory("VmHWM") - before
    print(json.dumps({"seconds": spent, "mib": peak, "values": [float(v) for v in values]}))


def main() -> None:
    """Make the features once, and measure both sides of both scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-python", default=sys.executable)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--side", nargs=2, help="one side alone, in this process")
    arguments = parser.parse_args()
    if arguments.side:
        one_side(arguments.side[0], Path(arguments.side[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind, part in zip(("real", "fake"), features(), strict=True):
            np.save(Path(folder) / f"{kind}.npy", part)
        compare(arguments.rival_python, arguments.pairs, folder)


def compare(rival_python: str, pairs: int, folder: str) -> None:
    """Run both sides in turn, and print medians."""
    for score in ("fid", "prdc"):
        sides: dict[str, list] = {"our": [], "rival": []}
        for _ in range(pairs):
            for side, python in (("our", sys.executable), ("rival", rival_python)):
                command = [python, __file__, "--side", f"{side}_{score}", folder]
                output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                sides[side].append(json.loads(output.splitlines()[-1]))
        medians = {
            side: [statistics.median(run[key] for run in runs) for key in ("seconds", "mib")]
            for side, runs in sides.items()
        }
        (ours, our_mib), (rivals, rival_mib) = medians["our"], medians["rival"]
        print(
            f"{score}, {N} x {FEATURES}: ours {ours:.1f} s and {our_mib:.0f} MiB, rival "
            f"{rivals:.1f} s and {rival_mib:.0f} MiB above the features: "
            f"{rivals / ours:.2f} times as fast; "
            f"values {sides['our'][0]['values']} and {sides['rival'][0]['values']}"
        )


if __name__ == "__main__":
    main()
