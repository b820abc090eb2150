"""The configuration of an experiment, and reading it from a TOML file."""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from rntk_bench.errors import ConfigError, short_repr

MAX_BYTES = 1 << 20
"""Larger than any configuration; a larger file is not one."""
MAX_EPOCHS = 100_000
"""The order of the mini-batches of all epochs is drawn before the training."""

MAX_SEED = 2**32 - 1
"""The largest seed of NumPy's `RandomState`, which shuffles folds and resamples datasets."""

Value = float | str
Grid = Mapping[str, tuple[Value, ...]]


NETWORK_INPUTS = {"archive": "none", "unit-norm": "unit norm"}
"""What networks read, and what a record calls its preprocessing."""
GRAM_SCALES = ("none", "centred")
"""What a kernel's Gram matrices may be divided by, see `rntk_bench.svm.gram_scale`."""
CRITERIA = ("accuracy", "strict-accuracy", "loss")
FINALS = ("best-fold", "ensemble", "retrain")


@dataclass(frozen=True)
class Network:
    """How finite networks are trained and which of them is tested.

    Folds and the bound on epochs are the paper's (A.1). What it leaves open decides whether
    networks train at all: `batch_size`, `patience` and `criterion` are those with the highest
    mean in the comparison of `configs/protocols.toml`, and `configs/networks-literal.toml` takes
    the paper's sentence literally.

    Parameters
    ----------
    patience : int
        A run stops after so many setbacks in a row.
    decay, epsilon : float
        Of RMSProp's mean square, and what is added to its root.
    input : str
        "archive", values as the archive has them, or "unit-norm", as kernels read them.
    criterion : str
        Which epoch is the best, and what a setback is. "accuracy": the most right validation
        predictions, of epochs with equally many that with the smaller loss; fewer are a setback.
        "strict-accuracy": the first epoch with the most; no more than the most is a setback, and
        a run stops when all are right. "loss": the smallest validation loss; any other is a
        setback.
    clip : float or None
        Largest norm of a gradient; longer ones are shortened to it.
    final : str
        Which network is tested: "best-fold", of the chosen setting the fold's with the best
        validation; "ensemble", the mean of its folds' probabilities; or "retrain", one that is
        trained on all series for the mean of the folds' best epochs.
    """

    n_folds: int = 5
    max_epochs: int = 200
    patience: int = 200
    batch_size: int = 8
    decay: float = 0.9
    epsilon: float = 1e-8
    input: str = "archive"
    criterion: str = "accuracy"
    clip: float | None = None
    final: str = "best-fold"

    def __post_init__(self) -> None:
        _require(self.n_folds >= 2, "network.n_folds", self.n_folds, "an integer >= 2")
        for key in ("max_epochs", "patience", "batch_size"):
            wanted = f"an integer from 1 to {MAX_EPOCHS}"
            value = getattr(self, key)
            _require(1 <= value <= MAX_EPOCHS, f"network.{key}", value, wanted)
        _require(0 < self.decay < 1, "network.decay", self.decay, "between 0 and 1")
        _require(0 < self.epsilon < math.inf, "network.epsilon", self.epsilon, "a number > 0")
        if self.clip is not None:
            _require(0 < self.clip < math.inf, "network.clip", self.clip, "a number > 0")
        for key, known in (("input", NETWORK_INPUTS), ("criterion", CRITERIA), ("final", FINALS)):
            value = getattr(self, key)
            _require(value in known, f"network.{key}", value, f"one of {', '.join(known)}")

    def protocol(self) -> dict[str, Any]:
        """What a record says of it; without `clip`, gradients have any norm."""
        entries = {key: value for key, value in asdict(self).items() if value is not None}
        return {"preprocessing": NETWORK_INPUTS[entries.pop("input")], **entries}

    @classmethod
    def keys_of(cls, protocol: Mapping[str, Any]) -> dict[str, Any]:
        """The keys of `[network]` behind a record's protocol."""
        names = {name: key for key, name in NETWORK_INPUTS.items()}
        entries = {**protocol, "input": names.get(protocol.get("preprocessing", ""))}
        known = [key.name for key in fields(cls)]
        return {key: entries[key] for key in known if entries.get(key) is not None}


@dataclass(frozen=True)
class Experiment:
    """Datasets, methods and protocol; the defaults are the paper's (A.1) but for `network`.

    C, `n_repeats` and `gram_scale` are those of each method if they are None.
    """

    name: str = "paper"
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("rntk", "ntk", "rbf", "poly")
    seed: int = 0
    n_folds: int = 10
    n_repeats: int | None = None
    C: tuple[float, ...] | None = None
    gram_scale: str | None = None
    tolerance: float = 1e-3
    max_iterations: int = 1_000_000
    network: Network = field(default_factory=Network)
    grids: Mapping[str, Grid] = field(default_factory=dict)
    """Grids that replace those of the registry, by method."""
    resample: int = 0
    """The seed with which the training and the test set are resampled; 0 leaves the archive's."""
    file: Path | None = field(default=None, compare=False)
    """The configuration from which it was read."""

    def __post_init__(self) -> None:
        seeds = f"an integer from 0 to {MAX_SEED}"
        _require(0 <= self.seed <= MAX_SEED, "seed", self.seed, seeds)
        _require(self.n_folds >= 2, "n_folds", self.n_folds, "an integer >= 2")
        _require(0 < self.tolerance < math.inf, "tolerance", self.tolerance, "a number > 0")
        _require(self.max_iterations >= 1, "max_iterations", self.max_iterations, "at least 1")
        _require(bool(self.methods), "methods", [], "at least one method")
        _require(0 <= self.resample <= MAX_SEED, "resample", self.resample, seeds)
        if self.n_repeats is not None:
            _require(self.n_repeats >= 1, "n_repeats", self.n_repeats, "an integer >= 1")
        if self.gram_scale is not None:
            scales = f"one of {', '.join(GRAM_SCALES)}"
            _require(self.gram_scale in GRAM_SCALES, "gram_scale", self.gram_scale, scales)
        if self.C is not None:
            _require(
                bool(self.C) and min(self.C) > 0, "C", list(self.C), "numbers > 0, at least one"
            )
            object.__setattr__(self, "C", tuple(sorted({float(C) for C in self.C})))

    def split_protocol(self) -> dict[str, int]:
        """What a record's protocol says of the split into training and test set."""
        return {"resample": self.resample} if self.resample else {}


