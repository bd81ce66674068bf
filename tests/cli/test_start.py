"""What the command costs before it does anything, and what it prints."""

import subprocess
import sys

import pytest

from keras_genzoo.cli.main import COMMANDS, LazyGroup
from keras_genzoo.training import RECIPES

HEAVY = ("tensorflow", "keras", "numpy", "tqdm", "PIL", "pyarrow", "sklearn", "tensorflow_datasets")


def imported(arguments, cwd=None):
    """Return the modules that a command imports."""
    code = "import sys; from keras_genzoo.cli.main import main; sys.argv[0] = 'genzoo'\n"
    code += "try:\n    main()\nfinally:\n    print('modules:', *sys.modules, file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=cwd
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
    return ended.stderr.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "arguments", ["--help", "--version", "list", *(f"{name} --help" for name in COMMANDS)]
)
def test_looking_imports_nothing_heavy(arguments):
    modules = imported(arguments.split())
    assert not [name for name in HEAVY if name in modules]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_nothing_to_those_who_read_the_code(name, genzoo):
    group = LazyGroup("genzoo").get_command(None, name)
    for words in ([], *([inner] for inner in getattr(group, "commands", {}))):
        output = genzoo(" ".join([name, *words, "--help"])).output
        assert "Usage: genzoo" in output
        assert not [section for section in ("Args:", "Raises:", "Returns:") if section in output]


def test_show_imports_nothing_heavy(trained):
    modules = imported(["show", str(trained("ae"))])
    assert not [name for name in HEAVY if name in modules]


def test_the_page_of_points_imports_nothing_heavy(tmp_path):
    modules = imported(["theory", "--interactive", "--no-open"], tmp_path)
    assert not [name for name in HEAVY if name in modules]
    assert (tmp_path / "theory.html").exists()


@pytest.mark.slow
def test_tensorflow_starts_without_a_word():
    code = "from keras_genzoo.cli.tensorflow import start_tensorflow as start; start(); start()\n"
    code += "import sys; assert 'tensorflow' in sys.modules; print('seen', file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "seen\n")


@pytest.mark.slow
def test_keras_starts_without_what_no_command_asks_of_it():
    code = "from keras_genzoo.cli.tensorflow import start_tensorflow as start; start()\n"
    code += "import sys; print(*sys.modules); import matplotlib.pyplot, sklearn.base"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")
    modules = set(ended.stdout.split())
    assert {"tensorflow", "keras"} < modules
    assert not {"matplotlib", "pandas", "sklearn"} & modules


def test_what_tensorflow_says_is_shown_if_it_cannot_start(tmp_path):
    (tmp_path / "tensorflow.py").write_text(
        "import os; os.write(2, b'from C\\n'); raise ImportError('no such library')"
    )
    code = "from keras_genzoo.cli.tensorflow import start_tensorflow as start; start()"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.stderr.startswith("from C\n")
    assert "no such library" in ended.stderr


def test_without_arguments_the_help_is_shown(genzoo):
    ended = genzoo("")
    assert ended.code == 2
    assert all(name in ended.errors for name in COMMANDS)


def test_the_table_of_commands_is_complete():
    from pathlib import Path

    import keras_genzoo.cli

    shared = {"__init__", "importing", "main", "options", "streams", "tensorflow"}
    files = {path.stem for path in Path(keras_genzoo.cli.__file__).parent.glob("*.py")}
    assert set(COMMANDS) == files - shared


def test_shells_complete_names():
    def complete(words):
        environment = {
            "_GENZOO_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        code = "from keras_genzoo.cli.main import main; main()"
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        assert ended.returncode == 0, ended.stderr
        return [line.partition(",")[2] for line in ended.stdout.splitlines()]

    assert complete("genzoo s") == ["sample", "show"]
    assert complete("genzoo fit d") == ["dcgan"]
    assert complete("genzoo fit --strategy m") == ["mirrored", "multi_worker"]
    assert complete("genzoo nonsense d") == ["data"]


@pytest.mark.parametrize(
    ("model", "known", "foreign"),
    [
        ("vae", ["--beta", "--hidden-units"], ["--penalty", "--generator-filters"]),
        ("dcgan", ["--penalty", "--generator-filters"], ["--beta", "--hidden-units"]),
    ],
)
def test_the_help_of_a_model_shows_its_own_flags_with_the_defaults_of_its_recipe(
    genzoo, model, known, foreign
):
    output = genzoo(f"fit {model} --dataset mnist --help").output
    flags = set(output.split())
    assert flags >= {"Run:", "Data:", "Model:", "Loss:", "Optimizers:", *known}
    assert not flags & set(foreign)
    words = " ".join(output.split())
    steps = {"vae": 15000, "dcgan": 12000}[model]
    assert f"Training steps. [default: {steps}]" in words
    everything = set(genzoo("fit --help").output.split())
    assert everything >= {*known, *foreign}


def test_a_recipe_can_be_read(genzoo):
    output = genzoo("list recipes dcgan-mnist").output
    assert output.startswith("dcgan-mnist: model dcgan, dataset mnist, ")
    assert "steps 12000" in output
    assert len(genzoo("list recipes").output.splitlines()) == len(RECIPES)
