"""Figures of a run: samples, latent maps, training curves, animations, the report, theory."""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "animation": ["training_animation"],
        "comparison": ["write_comparison"],
        "curves": ["training_curves"],
        "figures": ["draw_figures", "draw_latent_map"],
        "latent": ["Codes", "latent_manifold", "latent_map"],
        "report": ["write_report"],
        "stability": ["draw_stability"],
        "study": ["DISTANCES", "Study", "study"],
        "theory": ["draw_theory"],
        "umap_study": ["draw_umap"],
    },
)
