"""Compiles this package's loops; Numba is set up here and nowhere else."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
from numba import config, njit
from numba.core import event
from numba.core.caching import FunctionCache

_settings = vars(config)
_settings["CACHE_DIR"] = os.path.expanduser(_settings["CACHE_DIR"])  # noqa: PTH111 - text, as Numba
if _settings["CPU_FEATURES"] is None and "NUMBA_CPU_NAME" not in os.environ:
    _features = llvm.get_host_cpu_features()
    if _features.get("avx512f"):
        # LLVM prefers 256-bit vectors on many processors that have 512-bit ones; these loops
        # are bound by arithmetic and run up to 1.5 times faster with the wider.
        _settings["CPU_FEATURES"] = _features.flatten() + ",-prefer-256-bit"


def is_private(folder: str) -> bool:
    """Whether no other user can write code to a folder from which Numba would run it."""
    if not folder or not hasattr(os, "geteuid"):
        return True
    try:
        stat = Path(folder).stat()
    except OSError:
        return True  # it does not exist, and will be created by this user
    return stat.st_uid in (0, os.geteuid()) and not stat.st_mode & 0o022


_CACHE_IS_PRIVATE = is_private(_settings["CACHE_DIR"])
if not _CACHE_IS_PRIVATE:
    warnings.warn(
        f"Other users may write to NUMBA_CACHE_DIR, {_settings['CACHE_DIR']}: compiled code is "
        "neither stored there nor read from there.",
        RuntimeWarning,
        stacklevel=2,
    )

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function on its first call, once per machine; it runs without the GIL.

    Multiplications and additions may be fused, but not reordered, so that results do not depend on
    how a loop is vectorised.
    """
    dispatcher: Any = njit(nogil=True, error_model="numpy", fastmath={"contract"})(function)
    if _CACHE_IS_PRIVATE:
        with suppress(RuntimeError):  # there is no folder for the cache
            dispatcher._cache = _Cache(function)
    return cast(_Function, dispatcher)


@cache
def _source_stamp() -> tuple[float, int]:
    """The latest change and the total size of the package's sources with compiled loops."""
    here = Path(__file__)
    folders = (here.parent / name for name in ("kernels", "networks", "svm"))
    sources = [here, *(path for folder in folders for path in folder.rglob("*.py"))]
    stats = [path.stat() for path in sources]
    return max(stat.st_mtime for stat in stats), sum(stat.st_size for stat in stats)


class _Cache:
    """Numba's cache, but a damaged file is a cache miss, and a full disk is no error.

    Numba compiles again when the file of a function changes. Here it also does when another file
    changes, whose functions and constants may be part of the compiled code.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._cache = cast(Any, FunctionCache)(function)
        index = self._cache._cache_file
        index._source_stamp = index._source_stamp, _source_stamp()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function, or None."""
        try:
            return self._cache.load_overload(sig, target_context)
        except SystemError:  # an interrupt
            raise
        except Exception:  # a damaged pickle may raise any exception
            with suppress(OSError):
                self._cache.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store a compiled function if possible."""
        with suppress(OSError, EOFError, ValueError, pickle.PickleError):
            self._cache.save_overload(sig, data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


_VECTORS = {
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "avx": "AVX",
    "sve": "SVE",
    "neon": "NEON",
    "sse2": "SSE2",
}
"""Names of vector instructions by their LLVM feature, the widest first."""


def instruction_set() -> dict[str, str | None]:
    """The processor and the vector instructions for which loops are compiled.

    Returns
    -------
    dict
        `processor`, LLVM's name, and `vectors`, its widest instructions or None.
    """
    named = _settings["CPU_NAME"]
    features = _settings["CPU_FEATURES"]
    if features is None:
        # If the environment names a processor, Numba uses the features of that one.
        features = "" if named else llvm.get_host_cpu_features().flatten()
    used = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    vectors = next((name for feature, name in _VECTORS.items() if feature in used), None)
    return {"processor": named or llvm.get_host_cpu_name(), "vectors": vectors}


def announce_compilation(warm_up: Callable[[], object], say: Callable[[str], None]) -> None:
    """Run `warm_up`, and print a message before the first loop is compiled.

    Nothing is printed if all compiled code is in the cache.
    """
    with event.install_listener("numba:compile", _Announcement(say)):
        warm_up()


class _Announcement(event.Listener):
    """Prints one message when something is compiled."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said = False

    def on_start(self, event: object) -> None:  # noqa: ARG002 - what is compiled does not matter
        """Print the message if it has not been printed."""
        if not self._said:
            self._said = True
            self._say("Compiling the numerical loops for this machine (once, under 20 s) ...")

    def on_end(self, event: object) -> None:
        """Do nothing: the next progress bar shows that the compilation is finished."""
