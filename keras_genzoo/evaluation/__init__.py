"""Numbers one can trust: features -> statistics -> score, each a pure step.

Every result says what it was measured with: the feature network and its checksum, N, resize and
split. A number without them cannot be compared with another.
"""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "callback": ["FrechetCallback"],
        "collapse": ["Modes", "covered_modes", "mode_counts"],
        "comparison": ["Comparison", "compare_runs"],
        "comparison_tables": ["comparison_numbers", "comparison_text"],
        "conditional": ["Proportion", "label_accuracy", "wilson_interval"],
        "evaluate": [
            "evaluate_images",
            "evaluate_run",
        ],
        "features": ["FEATURE_NETWORKS", "FeatureNetwork", "Features", "find_network"],
        "frechet": ["FeatureStatistics", "feature_statistics", "frechet_distance"],
        "inception_score": ["InceptionScore", "inception_score"],
        "keeping": ["update_results"],
        "kernel": ["KernelDistance", "kernel_distance"],
        "leak": ["ARTEFACTS", "Leak", "augmentation_leak"],
        "likelihood": [
            "Bounds",
            "Likelihood",
            "binarized",
            "likelihood_bounds",
            "model_likelihood",
            "vae_likelihood",
        ],
        "manifold": ["ManifoldScores", "manifold_scores"],
        "neighbours": ["nearest_rows"],
        "inputs": ["ModelInputs", "ScoreInputs"],
        "options": ["Options"],
        "parzen": ["ParzenLikelihood", "parzen_log_likelihood"],
        "reconstruction": ["ReconstructionQuality", "reconstruction_quality"],
        "display": ["quoted_score", "score_rows", "score_table"],
        "results": [
            "ReadResult",
            "RunResults",
            "protocol_rows",
            "read_result",
            "results_of",
            "table",
            "write_result",
        ],
        "samplers": ["SAMPLERS"],
        "sampling_quality": ["quality_by_calls"],
        "score": ["NEEDS", "SCORES", "Display", "Score"],
        "similarity": ["similarity_matrix", "structural_similarity"],
        "stability": ["study_stability"],
    },
)
