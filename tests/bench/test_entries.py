"""What a person asks of a bench: recipes with settings, seeds, and a budget in steps."""

from dataclasses import replace

import pytest

from keras_genzoo.bench import Request
from keras_genzoo.bench.budget import within_budget
from keras_genzoo.bench.entries import requested_entries
from keras_genzoo.errors import GenzooError
from keras_genzoo.training import settings_for


def budget_of(request, ms=10.0):
    return within_budget(request, requested_entries(request), lambda settings: ms)


def steps_of(request, ms=10.0):
    return [entry.settings.steps for entry in budget_of(request, ms).entries]


# Recipes -------------------------------------------------------------------------------------


def test_a_recipe_has_settings_of_its_own_and_those_of_all():
    request = Request(
        ["gan-digits", "gan-digits loss=hinge generator-units=8,4 penalty=none"],
        overrides={"batch_size": "32", "latent_dim": "7"},
    )
    plain, hinge = requested_entries(request)
    alike = {"batch_size": 32, "latent_dim": 7}
    assert plain.settings == settings_for("gan", "digits", **alike)
    changed = alike | {"loss": "hinge", "generator_units": [8, 4]}
    assert hinge.settings == settings_for("gan", "digits", **changed)
    assert (plain.recipe, hinge.recipe) == ("gan-digits", "gan-digits")
    assert hinge.name == "gan-digits loss=hinge generator-units=8,4 penalty=none"
    assert hinge.run_name(2) == "gan-digits-loss-hinge-generator-units-8-4-penalty-none-seed-2"


def test_a_model_stands_for_its_recipe_for_the_data_set():
    [entry] = requested_entries(Request(["cgan"], dataset="mnist"))
    assert entry.recipe == "cgan-mnist"
    assert entry.settings == settings_for("cgan", "mnist")


def test_one_data_set_may_stand_in_place_of_those_of_the_recipes():
    entries = requested_entries(Request(["gan-mnist", "dcgan-digits"], dataset="fashion_mnist"))
    assert [entry.settings.dataset for entry in entries] == ["fashion_mnist"] * 2


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("gan-digit", "unknown recipe 'gan-digit'; did you mean 'gan-digits'?"),
        ("", "unknown recipe ''"),
        ("gan-digits loss", "write a setting as name=value, such as loss=hinge, not 'loss'"),
        ("gan-digits loss='hinge", "is not a recipe with settings: No closing quotation"),
        ("gan-digits loss=hinges", "unknown adversarial loss 'hinges'; did you mean 'hinge'?"),
        ("gan-digits los=hinge", "unknown setting 'los'; did you mean 'loss'?"),
        ("gan-digits loss=hinge loss=minimax", "the setting 'loss' is given twice"),
        ("gan-digits beta=2", "gan has no setting 'beta'; it belongs to vae"),
        ("gan-digits latent_dim=many", "'latent_dim' must be of type int, not 'many'"),
        ("gan-digits latent_dim=0", "latent_dim must be at least 1, not 0"),
        ("gan-digits strict=perhaps", "'strict' must be of type bool, not 'perhaps'"),
        ("gan-digits steps=5", "'steps' is not a setting of a recipe: they follow from the budget"),
        ("gan-digits seed=5", "'seed' is not a setting of a recipe: name all seeds by --seeds"),
        ("gan-digits mixed_precision=auto", "mixed_precision auto might choose one type for a run"),
        ("gan-digits model=vae", "'model' is not a setting of a recipe"),
    ],
)
def test_what_is_no_recipe(recipe, words):
    with pytest.raises(GenzooError) as error:
        requested_entries(Request([recipe]))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"recipes": []}, "which recipes? name some of: ae-mnist"),
        ({"recipes": ["gan-digits"] * 2}, "the recipe 'gan-digits' is given twice"),
        ({"seeds": []}, "name at least one seed"),
        ({"seeds": [1, 1]}, "the seed 1 is given twice"),
        ({"seeds": [-1]}, "seed must be from 0 to 4294967295, not -1"),
        ({"images": 100, "minutes": 1}, "--images and --minutes exclude each other"),
        ({"images": 0}, "images must be positive, not 0"),
        ({"minutes": float("nan")}, "minutes must be positive, not nan"),
        ({"points": 0}, "points must be at least 1, not 0"),
        ({"images": 63}, "63 images are less than one batch of gan-digits, which has 64"),
        ({"minutes": 0.0001}, "0.0001 minutes are less than one step of gan-digits, which takes"),
        ({"images": 128, "points": 3}, "would train for 2 steps, too few to be scored at 3"),
    ],
)
def test_what_cannot_be_asked_of_a_bench(request_, words):
    with pytest.raises(GenzooError) as error:
        budget_of(Request(**({"recipes": ["gan-digits"]} | request_)))
    assert words in str(error.value)


# Budgets -------------------------------------------------------------------------------------


def test_all_see_as_many_images():
    budget = budget_of(Request(["gan-digits", "gan-digits batch_size=32"], images=6400))
    assert [entry.settings.steps for entry in budget.entries] == [100, 200]
    assert not budget.notes


def test_a_budget_that_does_not_divide_is_said():
    budget = budget_of(Request(["gan-digits"], images=1000))
    assert [entry.settings.steps for entry in budget.entries] == [15]
    assert budget.notes == [
        "gan-digits: 1,000 images do not divide into batches of 64; it sees 960 in 15 steps"
    ]


def test_without_a_budget_the_shortest_recipe_decides():
    budget = budget_of(Request(["gan-digits", "cgan-digits"]))
    assert budget.images == 1500 * 64
    assert [entry.settings.steps for entry in budget.entries] == [1500, 1500]
    assert budget.notes == ["no budget was given: 96,000 images, as the shortest recipe sees"]


def test_minutes_are_steps_of_the_measured_time():
    budget = budget_of(Request(["gan-digits"], minutes=2), ms=7.5)
    assert [entry.settings.steps for entry in budget.entries] == [16_000]
    assert budget.notes == [
        "gan-digits: 2 minutes are 16,000 steps of 7.5 ms, as measured before training"
    ]


def test_a_path_may_have_spaces_and_is_absolute_in_the_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    request = Request(["gan-digits 'dataset=my images'"], images=6400)
    [entry] = requested_entries(request)
    assert entry.settings.dataset == "my images"
    # As the check of the data leaves it.
    place = str(tmp_path / "my images")
    absolute = replace(entry, settings=entry.settings.replace(dataset=place))
    [fitted] = within_budget(request, [absolute], lambda settings: 10).entries
    assert (fitted.settings.dataset, fitted.settings.steps) == (place, 100)


def test_a_schedule_is_as_long_as_the_training_unless_it_has_a_length():
    request = Request(["gan-digits", "gan-digits schedule_steps=500"], images=6400)
    request.overrides["schedule"] = "cosine"
    budget = budget_of(request)
    assert [entry.settings.schedule_steps for entry in budget.entries] == [100, 500]
    assert budget.notes == [
        "gan-digits schedule_steps=500: its schedule has 500 steps, and it trains for 100"
    ]
