"""How much memory this process may take: the least of what the machine and the system grant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

PROCESS = Path("/proc/self")
_LIMITS = ("RLIMIT_AS", "RLIMIT_DATA")
_CGROUP_FILES = {"cgroup2": "memory.max", "cgroup": "memory.limit_in_bytes"}


def machine_memory() -> int | None:
    """Bytes that this process may take, None where nothing is known.

    The least of the machine's memory, the limits of this process (`ulimit -v` and `-d`), and those
    of its control groups.
    """
    return min([*_physical(), *_process_limits(), *cgroup_limits(PROCESS)], default=None)


def _physical() -> Iterator[int]:
    with suppress(ValueError, OSError, AttributeError):
        yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _process_limits() -> Iterator[int]:
    for name in _LIMITS:
        if hasattr(resource, name):
            soft, _ = resource.getrlimit(getattr(resource, name))
            if soft != resource.RLIM_INFINITY:
                yield soft


def cgroup_limits(process: Path) -> Iterator[int]:
    """Every limit of a process's control groups of version 1 and 2, up to the outermost.

    Parameters
    ----------
    process : its folder in /proc
    """
    try:
        groups = _memory_groups((process / "cgroup").read_text(encoding="utf-8"))
        mounts = (process / "mountinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in mounts:
        mounted, _, kind = line.partition(" - ")
        system, _, options = kind.partition(" ")
        group = groups.get(system)
        if group is None or (system == "cgroup" and "memory" not in re.split("[ ,]", options)):
            continue
        root, folder = (path.replace(r"\040", " ") for path in mounted.split(" ")[3:5])
        # Inside a container the group may lie outside of what is mounted.
        inner = group.relative_to(root) if group.is_relative_to(root) else Path()
        for level in (inner, *inner.parents):
            with suppress(OSError, ValueError):
                limit = Path(folder, level, _CGROUP_FILES[system]).read_text(encoding="ascii")
                yield int(limit)  # or "max"


def _memory_groups(text: str) -> dict[str, Path]:
    """The path of the group that bounds memory, by the kind of its file system."""
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            groups["cgroup2"] = Path(path)
        elif "memory" in controllers.split(","):
            groups["cgroup"] = Path(path)
    return groups
