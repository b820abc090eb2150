"""The errors that are reported to users; the command line prints each of them as one sentence.

Errors about parameters and series are also ValueErrors, as scikit-learn's tools expect.
"""

import math

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def one_line(text: object) -> str:
    """The text on one line, with escape sequences for characters that cannot be printed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


class RntkBenchError(Exception):
    """Base class of the errors whose message is for the user, on one line."""

    exit_code = 1

    def __str__(self) -> str:
        return one_line(super().__str__())


class StorageError(RntkBenchError):
    """A result that cannot be written: the disk is full, or the folder is not writable."""

    exit_code = 3


class LockedError(StorageError):
    """An output that another process is writing."""


class InputError(RntkBenchError):
    """A file, dataset name, option or configuration that cannot be used."""

    exit_code = 2


class DataError(InputError):
    """A dataset that is missing, damaged or not in the archive's format."""


class ConfigError(InputError, ValueError):
    """An invalid configuration of an experiment."""


class KernelError(InputError, ValueError):
    """Parameters or series for which a kernel is not defined."""


class ClusterError(RntkBenchError):
    """A cluster that cannot be reached, has other code on a worker, or is lost."""

    exit_code = 4


class ExtraError(InputError):
    """A feature that needs the packages of an extra which is not installed."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        # Pickle creates the error in another process from these arguments.
        super().__init__(what, package, extra)

    def __str__(self) -> str:
        what, package, extra = self.args
        return f"{what} needs {package}; install it with pip install 'rntk-bench[{extra}]'."


def find_interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """The interrupt that compiled code has turned into this error; None if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def short_repr(value: object) -> str:
    """The representation of a value on one line, shortened if it is long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:80]}..."


def format_bytes(n_bytes: float) -> str:
    """A number of bytes in the largest binary unit of which there is at least one."""
    exponent = min(int(math.log2(max(n_bytes, 1))) // 10, len(_UNITS) - 1)
    size = n_bytes / 1024**exponent
    digits = 1 if exponent and size < 100 else 0
    return f"{size:.{digits}f} {_UNITS[exponent]}"
