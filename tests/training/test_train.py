"""Runs: the same twice, the same however often interrupted, stopped when nothing is left."""

import dataclasses
import datetime as dt
import json
import re
import shutil
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.data import open_source
from keras_genzoo.errors import GenzooError, TrainingStoppedError
from keras_genzoo.training import (
    Run,
    fit,
    load_model,
    make_strategy,
    precision,
    repeat,
    repeated_recipe,
    resume,
    settings_for,
)
from keras_genzoo.training.checkpoints import read_checkpoint, save_checkpoint
from keras_genzoo.training.configuration import flat
from keras_genzoo.training.run import DATA, list_checkpoints
from keras_genzoo.training.strategy import choose_jit_compile
from tests.cli.test_bad_input import write_images
from tests.training.kill import differences


@pytest.mark.slow
def test_repeating_a_configuration(small, tmp_path):
    fit(small("vae", loss="squared_error", beta=0.5), tmp_path / "a")
    for number, config in enumerate([tmp_path / "a" / "config.json", tmp_path / "a"]):
        run = fit(repeat(config), tmp_path / f"b{number}").run
        assert not differences(tmp_path / "a", run.path)
    assert repeat(tmp_path / "a", {"steps": 3}).steps == 3
    other = fit(repeat(tmp_path / "a", {"seed": 1}), tmp_path / "c").run
    assert differences(tmp_path / "a", other.path)


@pytest.mark.slow
def test_a_run_that_is_made_longer_equals_a_long_one(small, tmp_path):
    settings = small("vae", sample_every=20)
    fit(settings.replace(steps=50), tmp_path / "whole")
    # 25 lies between checkpoints, 30 on one.
    fit(settings.replace(steps=25), tmp_path / "parts")
    for steps in (30, 50):
        outcome = resume(tmp_path / "parts", {"steps": steps})
        assert outcome.step == Run.open(tmp_path / "parts").settings.steps == steps
        assert outcome.finished
    assert not differences(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("model", ["ae", pytest.param("cgan", marks=pytest.mark.slow)])
def test_several_steps_at_once_give_the_numbers_of_single_ones(small, tmp_path, model):
    settings = small(model, steps=23, sample_every=10)
    fit(settings, tmp_path / "single")
    run = fit(settings.replace(steps_per_execution=5), tmp_path / "five").run
    assert [row["step"] for row in run.read_history()] == [10, 20, 23]
    assert not differences(tmp_path / "single", run.path)
    assert load_model(run).steps_per_execution == 1


@pytest.mark.slow
def test_a_run_goes_on_with_more_or_fewer_steps_at_once(small, tmp_path):
    settings = small("vae", steps=40, sample_every=20)
    fit(settings, tmp_path / "whole")
    fit(settings.replace(steps=13, steps_per_execution=5), tmp_path / "parts")
    resume(tmp_path / "parts", {"steps": 34, "steps_per_execution": 10})
    resume(tmp_path / "parts", {"steps": 40, "steps_per_execution": 1})
    assert not differences(tmp_path / "whole", tmp_path / "parts")


def test_every_step_is_counted_once_when_several_are_taken_at_once(small, tmp_path):
    said = []
    settings = small("ae", steps=30, steps_per_execution=10, checkpoint_every=20)
    fit(settings, tmp_path / "run", tensorboard=True, echo=said.append)
    assert [line.split()[1] for line in said if line.startswith("step")] == ["20/30", "30/30"]
    (file,) = (tmp_path / "run" / "logs").iterdir()
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(file))]
    events = map(tf.compat.v1.Event.FromString, records)
    assert {event.step for event in events if event.summary.value} == {20, 30}


@pytest.mark.slow
def test_replicas_are_those_of_the_devices_given(small, tmp_path):
    strategy = make_strategy("auto", devices=("CPU:1",))
    (device,) = strategy.extended.worker_devices
    assert device.endswith("/device:CPU:1")
    settings = small("ae", devices=("CPU:0", "CPU:1"))
    with pytest.raises(GenzooError, match="a batch of 15 images does not divide by 2 replicas"):
        fit(settings.replace(batch_size=15))
    run = fit(settings, tmp_path / "two").run
    assert run.settings.devices == ("CPU:0", "CPU:1")
    assert resume(run.path, {"steps": 25, "strategy": "auto"}).run.settings.devices
    # Another strategy is not for them.
    assert resume(run.path, {"steps": 30, "strategy": "one"}).run.settings.devices is None


