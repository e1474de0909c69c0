"""Every test starts from Keras' own defaults, on the backend that KERAS_BACKEND names."""

import os
import pathlib
import random

# One thread a process: the battery runs as many processes as there are cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# JAX compiles every operation for every shape: processes share what they have compiled.
CACHE = pathlib.Path(__file__).resolve().parents[1] / ".pytest_cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# LLVM's expensive passes take a third of the tests' time. `make test-all` runs with them, and with
# initial values that JAX draws.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import hypothesis  # noqa: E402
import keras  # noqa: E402
import pytest  # noqa: E402
import support  # noqa: E402, F401

hypothesis.settings.register_profile(
    "battery", max_examples=25, deadline=None, derandomize=True, database=None
)
hypothesis.settings.register_profile("search", max_examples=500, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "battery"))


def pytest_configure(config):
    """pytest-randomly orders the tests; the seeds of a test are set here, the same in any order."""
    config.option.randomly_reset_seed = False


def pytest_terminal_summary(terminalreporter, config):
    """Says how to run the tests again in the order in which one failed."""
    if terminalreporter.stats.get("failed") and hasattr(config.option, "randomly_seed"):
        terminalreporter.write_line(f"The order was --randomly-seed={config.option.randomly_seed}")


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    """A fixture of a module starts from the same seed, whichever test comes first."""
    random.seed(0)  # every seed that Keras makes up comes from here


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """The battery names the backend beside which tests marked `once` and `portable` run."""
    if os.environ.get("KERAS_RESNET_ONCE", keras.backend.backend()) != keras.backend.backend():
        once = [item for item in items if item.get_closest_marker("once")]
        config.hook.pytest_deselected(items=once)
        items[:] = [item for item in items if item not in set(once)]
        for item in items:
            if item.get_closest_marker("portable"):
                item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def keras_as_it_comes():
    """The configuration that a test changes is put back, and its layers' names are forgotten."""
    random.seed(0)
    yield
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")
    keras.config.set_floatx("float32")
    keras.utils.clear_session(free_memory=False)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real images and weights; tests that need it skip where it is absent."""
    folder = os.environ.get("KERAS_RESNET_DATA")
    if not folder or not pathlib.Path(folder).is_dir():
        pytest.skip("KERAS_RESNET_DATA does not name a folder")
    return pathlib.Path(folder)
