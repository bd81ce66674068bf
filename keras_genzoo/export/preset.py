"""A run as a preset: a folder to give away, which this package and plain Keras open."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data import DATASETS
from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import make_card, signature_table
from keras_genzoo.export.inputs import draw_inputs, run_network
from keras_genzoo.export.networks import check_name, float32_networks
from keras_genzoo.export.origin import record_of
from keras_genzoo.files import new_folder, write_json, writing_folder
from keras_genzoo.models import ImageModel, from_preset
from keras_genzoo.presets import CARD, PRESET_FILES, RECORD, SCORES
from keras_genzoo.reading import read_json
from keras_genzoo.text import encodable
from keras_genzoo.training import Run
from keras_genzoo.training.variables import weights_digest

# Images of weights of 16 bits may differ from those of the full ones by so much: 40 dB is one level
# of 255 in a hundred.
LEAST_PSNR = 40.0
COMPARED = 64


def export_preset(
    model: ImageModel,
    folder: str | os.PathLike,
    name: str,
    *,
    run: Run,
    dtype: str = "float16",
    check: bool = False,
    images: np.ndarray | None = None,
    facts: dict[str, str] | None = None,
    force: bool = False,
) -> list[Path]:
    """Write ``folder/name``: the model as ``save_to_preset`` does, its record, card and scores.

    The scores are those of the run if they were measured with the very weights of the preset, that
    is on the preset itself, or of a run whose weights have 16 bits already.

    Args:
        model: the model of the run.
        folder: where the folder of the preset goes.
        name: the name of the preset.
        run: the run.
        dtype: how large weights are stored, ``float16`` or ``float32``.
        check: compare images of the preset with those of the model.
        images: real images for that comparison, uint8; of a model that encodes.
        facts: what is known of the model's origin, for its card.
        force: replace the preset.

    Raises:
        GenzooError: if the folder exists, cannot be written, or the images differ.
    """
    place = Path(folder) / check_name(name)
    new_folder(place, force, *PRESET_FILES)
    with writing_folder(place, replace=force) as fresh:
        model.write_preset(fresh, dtype)
        written = from_preset(fresh)
        words = _precision(model, written, dtype, images, check)
        write_json(fresh / RECORD, record_of(run))
        scores = _scores(run, weights_digest(written))
        if scores is not None:
            write_json(fresh / SCORES, scores)
        if run.preset is not None:
            # The full weights, which a reader would take the comparison to be with, are not here.
            words = f"{dtype}, from the weights of a preset"
        facts = {**(facts or {}), "precision of the weights": words}
        if scores is None and (run.path / SCORES).is_file():
            facts["scores"] += "; measured with the weights before they were stored"
        text = _card(name, written, facts, run, images)
        (fresh / CARD).write_text(encodable(text), encoding="utf-8")
    return [place]


def _precision(
    model: ImageModel, written: ImageModel, dtype: str, images: np.ndarray | None, check: bool
) -> str:
    """Return how much the images of the stored weights differ from the model's, in words.

    Raises:
        GenzooError: if they differ by more than they may and ``check`` is asked for.
    """
    count = COMPARED if images is None else min(COMPARED, len(images))
    inputs = draw_inputs(model, count, images=images)
    before, after = (float32_networks(each) for each in (model, written))
    errors = []
    for signature, network in before.items():
        given = inputs[signature]
        one, two = (run_network(each, given) for each in (network, after[signature]))
        errors += [np.mean((one[key] - two[key]) ** 2) for key in one if one[key].ndim == 4]
    worst = float(max(errors, default=0.0))
    psnr = 10 * np.log10(1 / worst) if worst else np.inf
    if check and psnr < LEAST_PSNR:
        raise GenzooError(
            f"images of the preset differ from the model's: PSNR {psnr:.1f} dB, below "
            f"{LEAST_PSNR:g}; take --dtype float32"
        )
    alike = "equal" if psnr == np.inf else f"PSNR {psnr:.0f} dB"
    return f"{dtype} ({alike} to images of the full weights)"


def _scores(run: Run, digest: str) -> dict[str, Any] | None:
    """Return the run's scores if they were measured with the weights of this digest."""
    try:
        scores = read_json(run.path / SCORES)
        return scores if scores["protocol"]["weights_digest"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _card(
    name: str, model: ImageModel, facts: dict[str, str], run: Run, images: np.ndarray | None
) -> str:
    card = make_card(name, model, float32_networks(model), facts, images)
    listed = "\n".join(f"- **{key}**: {value}" for key, value in card.facts.items())
    return _CARD.format(
        name=name,
        model=card.model,
        subject=run.subject,
        table=signature_table(card),
        facts=listed,
        licence=_licence(run.settings.dataset),
        task="unconditional-image-generation" if not model.needs_labels else "image-generation",
    )


def _licence(dataset: str) -> str:
    terms = DATASETS[dataset].terms if dataset in DATASETS else ""
    known = {"MIT": "mit", "CC BY 4.0": "cc-by-4.0", "CC BY-SA 4.0": "cc-by-sa-4.0"}
    return next((tag for text, tag in known.items() if terms.startswith(text)), "other")


_CARD = """---
library_name: keras
license: {licence}
tags:
- keras
- keras_genzoo
- {task}
---

# {name}

{subject}: the class `{model}` of keras_genzoo.

```sh
genzoo sample {name}  # or the path of this folder
```

```python
from keras_genzoo.models import from_preset

model = from_preset("{name}")  # or the path of this folder
images = model.generate(16, seed=0)  # uint8
```

`keras.saving.load_model` opens the folder, too, once `keras_genzoo.models` is imported.

## Inputs and outputs

Of the exported model; images of `generate` are uint8.

{table}

## Where it comes from

{facts}
"""
