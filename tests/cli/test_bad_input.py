"""A person's mistake ends in one line, exit code 2, and leaves nothing half-written."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.training import Run
from keras_genzoo.training.run import list_checkpoints, locked
from tests.cli.conftest import small


def write_images(folder, count, size=8):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 255, (size, size), "uint8")
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


# Asked for what does not exist ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("fti", "did you mean 'fit'? known: bench, compare, data, evaluate, export, figures, fit"),
        ("fit", "which model? name one of: ae, vae, iwae, cvae, hvae, gan, dcgan, cgan"),
        ("fit dgcan", "unknown model 'dgcan'; did you mean 'dcgan'?"),
        ("list recipes ae-digit", "unknown recipe 'ae-digit'; did you mean 'ae-digits'?"),
        ("list recipe", "unknown list 'recipe'; did you mean 'recipes'?"),
        ("fit ae --recipe ae-digit", "unknown recipe 'ae-digit'; did you mean 'ae-digits'?"),
        ("fit ae --recipe gan-digits", "recipe 'gan-digits' is for the model 'gan', not 'ae'"),
        ("fit ae --latent-din 3", "--latent-dim"),  # Click's hint, quoted since its 8.4.
        ("fit ae --steps many", "'many' is not a valid integer"),
        ("fit ae --steps 0", "steps must be at least 1, not 0"),
        ("fit ae --epochs 0", "0 is not in the range x>=1"),
        ("fit ae --steps 5 --epochs 5", "--steps and --epochs exclude each other"),
        ("fit ae --seed -1", "seed must be from 0 to 4294967295, not -1"),
        ("fit ae --hidden-units 16,x", "'16,x' is not a list of integers such as 512,256"),
        ("fit ae --hidden-units 16,0", "hidden_units must be at least 1, not 0"),
        ("fit ae --latent-dim 0", "latent_dim must be at least 1, not 0"),
        ("fit ae --learning-rate nan", "learning_rate must be positive, not nan"),
        ("fit ae --learning-rate -1", "learning_rate must be positive, not -1"),
        ("fit ae --beta-1 1", "beta_1 must be at least 0 and below 1, not 1.0"),
        ("fit gan --ema-decay 1", "ema_decay must be at least 0 and below 1, not 1.0"),
        ("fit ae --beta 2", "ae has no setting 'beta'; it belongs to vae"),
        ("fit vae --binarize static", "unknown binarize 'static'; known: dynamic"),
        ("fit ae --loss bernouli", "unknown loss 'bernouli'; did you mean 'bernoulli'?"),
        ("fit ae --loss hinge", "unknown reconstruction loss 'hinge'; known: bernoulli"),
        ("fit ae --strategy miror", "unknown strategy 'miror'; did you mean 'mirrored'?"),
        ("fit ae --devices GPU:7", "unknown device 'GPU:7'; did you mean 'CPU:1'? known: CPU:0"),
        ("fit ae --devices CPU:1,CPU:1", "the device CPU:1 is given twice; give each once"),
        (
            "fit ae --devices CPU:0 --strategy one",
            "devices are chosen for the strategy mirrored, not for one; leave out --devices",
        ),
        ("fit ae --seeds 0,1 --mixed-precision auto", "auto might choose one type for one seed"),
        (
            "fit ae --mixed-precision float64",
            "unknown mixed_precision 'float64'; did you mean 'float",
        ),
        (
            "fit ae --steps-per-execution 30 --checkpoint-every 100",
            "steps_per_execution must divide checkpoint_every, which is 100, and 30 does not",
        ),
        ("fit ae --steps-per-execution 0", "steps_per_execution must be at least 1, not 0"),
        ("fit ae --split tests", "has no split 'tests'"),
        ("fit ae --dataset ./faces", "there is no folder or file faces"),
        ("fit ae --channels 2", "2"),
        ("fit dcgan --image-size 6", "cannot make 6x6 images: take a size of 8 or more"),
        ("fit ae --batch-size 1501", "a batch of 1501 is larger than digits"),
        ("fit ae --epochs 1 --batch-size 1501", "a batch of 1501 is larger than digits"),
        ("fit --config nowhere.json", "cannot read nowhere.json (No such file or directory)"),
        ("fit ae --config nowhere.json", "MODEL has no place beside --config"),
        ("fit ae --resume nowhere", "MODEL has no place beside --resume"),
        ("fit --resume nowhere", "nowhere is not a run: cannot read nowhere"),
        ("fit --resume nowhere --force", "--force has no place beside --resume"),
        ("sample nowhere", "nowhere is not a run"),
        ("sample", "Missing argument 'RUN'"),
        ("show nowhere", "nowhere is not a run"),
        ("interpolate nowhere --method cubic", "unknown method 'cubic'; known: linear, spherical"),
    ],
)
def test_what_cannot_be_had(refused, tmp_path, arguments, words):
    assert words in refused(arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", ["show", "data check", "fit ae --dataset"])
def test_names_longer_than_the_system_takes(refused, arguments):
    assert "File name too long" in refused(arguments, "x" * 300)


def test_unknown_data_set(refused, tmp_path):
    line = refused("fit ae --dataset mnits", "--data-dir", tmp_path / "data")
    assert "mnits" in line
    assert "did you mean 'mnist'" in line
    assert not (tmp_path / "runs").exists()


# Data ----------------------------------------------------------------------------------------


def test_empty_folder(refused, tmp_path):
    (tmp_path / "faces").mkdir()
    assert "faces" in refused("fit ae --dataset faces")
    assert not (tmp_path / "runs").exists()


def test_folder_without_a_readable_image(refused, tmp_path):
    (tmp_path / "faces").mkdir()
    for index in range(40):
        (tmp_path / "faces" / f"{index}.png").write_bytes(b"no image")
    assert "faces" in refused("fit ae --dataset faces --image-size 8 --batch-size 4")
    assert not (tmp_path / "runs").exists()


def as_nobody(folder, imports, code):
    """Run code in ``folder`` as a user who owns nothing; return what it prints."""
    if os.geteuid() != 0:
        pytest.skip("only root can become someone else")
    folder.chmod(0o755)
    become = "import os; os.setgid(65534); os.setuid(65534)"
    guarded = f"try: {code}\nexcept ValueError as error: print(error)"
    ended = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{become}\n{guarded}"],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_folder_that_may_not_be_read(tmp_path):
    write_images(tmp_path / "faces", 4).chmod(0)
    # Imported before: nobody may not read the libraries either.
    imports = "from keras_genzoo.data import arrays, folder, open_source, prepared, stacked"
    printed = as_nobody(tmp_path, imports, "open_source('faces')")
    assert "faces" in printed
    assert "Permission denied" in printed


def test_broken_images_are_skipped_and_named_or_refused(genzoo, refused, tmp_path):
    faces = write_images(tmp_path / "faces", 40)
    good = (faces / "7.png").read_bytes()
    (faces / "7.png").write_bytes(good[: len(good) // 2])
    arguments = small("ae", "--dataset faces")
    ended = genzoo(arguments)
    assert ended.code == 0, ended.errors
    assert f"skipped: {faces / '7.png'} (" in ended.output
    assert "7.png" in refused(f"{arguments} --strict")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["ae-faces-1"]


def test_labels_of_a_flat_folder(refused, tmp_path):
    write_images(tmp_path / "faces", 20, 16)
    line = refused(small("cgan", "--dataset faces"))
    assert "needs class labels" in line
    assert not (tmp_path / "runs").exists()


def test_batch_that_does_not_divide_by_the_replicas(refused, tmp_path):
    line = refused(f"{small('ae')} --batch-size 15 --strategy mirrored")
    assert (
        "take a multiple of 2, such as --batch-size 16, fewer --devices, or --strategy one" in line
    )
    assert not list(tmp_path.iterdir())


def test_workers_without_their_addresses(refused, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    line = refused(f"{small('ae')} --strategy multi_worker")
    assert "--strategy multi_worker needs the variable TF_CONFIG" in line
    assert not list(tmp_path.iterdir())


def test_xla_on_several_replicas(refused, tmp_path):
    line = refused(f"{small('ae')} --strategy mirrored --jit-compile")
    assert "XLA compiles the step of one device, not of 2" in line
    assert not list(tmp_path.iterdir())


def test_missing_files_of_celeb_a(refused, tmp_path):
    (tmp_path / "byhand").mkdir()
    line = refused("fit dcgan --dataset celeb_a --manual-dir byhand --data-dir data")
    assert "img_align_celeba.zip" in line
    assert not (tmp_path / "runs").exists()


def test_another_backend(genzoo, refused, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "it is set to 'jax'; set KERAS_BACKEND=tensorflow" in refused(small("ae"))
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "keras.json").write_text(json.dumps({"backend": "torch"}))
    assert "it is set to 'torch'" in refused(small("ae"))
    assert genzoo("fit --help").code == 0
    assert not (tmp_path / "runs").exists()


def test_tensorboard_that_is_not_installed(refused, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    line = refused(f"{small('ae')} --tensorboard")
    assert "pip install 'keras_genzoo[tensorboard]'" in line
    assert not (tmp_path / "runs").exists()


# Places --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_is_replaced_only_with_force(genzoo, refused, copy, tmp_path):
    run = copy("gan")
    before = (run / "config.json").read_text()
    assert "run exists; choose another --out, or --force" in refused(f"{small('ae')} --out run")
    # A mistake that is found later leaves the old run as it was.
    refused(f"{small('ae')} --out run --force --batch-size 1501")
    assert (run / "config.json").read_text() == before
    assert (run / "model.keras").exists()
    assert genzoo(f"{small('ae')} --out run --force").code == 0
    assert Run.open(run).settings.model == "ae"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_force_replaces_nothing_but_a_run(refused, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    (tmp_path / "notes").write_text("more")
    assert "thesis is not a run" in refused(f"{small('ae')} --out thesis --force")
    assert "notes is a file" in refused(f"{small('ae')} --out notes --force")
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"
    assert (tmp_path / "notes").read_text() == "more"


@pytest.mark.parametrize("place", ["file/run", "/proc/run"])
def test_place_that_cannot_be_written(refused, tmp_path, place):
    (tmp_path / "file").write_text("")
    assert f"cannot write {place}" in refused(f"{small('ae')} --out {place}")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_folder_that_may_not_be_written(tmp_path):
    imports = "from keras_genzoo.files import write_json"
    printed = as_nobody(tmp_path, imports, "write_json('a.json', 1)")
    assert printed == "cannot write a.json: Permission denied; choose another place\n"
    assert not list(tmp_path.iterdir())


# The sizes lie below that of config.json, of a checkpoint and of model.keras.
@pytest.mark.parametrize(
    ("size", "what", "left"),
    [
        (500, "write run:", []),
        pytest.param(5000, "step-0000000", ["run"], marks=pytest.mark.slow),
        pytest.param(120000, "model.keras", ["run"], marks=pytest.mark.slow),
    ],
)
def test_disk_that_is_full(genzoo, refused, small_disk, tmp_path, size, what, left):
    small_disk(size)
    line = refused(f"{small('ae')} --out run")
    assert "cannot write" in line
    assert what in line
    assert "File too large; free some space" in line
    assert [path.name for path in tmp_path.iterdir()] == left
    assert not list(tmp_path.rglob(".tmp-*"))
    small_disk(10**9)
    if left:
        assert genzoo("fit --resume run").code == 0
        assert (tmp_path / "run" / "model.keras").exists()


# Runs that go on -----------------------------------------------------------------------------


def test_two_processes_in_one_folder(refused, copy):
    run = copy("ae")
    with locked(run):
        assert f"another process is training in {run}" in refused("fit --resume", run)
        assert f"another process is training in {run}" in refused(
            f"{small('ae')} --force --out", run
        )
    assert (run / "model.keras").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("--latent-dim 5", "was trained with latent_dim 2, not 5"),
        ("--learning-rate 0.1", "was trained with learning_rate 0.001, not 0.1"),
        ("--dataset mnist", "was trained with dataset digits, not mnist"),
        ("--beta 2", "ae has no setting 'beta'"),
        ("--steps 5", "has done 6 steps already, more than 5"),
    ],
)
def test_resuming_with_other_settings(refused, copy, change, words):
    run = copy("ae")
    before = (run / "config.json").read_text()
    assert words in refused(f"fit {change} --resume", run)
    assert (run / "config.json").read_text() == before


def test_resuming_with_other_data(genzoo, refused, tmp_path):
    faces = write_images(tmp_path / "faces", 20)
    genzoo(small("ae", "--dataset faces --out run"))
    (faces / "3.png").write_bytes((faces / "4.png").read_bytes() + b" ")
    assert "the data of run has changed: fingerprint was" in refused("fit --resume run --steps 9")
    (faces / "3.png").unlink()
    assert "the data of run has changed: num_images was 20, now 19" in refused(
        "fit --resume run --steps 9"
    )


def damage(run, change):
    config = json.loads((run / "config.json").read_text())
    change(config)
    (run / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("command", ["show", "sample", "fit --resume", "fit --config"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda config: config.clear(), "it has no 'settings'"),
        (lambda config: config["settings"]["run"].update(colour="red"), "unknown setting 'colour'"),
        (lambda config: config["settings"]["model"].update(name="eva"), "unknown model 'eva'"),
        (
            lambda config: config["settings"]["model"].update(latent_dim="2"),
            "setting 'latent_dim' must be of type int, not '2'",
        ),
        (
            lambda config: config["settings"]["model"]["architecture"].update(hidden_units=[1.5]),
            "setting 'hidden_units' must be of type list of integers, not [1.5]",
        ),
    ],
)
def test_damaged_configuration(refused, copy, command, change, words):
    run = copy("ae")
    damage(run, change)
    assert words in refused(command, run)


@pytest.mark.parametrize("command", ["show", "sample", "fit --resume", "fit --config"])
@pytest.mark.parametrize("text", ["", "{", "[1]", "\0", "\xff"])
def test_configuration_that_is_none(refused, copy, command, text):
    run = copy("ae")
    (run / "config.json").write_bytes(text.encode("latin1"))
    assert str(run / "config.json") in refused(command, run)


def test_configuration_without_data(refused, copy):
    run = copy("ae")
    damage(run, lambda config: config.pop("data"))
    assert "is damaged: 'data' lacks" in refused("sample", run)


def test_damaged_history(refused, copy):
    run = copy("ae")
    (run / "history.csv").write_text("step,loss\n3,many\n")
    assert "history.csv is damaged" in refused("show", run)
    assert "history.csv is damaged" in refused("fit --steps 9 --resume", run)


def truncated(content):
    return content[: len(content) // 2]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


def foreign(content):
    buffer = io.BytesIO()
    np.savez(buffer, step=6, count=1, **{"00000": np.zeros(3, "float32")})
    return buffer.getvalue()


DAMAGED = [flipped, foreign, lambda content: b""]


@pytest.mark.parametrize(
    "change", [truncated, *(pytest.param(change, marks=pytest.mark.slow) for change in DAMAGED)]
)
def test_damaged_checkpoint_is_passed_over(genzoo, refused, copy, change):
    run = copy("ae")
    (run / "model.keras").unlink()
    older, newest = list_checkpoints(run / "checkpoints")
    newest.write_bytes(change(newest.read_bytes()))
    ended = genzoo("fit --resume", run)
    assert ended.code == 0, ended.errors
    assert str(newest) in ended.output
    assert "taking the one before" in ended.output
    assert f"resuming {run} at step 3" in ended.output
    for path in (older, newest):
        path.write_bytes(change(path.read_bytes()))
    (run / "model.keras").unlink()
    assert "and there is no other; start a new run" in refused("fit --resume", run)


# Pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("sample {gan} -n 0", "the number of images must be at least 1, not 0"),
        ("sample {gan} --class 1", "GAN knows no classes"),
        ("sample {gan} --out a.jpg", "a.jpg has none of the suffixes .png, .npz"),
        ("sample {gan} --out .", "has none of the suffixes"),
        ("sample {gan} --out file/a.png", "cannot write file/a.png"),
        (
            "reconstruct {gan}",
            "gan has no encoder; reconstruct takes a model with one, such as",
        ),
        ("reconstruct {ae} -n 298", "298 images were asked for, and digits, split test"),
        ("reconstruct {ae} --split tests", "has no split 'tests'"),
        ("reconstruct {ae} --out a.npz", "a.npz has none of the suffixes .png; add one"),
        (
            "interpolate {ae} --steps 1",
            "an interpolation takes at least 1 row and 2 steps, not 8 and 1",
        ),
        ("interpolate {ae} --class 1", "Autoencoder knows no classes"),
        ("sample {gan} --seed -1", "-1 is not in the range 0<=x<=4294967295"),
    ],
)
def test_pictures_that_cannot_be_had(refused, trained, tmp_path, arguments, words):
    (tmp_path / "file").write_text("")
    assert words in refused(arguments.format(gan=trained("gan"), ae=trained("ae")))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_class_that_the_data_lack(refused, trained):
    line = refused("sample --class 10", trained("cgan"))
    assert "unknown class '10'; did you mean '1'? known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in line


def test_no_picture_is_replaced_without_force(genzoo, refused, copy):
    run = copy("gan")
    assert genzoo("sample", run).code == 0
    picture = run / "sample.png"
    before = picture.read_bytes()
    assert genzoo("sample --seed 1", run).code == 0
    assert (run / "sample-2.png").exists()
    assert "sample.png exists" in refused("sample --seed 1 --out", picture, run)
    assert picture.read_bytes() == before
    assert genzoo("sample --seed 1 --force --out", picture, run).code == 0
    assert picture.read_bytes() != before


def test_run_that_has_no_model_yet(refused, copy):
    run = copy("gan")
    (run / "model.keras").unlink()
    for path in list_checkpoints(run / "checkpoints"):
        path.unlink()
    assert "has no model yet; resume it: genzoo fit --resume" in refused("sample", run)


def test_damaged_model_file_is_replaced_by_the_checkpoint(genzoo, copy):
    run = copy("gan")
    genzoo("sample --out a.png", run)
    for change in (truncated, flipped):
        content = (run / "model.keras").read_bytes()
        (run / "model.keras").write_bytes(change(content))
        ended = genzoo("sample --force --out b.png", run)
        assert ended.code == 0, ended.errors
        assert "model.keras is damaged" in ended.output
        assert "taking its checkpoint of step 6" in ended.output
        assert (run.parent / "a.png").read_bytes() == (run.parent / "b.png").read_bytes()
        (run / "model.keras").write_bytes(content)
