"""Runs of a model that trains in stages: both, one alone, and exact resumption in either."""

import shutil

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Settings, fit, load_model, resume
from keras_genzoo.training.checkpoints import read_checkpoint
from keras_genzoo.training.declared import settings_of
from keras_genzoo.training.run import Run, checkpoint_step, list_checkpoints

SMALL = {
    "image_size": 8,
    "batch_size": 16,
    "num_codes": 8,
    "filters": 4,
    "residual_blocks": 1,
    "prior_width": 8,
    "prior_blocks": 1,
    "prior_heads": 2,
    "checkpoint_every": 4,
    "keep_checkpoints": 9,
    "schedule": "cosine",
}


def settings(**values):
    return Settings("vqvae", "digits", **({"steps": 6, "prior_steps": 6} | SMALL | values))


def state_of(run):
    return read_checkpoint(list_checkpoints(run.checkpoints)[-1])


def assert_same_end(run, other):
    (step, state), (other_step, other_state) = state_of(run), state_of(other)
    assert step == other_step
    assert state.keys() == other_state.keys()
    for path, array in state.items():
        np.testing.assert_array_equal(array, other_state[path], err_msg=path)
    assert run.read_history() == other.read_history()


class Stop(keras.callbacks.Callback):
    """Stops as a killed process would, in the middle of an interval."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    lines = []
    out = tmp_path_factory.mktemp("runs") / "whole"
    outcome = fit(settings(), out, echo=lines.append)
    assert outcome.finished
    return outcome.run, lines


def test_the_settings_say_how_long_each_stage_is():
    known = settings_of("vqvae")
    assert known["prior_steps"].role == "pace"
    assert "prior_steps" not in settings_of("vae")
    both = settings(prior_schedule_steps=9)
    assert [tuple(stage) for stage in both.stages] == [("autoencoder", 0, 6), ("prior", 6, 12)]
    assert (both.total_steps, both.schedule_steps) == (12, 6)
    assert both.schedule_length("optimizer") == 6
    assert both.schedule_length("prior_optimizer") == 9
    # A run that is made longer keeps its schedule.
    assert settings().replace(prior_steps=20).schedule_length("prior_optimizer") == 6


@pytest.mark.slow
def test_one_run_trains_both_stages(whole):
    run, lines = whole
    rows = run.read_history()
    assert [row["step"] for row in rows] == [4, 6, 8, 12]
    assert [("codes_in_use" in row, "code_bits" in row) for row in rows] == [
        *[(True, False)] * 2,
        *[(False, True)] * 2,
    ]
    assert [("val_loss" in row, "val_prior_loss" in row) for row in rows] == [
        *[(True, False)] * 2,
        *[(False, True)] * 2,
    ]
    assert "learning_rate" in rows[0]
    assert "prior_learning_rate" in rows[-1]
    assert [checkpoint_step(path) for path in list_checkpoints(run.checkpoints)] == [4, 6, 8, 12]
    stages = [line for line in lines if line.startswith("stage ")]
    assert stages == ["stage autoencoder: to step 6", "stage prior: to step 12"]
    assert load_model(run).generate(2, seed=0).shape == (2, 8, 8, 1)
    assert run.sample_grids()[-1].name == "step-00000012.png"


@pytest.mark.slow
@pytest.mark.parametrize("killed_at", [3, 7, 10])
def test_a_run_killed_in_either_stage_ends_the_same(whole, tmp_path, killed_at):
    with pytest.raises(KeyboardInterrupt):
        fit(settings(), tmp_path / "run", callbacks=[Stop(killed_at)])
    outcome = resume(tmp_path / "run")
    assert outcome.finished
    assert_same_end(outcome.run, whole[0])


@pytest.mark.slow
def test_a_stage_alone_and_then_the_next_end_the_same(whole, tmp_path):
    outcome = fit(settings(), tmp_path / "run", stage="autoencoder")
    assert (outcome.finished, outcome.step, outcome.signal) == (False, 6, None)
    with pytest.raises(GenzooError, match="the stage 'prior' has not been trained"):
        load_model(outcome.run).generate(2)
    assert_same_end(resume(tmp_path / "run", stage="prior").run, whole[0])


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["autoencoder", "prior"])
def test_a_repeated_stage_is_what_it_was(whole, tmp_path, stage):
    shutil.copytree(whole[0].path, tmp_path / "run")
    outcome = resume(tmp_path / "run", stage=stage)
    assert outcome.step == {"autoencoder": 6, "prior": 12}[stage]
    assert outcome.run.model_file.exists() == (stage == "prior")
    if stage == "autoencoder":
        outcome = resume(tmp_path / "run")
    assert_same_end(outcome.run, whole[0])


@pytest.mark.slow
def test_a_repeated_stage_that_is_killed_at_once_goes_on_from_its_first_step(whole, tmp_path):
    shutil.copytree(whole[0].path, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        resume(tmp_path / "run", {"keep_checkpoints": 2}, stage="prior", callbacks=[Stop(1)])
    run = Run.open(tmp_path / "run")
    assert [checkpoint_step(path) for path in list_checkpoints(run.checkpoints)] == [6]
    assert not run.model_file.exists()
    assert_same_end(resume(run.path).run, whole[0])


@pytest.mark.slow
def test_a_repeated_stage_may_be_trained_otherwise(whole, tmp_path):
    shutil.copytree(whole[0].path, tmp_path / "run")
    outcome = resume(
        tmp_path / "run", {"prior_learning_rate": 0.5, "prior_steps": 2}, stage="prior"
    )
    assert outcome.finished
    (_, ours), (_, before) = state_of(outcome.run), state_of(whole[0])
    same = {path for path in ours if (ours[path] == before[path]).all()}
    assert {
        "encoder/conv2d/kernel",
        "codebook/codebook/vectors",
        "optimizer/adam/iteration",
    } <= same
    assert "prior/logits/kernel" not in same
    assert outcome.run.read_history()[-1]["step"] == 8
    with pytest.raises(GenzooError, match="was trained with learning_rate"):
        resume(tmp_path / "run", {"learning_rate": 0.5}, stage="prior")


@pytest.mark.slow
def test_a_run_that_begins_with_the_weights_of_another_has_both_stages_before_it(whole, tmp_path):
    path = whole[0].path
    outcome = fit(settings(), tmp_path / "run", start_from=path, stage="autoencoder")
    begun, before = (load_model(run) for run in (outcome.run, whole[0]))
    np.testing.assert_array_equal(begun.prior.positions, before.prior.positions)
    assert begun.why_no_samples() is not None
    # Repeated, the stage begins with those weights again.
    _, state = state_of(outcome.run)
    _, again = state_of(resume(tmp_path / "run", stage="autoencoder").run)
    for name, array in state.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)


@pytest.mark.slow
def test_what_stages_cannot_do_is_refused(whole, tmp_path):
    with pytest.raises(GenzooError, match="a new run begins with the stage 'autoencoder'"):
        fit(settings(), tmp_path / "run", stage="prior")
    with pytest.raises(GenzooError, match="vae is trained in one stage; leave --stage out"):
        fit(Settings("vae"), tmp_path / "run", stage="prior")
    with pytest.raises(GenzooError, match="unknown stage 'priors'"):
        resume(whole[0].path, stage="priors")
    with pytest.raises(GenzooError, match="has left the stage 'autoencoder' at step 6"):
        resume(whole[0].path, {"steps": 8})
    with pytest.raises(GenzooError, match="has left the stage 'autoencoder' at step 6"):
        resume(whole[0].path, {"steps": 8}, stage="prior")
    with pytest.raises(GenzooError, match="a batch of 16 images has 4 codes each"):
        fit(settings(num_codes=65), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    shutil.copytree(whole[0].path, tmp_path / "early")
    run = Run.open(tmp_path / "early")
    for path in list_checkpoints(run.checkpoints)[1:]:
        path.unlink()
    with pytest.raises(GenzooError, match="is at step 4, and the stage 'prior' begins at 6"):
        resume(run.path, stage="prior")
