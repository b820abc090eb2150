import jax
import pytest

from rntk_bench.networks.accelerator import compilation_cache
from rntk_bench.networks.accelerator.compilation_cache import keep_compiled


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    """The folder of this package's cache, while JAX has none."""
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.setattr(compilation_cache, "user_cache_folder", lambda: tmp_path / "cache")
    yield tmp_path / "cache"
    jax.config.update("jax_compilation_cache_dir", before)


def test_jax_stores_what_it_compiles_in_a_private_folder(cache_folder):
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir == str(cache_folder / "xla")
    assert (cache_folder / "xla").stat().st_mode & 0o777 == 0o700


def test_the_users_folder_is_kept(cache_folder, tmp_path):
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "own"))
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "own")
    assert not cache_folder.exists()


@pytest.mark.parametrize("name", [".", "xla"])
def test_a_folder_to_which_others_can_write_is_not_used(cache_folder, name):
    (cache_folder / "xla").mkdir(parents=True)
    (cache_folder / name).chmod(0o777)
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None


def test_without_a_folder_nothing_is_stored(cache_folder):
    cache_folder.write_text("a file")
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None
