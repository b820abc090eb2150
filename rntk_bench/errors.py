"""The few errors a user can meet; the command line prints them as one sentence.

Those about parameters and series are ValueErrors too, which scikit-learn's tools expect.
"""


def one_line(text: object) -> str:
    """Write line breaks and other characters that are not printed as Python writes them."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


class RntkBenchError(Exception):
    """Base of every error whose message is written for the user, on one line."""

    exit_code = 1

    def __str__(self) -> str:
        return one_line(super().__str__())


class StorageError(RntkBenchError):
    """A result that cannot be written: no room, or a folder that may not be written to."""

    exit_code = 3


class LockedError(StorageError):
    """An output that another process is writing."""


class InputError(RntkBenchError):
    """A file, dataset name, option or configuration that cannot be used as given."""

    exit_code = 2


class DataError(InputError):
    """A dataset that is missing, damaged or not in the archive's format."""


class ConfigError(InputError, ValueError):
    """An experiment's configuration that does not say what to do."""


class KernelError(InputError, ValueError):
    """Kernel parameters or inputs outside what a kernel is defined for."""


class ClusterError(RntkBenchError):
    """A cluster that cannot be reached, has other code on a worker, or is lost."""

    exit_code = 4


class ExtraError(InputError):
    """A command that needs packages of an extra which is not installed."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        # The arguments themselves, with which pickle makes the error again in another process.
        super().__init__(what, package, extra)

    def __str__(self) -> str:
        what, package, extra = self.args
        return f"{what} needs {package}; install it with pip install 'rntk-bench[{extra}]'."


def find_interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """The interrupt that compiled code, where it came, has made another error of; else None."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            return behind
        behind = behind.__cause__ or behind.__context__
    return None


def short_repr(value: object) -> str:
    """A value on one line as Python writes it, cut where that is long or cannot be written."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:80]}..."
