"""``genzoo theory``: what it refuses before anything is trained."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("theory --stability --panels", "take one of them"),
        ("theory --interactive --stability", "take one of them"),
        ("theory --seeds 3", "--seeds and --steps are those of --stability; add it"),
        ("theory --steps 100", "--seeds and --steps are those of --stability; add it"),
        ("theory --stability --steps 150", "a multiple of 100 steps"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    refused, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert message in refused(arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["png", "svg", "md", "json"])
def test_no_file_of_a_study_is_replaced(refused, tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"stability.{suffix}").write_text("mine")
    message = f"stability.{suffix} exists; choose another --out, or --force to replace it"
    assert message in refused("theory --stability")


def test_the_figure_of_the_cure_is_not_replaced_either(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theory-cure.svg").write_text("mine")
    assert "theory-cure.svg exists" in refused("theory")
