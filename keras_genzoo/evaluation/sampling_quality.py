"""How the quality of images depends on the number of network calls, of a model with a solver."""

import os
from collections.abc import Sequence
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.evaluated_run import EvaluatedRun
from keras_genzoo.evaluation.inputs import Echo
from keras_genzoo.evaluation.options import Options
from keras_genzoo.evaluation.score import SCORES
from keras_genzoo.models import SOLVERS
from keras_genzoo.models.capabilities import capable_models


def quality_by_calls(
    path: str | os.PathLike,
    steps: Sequence[int],
    solvers: Sequence[str] | None = None,
    options: Options | None = None,
    echo: Echo = lambda line: None,
) -> dict[str, Any]:
    """Measure the FID of a run's images for several solvers and numbers of steps.

    All are made of the same noise.

    Args:
        path: the run folder.
        steps: numbers of solver steps.
        solvers: names in ``SOLVERS``; by default all of them.
        options: count of images, feature network, split, guidance and seed.
        echo: called with a line for each number.

    Returns:
        ``{"protocol": ..., "points": [{"solver", "solver_steps", "network_calls", "fid"}, ...]}``.

    Raises:
        GenzooError: if the model has no solver, a name is unknown, steps are less than 1 or not
            given, or the images cannot be measured.
    """
    if not steps:
        raise GenzooError("name the numbers of solver steps to measure, such as 1,2,5,10,20")
    solvers = [SOLVERS.check(name) for name in solvers or SOLVERS]
    evaluated = EvaluatedRun.open(path, options or Options(scores=["fid"]), echo)
    model = evaluated.model
    if not model.has_solver:
        raise GenzooError(
            f"a {evaluated.run.settings.model} makes its images in one pass; the number of network "
            f"calls can be chosen of {capable_models('has_solver')}"
        )
    for number in steps:
        model.set_sampling(solver_steps=number)
    points, protocol = [], dict(evaluated.protocol)
    protocol.pop("sampling")
    for solver in solvers:
        for number in steps:
            model.set_sampling(solver=solver, solver_steps=number)
            inputs, words = evaluated.score_inputs(["fid"])
            point = model.sampling() | SCORES["fid"].measure(inputs)
            points.append(point)
            protocol |= words
            echo(f"{model.sampling_in_words()}: FID {point['fid']:.4g}")
    network = evaluated.network
    protocol["features"] = {"name": network.name, "checksum": network.checksum}
    return {"protocol": protocol, "points": points}
