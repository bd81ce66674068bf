"""``genzoo bench``: what it refuses in one line, before anything is written."""

import shlex

import pytest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "which recipes? name some of: ae-mnist"),
        ("gan-digit", "unknown recipe 'gan-digit'; did you mean 'gan-digits'?"),
        ("gan-digits gan-digits", "the recipe 'gan-digits' is given twice"),
        ("gan-digits --seeds 0,0", "the seed 0 is given twice"),
        ("gan-digits --seeds 0,x", "'0,x' is not a list of integers"),
        ("gan-digits --set loss", "write a setting as name=value, such as loss=hinge, not 'loss'"),
        ("gan-digits --set los=hinge", "unknown setting 'los'; did you mean 'loss'?"),
        ("gan-digits --set steps=9", "they follow from the budget: give --images or --minutes"),
        ("gan-digits --images 64 --minutes 1", "--images and --minutes exclude each other"),
        ("gan-digits --minutes 0", "0"),
        ("gan-digits --scores fidd", "unknown score 'fidd'; did you mean 'fid'?"),
        ("gan-digits --features pixel", "unknown feature network 'pixel'; did you mean 'pixels'?"),
        ("gan-digits --images 63", "63 images are less than one batch of gan-digits"),
        ("gan-digits -n 5000", "5000 images were asked for, and digits, split test, has 297"),
        ("gan-digits --split valid", "has no split 'valid'"),
        (
            "gan-digits 'gan-digits image_size=8'",
            "gan-digits image_size=8 makes images of 8x8x1, and gan-digits of 16x16x1: their "
            "scores cannot be compared; --set image_size=N brings all to one size",
        ),
        (
            "gan-digits 'gan-digits split=test'",
            "gan-digits split=test is trained on digits, split test, and gan-digits on digits, "
            "split train: their scores cannot be compared; --dataset and --set split=NAME put all",
        ),
        (
            "dcgan-digits 'dcgan-digits penalty=wgan_gp'",
            "Error: dcgan-digits penalty=wgan_gp: ",
        ),
        ("gan-digits --scores label_accuracy", "needs generated images with class labels"),
        (
            "gan-digits cgan-digits --scores label_accuracy",
            "none of the scores label_accuracy can be measured of gan-digits",
        ),
        ("--resume nowhere", "nowhere is not a bench: cannot read nowhere/bench.json (No such"),
        ("gan-digits --resume nowhere", "RECIPE has no place beside --resume"),
        ("--resume nowhere --set loss=hinge", "--set has no place beside --resume"),
        ("--resume nowhere -n 5", "-n has no place beside --resume"),
    ],
)
def test_what_cannot_be_compared(refused, tmp_path, arguments, words):
    assert words in refused("bench", *shlex.split(arguments))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_stays(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    assert "mine exists; choose another --out" in refused("bench gan-digits --out mine")
    (tmp_path / "mine" / "bench.json").touch()
    line = refused("bench gan-digits --out mine")
    assert "mine holds another bench; go on with that by genzoo bench --resume mine" in line
    assert len(list((tmp_path / "mine").iterdir())) == 2
