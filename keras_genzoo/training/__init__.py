"""Around ``model.fit``: settings and recipes, the run folder, checkpoints, callbacks, devices.

The algorithms themselves are in ``models``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "build": ["build_model", "load_model"],
        "recipes": ["RECIPES", "find_recipe", "recipe_in_words", "settings_for"],
        "run": ["Run"],
        "seeds": ["fit_seeds"],
        "settings": ["Settings"],
        "starting": ["settings_to_begin"],
        "strategy": ["make_strategy"],
        "train": ["Outcome", "fit", "repeat", "repeated_recipe", "resume"],
        "interpolating": ["interpolate"],
        "use": ["reconstruct", "sample"],
    },
)
