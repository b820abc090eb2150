"""How this package's loops are compiled; the one place that sets up Numba."""

from __future__ import annotations

import os
import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
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
    """Whether nobody else can put code into a folder, from which Numba would run it."""
    if not folder or not hasattr(os, "geteuid"):
        return True
    try:
        stat = Path(folder).stat()
    except OSError:
        return True  # it is made by this user, or not at all
    return stat.st_uid in (0, os.geteuid()) and not stat.st_mode & 0o022


_KEEPS = is_private(_settings["CACHE_DIR"])
if not _KEEPS:
    warnings.warn(
        f"Other users may write to NUMBA_CACHE_DIR, {_settings['CACHE_DIR']}: compiled code is "
        "neither kept there nor read from there.",
        RuntimeWarning,
        stacklevel=2,
    )

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile `function` on its first call, once for a machine; it runs without the GIL.

    Multiply-adds may be fused; nothing else may be reordered, so that results do not depend on
    how a loop was vectorised.
    """
    dispatcher: Any = njit(nogil=True, error_model="numpy", fastmath={"contract"})(function)
    if _KEEPS:
        with suppress(RuntimeError):  # nowhere to keep it
            dispatcher._cache = _Cache(function)
    return cast(_Function, dispatcher)


class _Cache:
    """Numba's, but damage is a miss, and a full disk only means that code is not kept."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._cache = cast(Any, FunctionCache)(function)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled function, or None."""
        try:
            return self._cache.load_overload(sig, target_context)
        except SystemError:  # an interrupt
            raise
        except Exception:  # what a damaged pickle raises is anything
            with suppress(OSError):
                self._cache.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function where that is possible."""
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
"""Names of vector instructions by LLVM's feature, the widest first."""


def instruction_set() -> dict[str, str | None]:
    """What loops are compiled for here.

    Returns
    -------
    dict
        `processor`, by LLVM's name, and `vectors`, its widest instructions; None if LLVM names
        none that are known.
    """
    named = _settings["CPU_NAME"]
    features = _settings["CPU_FEATURES"]
    if features is None:
        # With a processor named in the environment Numba takes that one's own features.
        features = "" if named else llvm.get_host_cpu_features().flatten()
    used = {feature[1:] for feature in features.split(",") if feature.startswith("+")}
    vectors = next((name for feature, name in _VECTORS.items() if feature in used), None)
    return {"processor": named or llvm.get_host_cpu_name(), "vectors": vectors}


def announce_compilation(warm_up: Callable[[], object], say: Callable[[str], None]) -> None:
    """Run `warm_up`; if a loop has to be compiled for it, say so before the first is.

    With compiled code in the cache nothing is compiled and nothing is said.
    """
    with event.install_listener("numba:compile", _Announcement(say)):
        warm_up()


class _Announcement(event.Listener):
    """Says once that something is compiled."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said = False

    def on_start(self, event: object) -> None:  # noqa: ARG002 - what is compiled does not matter
        """Say it."""
        if not self._said:
            self._said = True
            self._say("Compiling the numerical loops for this machine (once, under 20 s) ...")

    def on_end(self, event: object) -> None:
        """Nothing: the next progress bar shows that it is over."""
