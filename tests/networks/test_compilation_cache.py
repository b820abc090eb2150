import os
import subprocess
import sys

import pytest

from rntk_bench.networks import compilation_cache

SCRIPT = (
    "import jax, jax.numpy as jnp\n"
    "jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0)\n"
    "print(jax.jit(lambda x: jnp.tanh(x @ x).sum())(jnp.ones((9, 9))))\n"
)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    compilation_cache.compilation_cache_settings.cache_clear()
    yield
    compilation_cache.compilation_cache_settings.cache_clear()


def run():
    environment = {**os.environ, **compilation_cache.worker_environment(), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_next_process_uses_the_cache_and_damaged_files_are_compiled_again(
    tmp_path, monkeypatch
):
    folder = tmp_path / "new" / "xla"
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder))
    first = run()
    files = sorted(folder.iterdir())
    assert files
    assert not folder.stat().st_mode & 0o077
    assert run() == first
    assert sorted(folder.iterdir()) == files
    for path in files:
        path.write_bytes(path.read_bytes()[:9])
    assert run() == first


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, monkeypatch):
    tmp_path.chmod(0o777)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="Other users may write"):
        run()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_created_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert compilation_cache.compilation_cache_settings() == {"jax_enable_compilation_cache": False}


def test_the_default_folder_is_in_the_users_cache_and_depends_on_the_processor(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = compilation_cache.compilation_cache_settings()["jax_compilation_cache_dir"]
    assert folder == str(compilation_cache.compilation_cache_folder())
    assert folder.startswith(str(tmp_path / "rntk-bench" / "xla"))
    monkeypatch.setattr(compilation_cache.llvm, "get_host_cpu_name", lambda: "another")
    assert str(compilation_cache.compilation_cache_folder()) != folder


def test_the_oldest_files_are_removed_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "MAX_BYTES", 10)
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    for age, name in enumerate("cba"):
        (tmp_path / name).write_bytes(b"x" * 4)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    compilation_cache.compilation_cache_settings()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
