"""Callbacks of Keras in a run: what they see, and how they stop it."""

import keras
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, resume
from keras_genzoo.training.run import list_checkpoints
from tests.training.kill import differences


class Seen(keras.callbacks.Callback):
    """Notes what it is called with; stops training at a step."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.stop_at, self.calls, self.epochs, self.steps = stop_at, [], {}, []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_train_end(self, logs=None):
        self.calls.append("end")

    def on_epoch_end(self, epoch, logs=None):
        self.epochs[epoch] = dict(logs)

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(dict(logs))
        if len(self.steps) == self.stop_at:
            self.model.stop_training = True


def test_logs_are_what_the_history_has_and_training_begins_and_ends_once(small, tmp_path):
    seen = Seen()
    # 35 steps are two calls of Keras.
    settings = small("vae", steps=35, schedule="linear")
    rows = fit(settings, tmp_path / "run", callbacks=[seen]).run.read_history()
    assert seen.calls == ["begin", "end"]
    assert [{"step": row["step"]} | seen.epochs[i] for i, row in enumerate(rows)] == rows
    assert {"loss", "val_loss", "learning_rate"} <= set(rows[0])
    assert len(seen.steps) == 35
    assert seen.steps[-1]["loss"] == rows[-1]["loss"]


@pytest.mark.slow
def test_a_callback_stops_a_run_which_is_saved_and_can_go_on(small, tmp_path):
    settings, lines = small("ae", steps=40), []
    fit(settings, tmp_path / "whole")
    outcome = fit(settings, tmp_path / "run", callbacks=[Seen(stop_at=13)], echo=lines.append)
    run = outcome.run
    assert (outcome.step, outcome.stopped, outcome.finished) == (13, True, False)
    assert (run.last_step(), run.model_file.exists()) == (13, False)
    assert lines[-1] == (
        f"stopped by a callback and saved at step 13 of 40; go on with: genzoo fit --resume "
        f"{run.path}"
    )
    seen = Seen()
    outcome = resume(run.path, callbacks=[seen])
    assert (outcome.step, outcome.stopped, seen.calls) == (40, False, ["begin", "end"])
    assert len(seen.steps) == 27
    assert not differences(tmp_path / "whole", run.path)


def test_early_stopping_ends_between_two_checkpoints_and_a_stop_at_the_end_is_none(small, tmp_path):
    stopping = keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)
    outcome = fit(small("ae", steps=60), tmp_path / "run", callbacks=[stopping])
    assert (outcome.step, outcome.stopped) == (20, True)
    assert [row["step"] for row in outcome.run.read_history()] == [10, 20]
    outcome = resume(tmp_path / "run", {"steps": 30}, callbacks=[Seen(stop_at=10)])
    assert (outcome.finished, outcome.stopped) == (True, False)
    assert outcome.run.model_file.exists()


def test_the_best_weights_are_those_of_the_finished_model_alone(small, tmp_path):
    # Of a loss that only falls, "max" takes the weights of the first checkpoint for the best.
    best = {"mode": "max", "patience": 9, "restore_best_weights": True}
    stopping = keras.callbacks.EarlyStopping("loss", **best)
    outcome = fit(small("ae", steps=25), tmp_path / "run", callbacks=[stopping])
    assert int(keras.saving.load_model(outcome.run.model_file).step) == 10
    assert list_checkpoints(outcome.run.checkpoints)[-1].name == "step-00000025.npz"


def test_tensorboard_of_keras_counts_on_over_the_parts_of_a_run(small, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = keras.callbacks.TensorBoard(tmp_path / "logs", write_graph=False, update_freq=1)
    rows = fit(small("ae", steps=25), tmp_path / "run", callbacks=[board]).run.read_history()
    events = EventAccumulator(str(tmp_path / "logs" / "train"), {"tensors": 0})
    events.Reload()
    import tensorflow as tf

    def values(tag):
        return [(e.step, float(tf.make_ndarray(e.tensor_proto))) for e in events.Tensors(tag)]

    assert values("epoch_loss") == [(i, pytest.approx(r["loss"])) for i, r in enumerate(rows)]
    assert [step for step, _ in values("batch_loss")] == list(range(1, 26))


def test_mlflow_keeps_a_run_in_its_local_files(small, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    callback = pytest.importorskip("mlflow.keras").MlflowCallback()
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    settings = small("vae")
    with mlflow.start_run() as tracked:
        mlflow.log_params(settings.to_dict())
        run = fit(settings, tmp_path / "run", callbacks=[callback]).run
    mlflow.flush_async_logging()
    client = mlflow.MlflowClient()
    kept = client.get_metric_history(tracked.info.run_id, "val_loss")
    assert [one.value for one in kept] == [row["val_loss"] for row in run.read_history()]
    assert client.get_run(tracked.info.run_id).data.params["latent_dim"] == "2"


def test_what_is_no_callback_is_refused_before_anything_is_written(small, tmp_path):
    with pytest.raises(GenzooError, match=r"callbacks is a list of callbacks of Keras .* is none"):
        fit(small("ae"), tmp_path / "run", callbacks=[print])
    assert not (tmp_path / "run").exists()


def test_a_callback_that_fails_leaves_the_last_checkpoint(small, tmp_path):
    def fail(epoch, logs):
        if epoch == 1:
            raise RuntimeError("no network")

    failing = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    settings = small("ae", steps=30)
    with pytest.raises(RuntimeError, match="no network"):
        fit(settings, tmp_path / "run", callbacks=[failing])
    assert Run.open(tmp_path / "run").last_step() == 20
