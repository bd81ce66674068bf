"""The page of a comparison: one file with scores, settings, curves and samples, all escaped."""

import re

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import compare_runs
from keras_genzoo.training import Run
from keras_genzoo.visualization.comparison import COMPARED_SAMPLES, write_comparison
from keras_genzoo.visualization.curves import (
    History,
    column_title,
    columns_in_order,
    curves_over_each_other,
)
from tests.evaluation.compared import Runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two seeds of a GAN and a VAE, scored alike; nothing changes them."""
    made = Runs(tmp_path_factory.mktemp("compared"), tmp_path_factory.mktemp("models"))
    for seed, fid in enumerate((5.0, 6.0)):
        made.score(made.make(f"gan-{seed}", seed=seed), {"fid": fid})
    made.score(made.make("<b>vae", "vae", batch_size=8), {"fid": 9.0}, {"sampler": "normal"})
    return made


@pytest.fixture(scope="module")
def comparison(runs):
    return compare_runs([runs.folder / "*"], columns=COMPARED_SAMPLES)


@pytest.fixture(scope="module")
def page(comparison, tmp_path_factory):
    return write_comparison(comparison, tmp_path_factory.mktemp("page") / "a.html").read_text()


def test_a_page_has_all_parts_and_needs_no_other_file(page):
    sections = ["Runs", "Scores", "Settings that differ", "Samples", "Curves"]
    assert re.findall(r"<h2[^>]*>([^<]*)", page) == sections
    assert "<td>5.50 ± 0.71</td>" in page
    assert "3 runs in 2 columns: those of one differ by their seed only." in page
    addresses = re.findall(r"(?:src|href)=\"([^\"]{4})", page)
    assert {address[0] if address[0] == "#" else address for address in addresses} == {"#", "data"}


def test_names_of_runs_are_text(page):
    assert "<b>vae" not in page
    assert "&lt;b&gt;vae" in page


def test_rows_of_samples_are_grouped_by_their_noise(page):
    assert "Noise z of 3 numbers, random seed 0; each column is made of the same z" in page
    assert "Noise z of 2 numbers, random seed 0</h3>" in page
    assert page.count('class="pixels"') == 3


def test_curves_are_drawn_of_what_several_runs_have(page):
    assert page.count('class="drawn"') == 1
    assert "generator_loss in history.csv" in page
    assert "Of one run only, and not drawn: loss." in page
    assert "Lines of one colour differ by their seed." in page


def test_lines_of_a_group_share_a_colour_and_held_out_values_are_dotted():
    rows = [{"step": 1, "loss": 2.0, "val_loss": 3.0}, {"step": 2, "loss": 1.0, "val_loss": 2.0}]
    histories = [History(rows, 0), History(rows[:1], 0), History(rows, 1)]
    lines = curves_over_each_other(histories, "loss", "step").axes[0].lines
    first, second, third = (lines[i].get_color() for i in (0, 2, 4))
    assert first == second != third
    assert [line.get_linestyle() for line in lines[:2]] == ["-", ":"]
    assert list(lines[0].get_ydata()) == [2.0, 1.0]


def test_columns_count_the_runs_that_have_numbers_in_them():
    rows = [{"step": 1, "kl_loss": 1.0, "loss": 2.0, "mine": 3.0}]
    held_out = [{"step": 1, "val_loss": 2.0, "kl_loss": ""}]
    assert columns_in_order([rows, held_out]) == {"loss": 2, "kl_loss": 1, "mine": 1}
    assert list(columns_in_order([rows])) == ["loss", "kl_loss", "mine"]
    assert column_title("mine") == "mine"


def test_a_target_that_cannot_be_written_is_one_line(comparison, tmp_path):
    (tmp_path / "file").touch()
    for suffix in ("html", "json", "csv"):
        with pytest.raises(GenzooError, match=rf"cannot write .*a\.{suffix}"):
            write_comparison(comparison, tmp_path / "file" / f"a.{suffix}")
    with pytest.raises(GenzooError, match=r"none of the suffixes \.html, \.json, \.csv"):
        write_comparison(comparison, tmp_path / "a.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_without_scores_and_histories_the_page_has_what_there_is(runs, tmp_path):
    made = Runs(tmp_path / "runs", runs.templates)
    for name in ("a", "b"):
        run = Run.open(made.make(name))
        (run.path / "history.csv").unlink()
    text = write_comparison(compare_runs([made.folder / "*"]), tmp_path / "a.html").read_text()
    assert re.findall(r"<h2[^>]*>([^<]*)", text) == ["Runs", "Scores", "Settings that differ"]
    assert "No run has scores" in text