def load_experiment(
    path: Path | None, methods: Sequence[str] = (), seed: int | None = None
) -> Experiment:
    """The experiment of a file, or the paper's; `methods` and `seed` replace those of the file.

    Raises
    ------
    ConfigError
        As `read_experiment` does.
    """
    experiment = read_experiment(path) if path else Experiment()
    if methods:
        experiment = replace(experiment, methods=tuple(methods))
    return experiment if seed is None else replace(experiment, seed=seed)


def shipped_configurations() -> dict[str, Path]:
    """The configurations that come with the package, by name, in alphabetical order.

    A wheel has them inside the package, a checkout in its folder `configs`.
    """
    package = Path(__file__).parent
    inside, checkout = package / "configs", package.parent / "configs"
    folder = inside if inside.is_dir() else checkout
    paths = sorted(folder.glob("*.toml"), key=lambda path: path.stem)
    return {path.stem: path for path in paths}


_LARGEST = sys.float_info.max

_TABLES = {
    "experiment": {"name": str, "datasets": tuple, "methods": tuple, "seed": int},
    "svm": {
        "C": tuple,
        "n_folds": int,
        "n_repeats": int,
        "gram_scale": str,
        "tolerance": float,
        "max_iterations": int,
    },
    "network": {
        **dict.fromkeys(("n_folds", "max_epochs", "patience", "batch_size"), int),
        **dict.fromkeys(("decay", "epsilon", "clip"), float),
        **dict.fromkeys(("input", "criterion", "final"), str),
    },
}


def read_experiment(path: Path) -> Experiment:
    """Read an experiment from a TOML file; missing settings have the defaults of `Experiment`.

    Raises
    ------
    ConfigError
        If the file cannot be read, or a key is unknown, of the wrong type or an empty grid.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} is larger than any experiment; name its TOML file.")
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        shipped = shipped_configurations()
        hint = (
            f"the one that comes with this package is named without a path, {path.stem}."
            if path.stem in shipped
            else f"name a TOML file, or one of {', '.join(shipped)}."
        )
        raise ConfigError(f"{path} does not exist; {hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text: {error}; name a TOML file.") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}; correct it there.") from error
    try:
        return replace(_experiment(content), file=path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _experiment(content: dict[str, Any]) -> Experiment:
    values: dict[str, Any] = {}
    for table, entries in content.items():
        if table == "grid":
            values["grids"] = {name: _grid(name, grid) for name, grid in _table(table, entries)}
            continue
        if table not in _TABLES:
            raise ConfigError(_unknown(f"[{table}]", [f"[{name}]" for name in (*_TABLES, "grid")]))
        typed = {}
        for key, value in _table(table, entries):
            if key not in _TABLES[table]:
                raise ConfigError(_unknown(f"{table}.{key}", list(_TABLES[table])))
            typed[key] = _typed(f"{table}.{key}", value, _TABLES[table][key])
        values |= {"network": Network(**typed)} if table == "network" else typed
    for key in ("datasets", "methods"):
        for item in values.get(key, ()):
            _require(isinstance(item, str), key, item, "a list of names")
    if "C" in values:
        values["C"] = _numbers("svm.C", values["C"])
    return Experiment(**values)


def _table(name: str, entries: Any) -> list[tuple[str, Any]]:
    _require(isinstance(entries, dict), name, entries, "a table")
    return list(entries.items())


def _grid(method: str, grid: Any) -> Grid:
    return {
        key: _values(f"grid.{method}.{key}", values)
        for key, values in _table(f"grid.{method}", grid)
    }


def _values(key: str, values: Any) -> tuple[Value, ...]:
    """The values of a parameter of a grid: names, numbers, or both."""
    if isinstance(values, list) and any(isinstance(value, str) for value in values):
        _numbers(key, [0.0, *(value for value in values if not isinstance(value, str))])
        return tuple(values)
    return _numbers(key, values)


def _numbers(key: str, values: Any) -> tuple[float, ...]:
    _require(isinstance(values, list | tuple), key, values, "a list of numbers")
    _require(len(values) > 0, key, values, "a list with at least one number")
    for value in values:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(number and abs(value) < math.inf, key, value, "a list of finite numbers")
        _require(abs(value) <= _LARGEST, key, value, "a list of numbers that a computer has")
    return tuple(values)


def _typed(key: str, value: Any, kind: type) -> Any:
    if kind is tuple:
        _require(isinstance(value, list), key, value, "a list")
        return tuple(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        _require(abs(value) <= _LARGEST, key, value, "a number that a computer has")
        return float(value)
    names = {int: "an integer", float: "a number", str: "a string"}
    _require(isinstance(value, kind) and not isinstance(value, bool), key, value, names[kind])
    if kind is int:
        _require(abs(value) < 2**63, key, value, "an integer of at most 63 bits")
    return value


def _unknown(key: str, known: list[str]) -> str:
    return f"{key} is not a setting; known are {', '.join(known)}."


def _require(condition: bool, key: str, value: object, wanted: str) -> None:
    if not condition:
        raise ConfigError(f"{key} is {short_repr(value)}, but must be {wanted}.")