@pytest.mark.slow
def test_two_replicas_take_several_steps_at_once(small, tmp_path):
    settings = small("gan", strategy="mirrored")
    fit(settings, tmp_path / "single")
    fit(settings.replace(steps_per_execution=10), tmp_path / "ten")
    assert not differences(tmp_path / "single", tmp_path / "ten")


@pytest.mark.slow
@pytest.mark.parametrize("model", ["vae", "gan"])
def test_xla_gives_the_same_numbers_up_to_rounding_and_goes_on_the_same(small, tmp_path, model):
    settings = small(model, steps=20, jit_compile=False)
    plain = fit(settings, tmp_path / "plain").run
    settings = settings.replace(jit_compile=True)
    whole = fit(settings, tmp_path / "whole").run
    for row, same in zip(plain.read_history(), whole.read_history(), strict=True):
        assert row == pytest.approx(same, rel=1e-4)
    if model == "gan":
        return
    fit(settings.replace(steps=7), tmp_path / "parts")
    with pytest.raises(GenzooError, match="was trained with jit_compile True, not False"):
        resume(tmp_path / "parts", {"steps": 20, "jit_compile": False})
    resume(tmp_path / "parts", {"steps": 20})
    assert not differences(whole.path, tmp_path / "parts")
    assert not load_model(whole).jit_compile
    said = []
    resume(tmp_path / "parts", {"steps": 30, "strategy": "mirrored"}, echo=said.append)
    assert "several devices train without XLA: numbers may differ slightly" in said
    assert Run.open(tmp_path / "parts").jit_compile


def test_a_run_keeps_its_choice_of_xla(finished, tmp_path):
    run = finished("ae", tmp_path / "run")
    assert run.jit_compile is False
    # As in a run of a time before there was the choice.
    config = json.loads((run.path / "config.json").read_text())
    config["settings"] = flat(config["settings"])
    del config["resolved"], config["settings"]["mixed_precision"]
    for kind in ("bfloat16", "float32"):
        # It had another name then, too.
        config["settings"]["precision"] = kind.replace("bf", "mixed_bf")
        (run.path / "config.json").write_text(json.dumps(config))
        assert Run.open(run.path).settings.mixed_precision == kind
    assert Run.open(run.path).jit_compile is False
    assert repeat(run.path).jit_compile is False
    assert resume(run.path, {"steps": 25}).run.jit_compile is False


@pytest.mark.slow
def test_what_xla_was_resolved_to_is_not_what_was_asked_for(small, tmp_path):
    settings = small("ae", image_size=28, strategy="one")
    whole = fit(settings.replace(steps=20), tmp_path / "whole").run
    run = fit(settings.replace(steps=10), tmp_path / "run").run
    config = json.loads((run.path / "config.json").read_text())
    assert "jit_compile" not in config["settings"]["run"]
    assert config["resolved"]["jit_compile"] is True
    with pytest.raises(GenzooError, match="was trained with jit_compile True, not False"):
        resume(run.path, {"jit_compile": False})
    resumed = resume(run.path, {"steps": 20, "jit_compile": True}).run
    assert not differences(whole.path, run.path)
    assert resumed.settings.jit_compile is None
    # Repeated on other devices, which XLA does not serve.
    config["settings"]["run"]["steps"] = 1
    (tmp_path / "config.json").write_text(json.dumps(config))
    again = repeat(tmp_path / "config.json", {"strategy": "mirrored", "checkpoint_every": 1})
    assert not fit(again, tmp_path / "again").run.jit_compile
    # A run of a time when what was chosen stood among what was asked for.
    del config["resolved"]
    config["settings"] = flat(config["settings"]) | {"jit_compile": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert repeat(tmp_path / "config.json").jit_compile is None
    (run.path / "config.json").write_text(json.dumps(config))
    assert Run.open(run.path).jit_compile


@pytest.mark.parametrize(
    ("model", "size", "jit_compile", "chosen"),
    [
        ("vae", 28, None, True),
        ("gan", 28, None, True),
        ("vae", 16, None, False),
        ("vae", 16, True, True),
        ("vae", 28, False, False),
        ("dcgan", 28, None, False),
    ],
)
def test_xla_is_chosen_where_it_pays(model, size, jit_compile, chosen):
    settings, shape = settings_for(model, jit_compile=jit_compile), (size, size, 1)
    assert choose_jit_compile(settings, make_strategy("one"), shape) == chosen
    if jit_compile is None:
        assert not choose_jit_compile(settings, make_strategy("mirrored"), shape)
        settings = settings.replace(mixed_precision="bfloat16")
        assert not choose_jit_compile(settings, make_strategy("one"), shape)


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen"),
    [(10.0, 8.0, "bfloat16"), (10.0, 9.5, "float32"), (10.0, 20.0, "float32")],
)
def test_sixteen_bits_must_take_a_tenth_off_a_step(monkeypatch, float32, bfloat16, chosen):
    times = {"float32": float32, "bfloat16": bfloat16}
    monkeypatch.setattr(
        precision, "_milliseconds", lambda settings, *_: times[settings.mixed_precision]
    )
    settings = settings_for("gan", mixed_precision="auto")
    strategy = make_strategy("one")
    found, words = precision.choose_precision(settings, strategy, open_source("digits"))
    assert found == settings.replace(mixed_precision=chosen)
    assert words.startswith(f"computing in {chosen}: a step takes {times[chosen]} ms here, in ")


