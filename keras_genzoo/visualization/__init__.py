"""Pictures: figures of a run, latent maps, training curves, films."""

import lazy_loader

from keras_genzoo import backend

backend.require_tensorflow()

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "curves": ["training_curves"],
        "figures": ["draw_figures", "draw_latent_map"],
        "film": ["training_film"],
        "latent": ["latent_manifold", "latent_map"],
        "report": ["write_report"],
        "study": ["DISTANCES", "Study", "study"],
        "theory": ["draw_theory"],
        "umap_study": ["draw_umap"],
    },
)
