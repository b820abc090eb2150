"""Methods that are support vector machines with a kernel."""

from __future__ import annotations

import importlib
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rntk_bench.config import Experiment, Value
from rntk_bench.errors import ConfigError, InputError
from rntk_bench.methods.base import FOLDS, Method
from rntk_bench.methods.relative import REPLACED, absolute_parameters, is_relative
from rntk_bench.svm.options import SearchOptions

if TYPE_CHECKING:
    from rntk_bench.datasets import Sequences
    from rntk_bench.kernels import Kernel

CHECKED_LENGTH = 100
"""A length of series for which the values of a grid are checked before any series are read."""


@dataclass(frozen=True)
class KernelMethod(Method):
    """Support vector machines with a kernel.

    The grid's parameters are those of the kernel; `input`, the name of an
    `rntk_bench.datasets.InputScaling`; and those of `rntk_bench.methods.relative`, which are
    relative to the length of the series. Without `input` in the grid, series have unit norm.

    The class may also be an `rntk_bench.kernels.fittable.FittableKernel`. Such a kernel is fitted
    to the whole training set, without its labels, and the folds are taken on its Gram: the
    validation accuracy is that of series which were present when the kernel was fitted.

    Parameters
    ----------
    kernel_class : subclass of Kernel, or str
        A string names a class of `rntk_bench.kernels`.
    C : tuple of float
        The grid of the SVM's parameter, unless an experiment has its own.
    n_repeats : int
        Cross-validations with folds of their own, unless an experiment says how many.
    gram_scale : str
        What Gram matrices are divided by, see `rntk_bench.svm.gram_scale`, unless an experiment
        says it.
    """

    kernel_class: type[Kernel] | str
    C: tuple[float, ...] = field(default=SearchOptions.C, kw_only=True)
    n_repeats: int = field(default=1, kw_only=True)
    gram_scale: str = field(default="none", kw_only=True)
    progress_label: ClassVar[str] = "Grams and SVMs"
    progress_unit: ClassVar[str] = "kernel"

    def __post_init__(self) -> None:
        super().__post_init__()
        # An experiment checks the values, and sorts those of C.
        checked = Experiment(C=self.C, n_repeats=self.n_repeats, gram_scale=self.gram_scale)
        object.__setattr__(self, "C", checked.C)

    @cached_property
    def kernel(self) -> type[Kernel]:
        """The kernel's class."""
        if not isinstance(self.kernel_class, str):
            return self.kernel_class
        kernels = importlib.import_module("rntk_bench.kernels")
        if self.kernel_class not in kernels.__all__:
            raise ConfigError(
                f"Method {self.name!r} names the kernel {self.kernel_class!r}, which "
                "rntk_bench/kernels/__init__.py does not export; add it there."
            )
        return cast("type[Kernel]", getattr(kernels, self.kernel_class))

    @property
    def is_fittable(self) -> bool:
        """Whether the training set determines the kernel of a setting."""
        from rntk_bench.kernels.fittable import FittableKernel

        return issubclass(self.kernel, FittableKernel)

    @property
    def is_independent_of_series(self) -> bool:
        """Whether the kernels and what they read depend on nothing but the grid."""
        return not (self.is_fittable or self.needs_length or "input" in self.grid)

    @cached_property
    def needs_length(self) -> bool:
        """Whether a parameter of the grid is relative to the length of the series."""
        return any(is_relative(name, value) for name, axis in self.grid.items() for value in axis)

    @cached_property
    def inputs(self) -> list[str]:
        """The input scaling of each of `settings`."""
        return [str(setting.get("input", "unit-norm")) for setting in self.settings]

    def kernels(self, length: int | None = None) -> list[Kernel]:
        """The kernels of `settings`, in the same order.

        Parameters
        ----------
        length : int, optional
            Steps of the longest training series; required by a grid that `needs_length`.
        """
        return self._at_length(length)[0]

    def batches(self, length: int | None = None) -> list[list[int]]:
        """Positions of the kernels whose Gram matrices are computed together.

        They read the same input, and the kernel's class groups them. `length` is as for `kernels`.
        """
        return self._at_length(length)[1]

    def largest_batch(self, length: int) -> list[Kernel]:
        """The largest group of kernels whose Gram matrices are computed together."""
        kernels, batches = self._at_length(length)
        return [kernels[position] for position in max(batches, key=len)]

    def derived_parameters(self, setting: int, length: int) -> dict[str, Value]:
        """The kernel's parameters that a setting has only relative to the length of the series."""
        relative = self.settings[setting]
        absolute = absolute_parameters(relative, length)
        return {name: value for name, value in absolute.items() if relative.get(name) != value}

    def _at_length(self, length: int | None) -> tuple[list[Kernel], list[list[int]]]:
        """The kernels and the batches, which are the same for all lengths unless it matters."""
        key = length if self.needs_length else None
        if key not in self._by_length:
            kernels = self._make_kernels(length)
            by_input: dict[str, list[int]] = {}
            for position, name in enumerate(self.inputs):
                by_input.setdefault(name, []).append(position)
            batches = [
                [positions[k] for k in batch]
                for positions in by_input.values()
                for batch in self.kernel.batches([kernels[position] for position in positions])
            ]
            self._by_length[key] = kernels, batches
        return self._by_length[key]

    @cached_property
    def _by_length(self) -> dict[int | None, tuple[list[Kernel], list[list[int]]]]:
        """The results of `_at_length`."""
        return {}

    def _make_kernels(self, length: int | None) -> list[Kernel]:
        if length is None and self.needs_length:
            raise ValueError(f"the grid of {self.name} needs the length of the series")
        settings = self.settings
        if length is not None:
            settings = [absolute_parameters(setting, length) for setting in settings]
        return [
            self.kernel(**{name: value for name, value in setting.items() if name != "input"})
            for setting in settings
        ]

    def for_training_set(self, X_train: Sequences) -> KernelMethod:
        """The method without the input scalings that repeat another one on this training set."""
        inputs = [str(name) for name in self.grid.get("input", ())]
        if len(inputs) < 2:
            return self
        from rntk_bench.datasets.preprocess import inputs_that_differ

        return replace(self, grid={**self.grid, "input": inputs_that_differ(inputs, X_train)})

    def search_options(self, experiment: Experiment) -> SearchOptions:
        """How the kernel and C are chosen: as the experiment says, else as the method does."""
        return SearchOptions(
            C=experiment.C or self.C,
            n_folds=experiment.n_folds,
            n_repeats=experiment.n_repeats or self.n_repeats,
            gram_scale=experiment.gram_scale or self.gram_scale,
            tolerance=experiment.tolerance,
            max_iterations=experiment.max_iterations,
            seed=experiment.seed,
        )

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything but the data on which the result depends, as JSON values.

        `n_repeats` and `gram_scale` are named only if the method or the experiment sets them.
        """
        options = asdict(self.search_options(experiment))
        for name in ("n_repeats", "gram_scale"):
            if options[name] == getattr(self, name) == getattr(SearchOptions, name):
                del options[name]
        return {
            "method": self.name,
            "kernel": self.kernel.__name__,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "preprocessing": "the setting's input" if "input" in self.grid else "unit norm",
            "classifier": "C-SVC, one-vs-one",
            **options,
            "C": list(options["C"]),
            "folds": FOLDS,
            **experiment.split_protocol(),
        }

    def parameters(self) -> dict[str, Value]:
        """The kernel's parameters, the input, and those relative to the length of the series."""
        own: dict[str, Any] = {
            item.name: item.default
            for item in fields(cast(Any, self.kernel))
            if isinstance(item.default, int | float | str)
        }
        general: dict[str, Value] = {"input": "unit-norm"}
        if self.kernel.uses_time:
            defaults: dict[str, Value] = {"memory": 0.1, "lag_resolution": 144}
            general |= {name: defaults[name] for name in REPLACED if REPLACED[name] in own}
        return own | general | {name: values[0] for name, values in self.grid.items()}

    def check(self) -> None:
        """Raise ConfigError if a kernel does not accept a setting."""
        from rntk_bench.datasets import InputScaling

        key = f"grid.{self.name}"
        for name, replaced in REPLACED.items():
            if name in self.grid and replaced in self.grid:
                raise ConfigError(
                    f"{key} has {name} and {replaced}, but one decides the other; leave one out."
                )
        try:
            for name in dict.fromkeys(self.inputs):
                InputScaling(name)
            self.kernels(CHECKED_LENGTH)
        except InputError as error:
            raise ConfigError(f"{key}: {error}") from error
