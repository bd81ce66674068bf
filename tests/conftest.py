"""What all tests share: a quiet TensorFlow with two logical CPUs, and real data where it lies."""

import functools
import http.server
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

from tests.processors import two_processors

ROOT = Path(__file__).parents[1]


def pytest_configure(config):
    """Give TensorFlow a second logical CPU before anything starts it."""
    # A shell lets what it runs in the background ignore Ctrl-C, and nohup a terminal that closes;
    # tests send both to processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if config.option.numprocesses and not hasattr(config, "workerinput"):
        return  # The process that shares out the tests runs none.
    two_processors()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with MNIST and CelebA; skips where a machine has none."""
    folder = Path(os.environ.get("GENZOO_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name its folder in GENZOO_TEST_DATA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory) -> Path:
    """A cache of this session's own: nothing is taken from a person's, nothing left there."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENZOO_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def package(tmp_path_factory) -> Path:
    """The npm package of the playground's runtime; skips where npm cannot fetch it."""
    from keras_genzoo.export.playground.runtime import PACKAGE, VERSION

    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine to fetch the runtime of the playground")
    folder = tmp_path_factory.mktemp("npm")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    if ended.returncode:
        pytest.skip(f"npm cannot fetch the runtime of the playground: {ended.stderr[-200:]}")
    return next(folder.glob("*.tgz"))


@pytest.fixture
def serve(tmp_path):
    """A function that serves bytes and returns their address, and the list of requests."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *arguments):  # noqa: A002
            requests.append(format % arguments)

    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def run(content, name="package.tgz"):
            (folder / name).write_bytes(content)
            return f"http://127.0.0.1:{server.server_port}/{name}", requests

        yield run
        server.shutdown()
        thread.join()
