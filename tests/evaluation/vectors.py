"""What independent implementations say of the same clouds of features and the same images.

    pip install torch torch-fidelity==0.4.0 prdc==0.2 scikit-image
    python tests/evaluation/vectors.py

writes ``vectors.json`` beside this file; the tests compare with what is written there.
"""

import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("vectors.json")


def clouds(n: int, d: int, fewer: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two overlapping clouds of features, float64; the second of ``n - fewer`` rows."""
    rng = np.random.RandomState(7)
    mixing = rng.standard_normal((d, d)) / np.sqrt(d)
    real = rng.standard_normal((n, d)) @ mixing + 1
    fake = 0.8 * rng.standard_normal((n - fewer, d)) @ mixing + 1.2
    return real, fake


def logits(n: int, classes: int) -> np.ndarray:
    """Return logits of images that are mostly, not always, of one class."""
    rng = np.random.RandomState(8)
    return 3 * rng.standard_normal((n, classes))


def pictures(n: int, size: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return smooth uint8 images, and the same with noise."""
    rng = np.random.RandomState(9)
    grid = np.linspace(0, 3, size)
    phase = rng.uniform(0, 3, (n, 1, 1, channels))
    waves = np.sin(grid[:, None, None] + phase) * np.cos(2 * grid[None, :, None] - phase)
    images = np.uint8(np.rint(127.5 + 100 * waves))
    noise = rng.normal(0, 12, images.shape)
    return images, np.uint8(np.clip(np.rint(images + noise), 0, 255))


# (n, d, by how many the generated are fewer); the last has covariances that are not of full rank.
CLOUDS = [(600, 16, 0), (500, 64, 150), (40, 64, 0)]
LOGITS = [(1000, 10), (503, 37)]
PICTURES = [(4, 28, 1), (3, 64, 3), (2, 11, 1)]


def main() -> None:
    import prdc
    import torch
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    vectors = {"clouds": [], "inception_score": [], "pictures": []}
    for case in CLOUDS:
        real, fake = clouds(*case)
        tensors = torch.from_numpy(fake), torch.from_numpy(real)
        statistics = [fid_features_to_statistics(tensor) for tensor in tensors]
        fid = fid_statistics_to_metric(*statistics, verbose=False)
        size = min(100, len(fake) // 2)
        kid = kid_features_to_metric(
            tensors[1],
            tensors[0],
            kid_subsets=20,
            kid_subset_size=size,
            kid_kernel="poly",
            rng_seed=2020,
            verbose=False,
        )
        precision, recall = calculate_precision_recall_full(*tensors, neighborhood=3)
        of_prdc = prdc.compute_prdc(real, fake, nearest_k=5)
        vectors["clouds"].append(
            {
                "fid": fid["frechet_inception_distance"],
                "kid_subset_size": size,
                "kid_mean": kid["kernel_inception_distance_mean"],
                "kid_std": kid["kernel_inception_distance_std"],
                "precision": precision,
                "recall": recall,
                "prdc": {name: float(value) for name, value in of_prdc.items()},
            }
        )
    for case in LOGITS:
        score = isc_features_to_metric(torch.from_numpy(logits(*case)), splits=10)
        vectors["inception_score"].append(
            [score["inception_score_mean"], score["inception_score_std"]]
        )
    for case in PICTURES:
        pairs = list(zip(*pictures(*case), strict=True))
        settings = {
            "gaussian_weights": True,
            "sigma": 1.5,
            "use_sample_covariance": False,
            "data_range": 255,
            "channel_axis": -1,
        }
        vectors["pictures"].append(
            {
                "ssim": [float(structural_similarity(a, b, **settings)) for a, b in pairs],
                "psnr": [float(peak_signal_noise_ratio(a, b)) for a, b in pairs],
            }
        )
    FILE.write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