@pytest.mark.slow
def test_the_faster_type_is_measured_before_training_and_changes_no_number(small, tmp_path):
    said = []
    run = fit(small("cgan", mixed_precision="auto"), tmp_path / "auto", echo=said.append).run
    chosen = run.settings.mixed_precision
    (line,) = (line for line in said if line.startswith("computing in"))
    assert re.match(rf"computing in {chosen}: a step takes [\d,.]+ ms here, in \w+ [\d,.]+$", line)
    fit(small("cgan", mixed_precision=chosen), tmp_path / "given")
    assert not differences(tmp_path / "auto", tmp_path / "given")
    # The type is part of the run from then on, whatever machine goes on with it.
    with pytest.raises(GenzooError, match=f"mixed_precision {chosen}, not auto"):
        resume(run.path, {"steps": 30, "mixed_precision": "auto"})


@pytest.mark.slow
@pytest.mark.parametrize(("model", "mixed_precision"), [("cgan", "float32"), ("gan", "float16")])
def test_two_networks_and_their_loss_scales_go_on_the_same(small, tmp_path, model, mixed_precision):
    settings = small(model, mixed_precision=mixed_precision)
    fit(settings, tmp_path / "whole")
    fit(settings.replace(steps=7), tmp_path / "parts")
    resume(tmp_path / "parts", {"steps": 20})
    assert not differences(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.slow
def test_two_replicas_go_on_the_same(small, tmp_path):
    settings = small("gan", strategy="mirrored")
    fit(settings, tmp_path / "whole")
    fit(settings.replace(steps=7), tmp_path / "parts")
    resume(tmp_path / "parts", {"steps": 20})
    # Each replica adds up its own part of a mean; a checkpoint holds their sum.
    assert set(differences(tmp_path / "whole", tmp_path / "parts")) <= {"history.csv"}
    rows, whole = (Run.open(tmp_path / name).read_history() for name in ("parts", "whole"))
    for row, same in zip(rows, whole, strict=True):
        assert row == pytest.approx(same, rel=1e-6)


@pytest.mark.slow
def test_a_longer_run_has_no_model_until_it_ends(finished, tmp_path):
    run = finished("ae", tmp_path / "run")

    def echo(line):
        if line.startswith("step 30"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume(run.path, {"steps": 40}, echo=echo)
    assert not run.model_file.exists()
    said = []
    resume(run.path, echo=said.append)
    assert f"resuming {run.path} at step 30" in said
    assert Run.open(run.path).last_step() == 40
    assert load_model(run).optimizer.iterations == 40


def test_a_run_killed_before_its_model_was_saved(finished, tmp_path):
    run = finished("ae", tmp_path / "run")
    whole = shutil.copytree(run.path, tmp_path / "whole")
    run.model_file.unlink()
    (run.checkpoints / ".tmp-halfhalf.npz").touch()
    # A folder is another command's that may be at work.
    (run.path / ".tmp-figures").mkdir()
    assert load_model(run).optimizer.iterations == 20
    assert resume(run.path).finished
    (run.path / ".tmp-figures").rmdir()
    assert not differences(whole, run.path)


@pytest.mark.slow
def test_epochs(small, tmp_path):
    settings = small("ae", batch_size=500, checkpoint_every=2)
    assert fit(settings, tmp_path / "run", epochs=2).step == 6
    assert resume(tmp_path / "run", epochs=3).step == 9
    with pytest.raises(GenzooError, match="has done 9 steps already, more than 3"):
        resume(tmp_path / "run", epochs=1)


def test_checkpoints_and_pictures_come_when_asked(small, tmp_path):
    settings = small("ae", steps=95, checkpoint_every=20, sample_every=30, keep_checkpoints=2)
    run = fit(settings, tmp_path / "run").run
    assert [path.stem for path in list_checkpoints(run.checkpoints)] == [
        "step-00000080",
        "step-00000095",
    ]
    # Before the first step, at the first checkpoints, the first ones at or after 30, 60, 90, and
    # the end.
    assert [path.stem for path in run.sample_grids()] == [
        "step-00000000",
        "step-00000020",
        "step-00000040",
        "step-00000060",
        "step-00000095",
    ]
    assert [row["step"] for row in run.read_history()] == [20, 40, 60, 80, 95]


def test_history_holds_the_means_of_a_stretch(small, tmp_path):
    alone = fit(small("ae", checkpoint_every=1, steps=4), tmp_path / "alone").run
    pairs = fit(small("ae", checkpoint_every=2, steps=4), tmp_path / "pairs").run
    losses = [row["loss"] for row in alone.read_history()]
    means = [row["loss"] for row in pairs.read_history()]
    np.testing.assert_allclose(means, np.reshape(losses, (2, 2)).mean(axis=1), rtol=1e-6)


def test_tensorboard_finds_the_history(small, tmp_path):
    run = fit(small("gan"), tmp_path / "run", tensorboard=True).run
    (file,) = (run.path / "logs").iterdir()
    written = {}
    for record in tf.data.TFRecordDataset(str(file)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            written[event.step, value.tag] = tf.make_ndarray(value.tensor).item()
    rows = {
        (row["step"], name): np.float32(value)
        for row in run.read_history()
        for name, value in row.items()
        if name != "step"
    }
    assert written == rows


def test_runs_are_numbered(small, tmp_path):
    data = dict.fromkeys(DATA) | {"image_shape": [8, 8, 1], "num_images": 20, "fingerprint": "f"}

    def name(dataset="digits", recipe=None):
        run = Run.create(small("ae", dataset=dataset), data, recipe=recipe)
        assert Run.open(run.path) == run
        return str(run.path)

    assert [name(), name()] == ["runs/ae-digits-1", "runs/ae-digits-2"]
    (tmp_path / "runs" / "ae-digits-9").mkdir()
    assert name() == "runs/ae-digits-10"
    assert name("faces/my faces.npz") == "runs/ae-my_faces-1"
    assert name("faces/my.faces/") == "runs/ae-my.faces-1"
    assert name(recipe="ae-digits") == "runs/ae-digits-11"
    assert name("mnist", recipe="vae-mnist-10d") == "runs/vae-mnist-10d-1"
    # A recipe on other data than its own, and one of another version.
    assert name("faces", recipe="vae-mnist-10d") == "runs/ae-faces-1"
    assert name("faces", recipe="../elsewhere") == "runs/ae-faces-2"


def test_what_a_run_shows_of_its_settings_is_what_was_decided(small, tmp_path):
    data = dict.fromkeys(DATA) | {"image_shape": [28, 28, 1], "num_images": 20, "fingerprint": "f"}
    settings = small("vae", dataset="mnist", image_size=None)
    run = Run.create(settings, data, resolved={"jit_compile": True}, recipe="vae-mnist")
    assert run.title == "vae on mnist, latent size 2, 20 steps"
    values = run.values
    chosen = ("loss", "beta_1", "image_size", "channels", "jit_compile")
    assert [values[name] for name in chosen] == ["bernoulli", 0.9, 28, 1, True]
    assert None not in values.values()
    config = json.loads((run.path / "config.json").read_text())
    assert None not in flat(config["settings"]).values()
    assert (config["recipe"], config["begun"]) == ("vae-mnist", run.begun)
    assert repeated_recipe(run.path) == "vae-mnist"
    assert abs(dt.datetime.fromisoformat(run.begun).timestamp() - time.time()) < 60
    place = settings.replace(dataset="/data/my faces")
    assert "vae on my faces," in dataclasses.replace(run, settings=place).title
    config["recipe"] = ["vae-mnist"]
    (run.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(GenzooError, match=r"config\.json is damaged: 'recipe' is \['vae-mnist'\]"):
        Run.open(run.path)


def test_what_was_left_open_may_be_said_as_it_was_decided(small, tmp_path):
    run = fit(small("ae", image_size=None), tmp_path / "run").run
    resolved = {"jit_compile": False, "image_size": 8, "channels": 1}
    config = json.loads((run.path / "config.json").read_text())
    assert config["resolved"] == resolved
    # A run of a time when what was not asked for was written as null.
    config["settings"] = flat(config["settings"])
    for name in ("loss", "beta_1", "image_size", "channels", "jit_compile"):
        config["settings"][name] = None
    config["resolved"] = {"jit_compile": False}
    (run.path / "config.json").write_text(json.dumps(config))
    assert Run.open(run.path).settings == run.settings
    assert repeat(run.path) == run.settings
    again = resume(run.path, resolved | {"steps": 21, "loss": "bernoulli", "beta_1": 0.9}).run
    assert again.settings == run.settings.replace(steps=21)
    assert Run.open(run.path).resolved == resolved
    with pytest.raises(GenzooError, match="was trained with image_size 8, not 9"):
        resume(run.path, {"image_size": 9})
    with pytest.raises(GenzooError, match=r"was trained with beta_1 0\.9, not 0\.5"):
        resume(run.path, {"beta_1": 0.5})


def test_a_run_that_counted_classes_without_an_image_goes_on(small, tmp_path):
    labels = np.arange(20) % 3 * 50
    np.savez(tmp_path / "a.npz", images=np.zeros((20, 8, 8), "uint8"), labels=labels)
    settings = small("ae", dataset=str(tmp_path / "a.npz"), image_size=None, steps=1)
    run = fit(settings, tmp_path / "run").run
    config = json.loads((run.path / "config.json").read_text())
    assert config["data"]["class_names"] == ["0", "50", "100"]
    config["data"] |= {"num_classes": 101, "class_names": [str(n) for n in range(101)]}
    (run.path / "config.json").write_text(json.dumps(config))
    assert resume(run.path, {"steps": 2}).finished


def test_a_conditional_run_that_counted_classes_without_an_image_says_so(small, tmp_path):
    images, labels = np.zeros((20, 8, 8), "uint8"), np.arange(20) % 3 * 50
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    settings = small("cgan", dataset=str(tmp_path / "a.npz"), image_size=None)
    source = open_source(tmp_path / "a.npz")
    data = {name: getattr(source, name) for name in DATA}
    data |= {"num_classes": 101, "class_names": [str(n) for n in range(101)]}
    run = Run.create(settings, data | {"image_shape": [8, 8, 1]}, tmp_path / "run")
    with pytest.raises(GenzooError, match="an earlier version counted the classes differently"):
        resume(run.path)


def test_data_is_found_from_any_folder(small, tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", images=np.zeros((20, 8, 8), "uint8"))
    run = fit(small("ae", dataset="a.npz", image_size=None, steps=1), tmp_path / "run").run
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(run.path, {"steps": 2}).finished


# Training that cannot go on ------------------------------------------------------------------


def test_a_loss_that_is_no_number_stops_the_run(small, tmp_path):
    settings = small("ae", loss="squared_error", learning_rate=1e30)
    with pytest.raises(
        TrainingStoppedError, match=r"became (nan|inf) at step .*no good checkpoint"
    ):
        fit(settings, tmp_path / "run")
    assert not list_checkpoints(tmp_path / "run" / "checkpoints")
    assert not (tmp_path / "run" / "model.keras").exists()


def test_the_last_good_checkpoint_is_named(small, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (64, 8, 8), "uint8")
    np.savez(tmp_path / "a.npz", images=images)
    run = fit(small("ae", dataset="a.npz", image_size=None), tmp_path / "run").run
    _, state = read_checkpoint(list_checkpoints(run.checkpoints)[-1])
    # A weight so large that the next step overflows.
    state["encoder/dense/kernel"] = np.full_like(state["encoder/dense/kernel"], 3e38)
    save_checkpoint(run.checkpoints, state, 25, keep=3)
    with pytest.raises(TrainingStoppedError, match=r"good checkpoint: .*step-00000025\.npz"):
        resume(run.path, {"steps": 40})


def test_weights_that_are_no_numbers_are_not_saved(small, tmp_path):
    # The loss of a step is measured before its update, which may be the one that goes wrong.
    settings = small("ae", learning_rate=1e38, beta_1=0.0, checkpoint_every=1, steps=2)
    with pytest.raises(TrainingStoppedError):
        fit(settings, tmp_path / "run")
    for path in list_checkpoints(tmp_path / "run" / "checkpoints"):
        with np.load(path) as arrays:
            assert all(np.isfinite(arrays[name]).all() for name in arrays.files)


@pytest.mark.slow
def test_weights_that_do_not_move_stop_the_run(small, tmp_path):
    settings = small("ae", learning_rate=1e-30, checkpoint_every=50, steps=5000)
    with pytest.raises(TrainingStoppedError, match="do not change since step 50; last good"):
        fit(settings, tmp_path / "run")
    first = tmp_path / "run" / "checkpoints" / "step-00000050.npz"
    assert first in list_checkpoints(tmp_path / "run" / "checkpoints")


@pytest.mark.slow
@pytest.mark.parametrize("rate", [1e-2, 1e-5])
def test_a_converged_autoencoder_is_healthy(small, tmp_path, rate):
    # Whole epochs of few images, learnt by heart: the quietest losses that a healthy run has.
    images = np.random.default_rng(0).integers(0, 255, (32, 4, 4), "uint8")
    np.savez(tmp_path / "a.npz", images=images)
    settings = small("ae", dataset="a.npz", image_size=None, latent_dim=32, hidden_units=[64])
    settings = settings.replace(steps=2500, learning_rate=rate, batch_size=32, checkpoint_every=50)
    assert fit(settings.replace(steps_per_execution=50), tmp_path / "run").finished


@pytest.mark.slow
def test_data_that_vanish(small, tmp_path):
    faces = write_images(tmp_path / "faces", 200)
    settings = small("ae", dataset="faces", image_size=None, batch_size=4)
    run = fit(settings, tmp_path / "run").run

    def echo(line):
        for path in faces.glob("*.png") if line.startswith("resuming") else ():
            path.unlink()

    with pytest.raises(GenzooError, match=r"none of the 200 images of .* can be read"):
        resume(run.path, {"steps": 40}, echo=echo)
    assert run.last_step() == 20


@pytest.mark.slow
def test_scheduled_rates_stand_in_the_history_and_go_on_when_resumed(tmp_path):
    settings = settings_for(
        "gan", image_size=8, steps=6, batch_size=8, checkpoint_every=2, schedule="linear",
        penalty="r1", penalty_weight=0.5, discriminator_steps=2, generator_units=[4],
        discriminator_units=[4],
    )  # fmt: skip
    whole = fit(settings, tmp_path / "whole").run
    fit(settings.replace(steps=4), tmp_path / "part")
    part = resume(tmp_path / "part", {"steps": 6}).run
    rows = part.read_history()
    assert [row["generator_learning_rate"] for row in rows] == pytest.approx(
        [2e-4 * left / 6 for left in (4, 2, 0)], abs=1e-9
    )
    assert all(row["penalty"] > 0 for row in rows)
    assert rows == whole.read_history()


@pytest.mark.slow
def test_callbacks_of_ones_own_come_after_each_checkpoint(small, tmp_path):
    class Looks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(Run.open(tmp_path / "run").last_step())

    seen = []
    fit(small("ae"), tmp_path / "run", callbacks=[Looks()])
    resume(tmp_path / "run", {"steps": 35}, callbacks=[Looks()])
    assert seen == [10, 20, 30, 35]
