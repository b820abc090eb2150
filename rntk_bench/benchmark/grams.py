"""The Gram matrices of an evaluation: computed together where kernels share work, and cached."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import rntk_bench.kernels
from rntk_bench.benchmark.evaluation import Problem, Stopwatch
from rntk_bench.benchmark.parallel import Batch
from rntk_bench.datasets import preprocess
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.kernels.normalised_sum import FittedKernel
from rntk_bench.kernels.series import Sequences
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.environment import source_digest
from rntk_bench.types import FloatArray

COMPUTE_STEP, STORE_PAIR, STORE_FILE = 0.65e-9, 15e-9, 0.2e-3
"""Seconds to compute one step of a pair of series, to store and read the pair's entry once, and for
the file itself, measured on 390 series of length 300."""
BLOCK = 60.0
"""Seconds on one core, about, of a block of test series: so much is lost if a process is killed."""
ALIGNED = 64
"""The number of series in a block is a multiple of this one, which suits the loops' tiles. It
depends on sizes alone, so that the last digits do not depend on what a cache holds."""


class Grams:
    """Gram matrices of a grid of kernels, read from the cache or computed and stored there.

    Gram matrices that are computed faster than they are read are not stored.

    Parameters
    ----------
    kernels : sequence of Kernel
        Of one class, one for each setting of the grid.
    inputs : sequence of str
        The input scaling that each of them reads.
    problems : mapping of str to Problem
        The scaled series, by the name of the scaling.
    cache : GramCache, optional
    watch : Stopwatch
    """

    def __init__(
        self,
        kernels: Sequence[Kernel],
        inputs: Sequence[str],
        problems: Mapping[str, Problem],
        cache: GramCache | None,
        watch: Stopwatch,
    ) -> None:
        self._kernels, self._inputs, self._problems = kernels, inputs, problems
        self._family, self._watch = type(kernels[0]), watch
        with watch("gram"):
            self._prepare_training_sets()
        self._dataset = dataset = problems[inputs[0]].dataset
        each = self._family.relative_cost(kernels, dataset.length) / len(kernels)
        self._steps = steps = round(dataset.length * max(1.0, each))
        stored = self._family.uses_time and worth_storing(dataset.n_train, steps)
        self._cache = cache if stored else None

    def train(self, batches: Sequence[Batch]) -> Iterator[tuple[int, FloatArray]]:
        """Yield each setting of the batches and its Gram matrix of the training series."""
        for batch in batches:
            shape = self._dataset.n_train, self._dataset.n_train
            cached = {setting: self._read(setting, "train", shape) for setting in batch}
            computed = self._compute_train([s for s in batch if cached[s] is None])
            for setting in batch:
                gram = cached[setting]
                if gram is None:
                    with self._watch("gram"):
                        gram = next(computed)
                    self._store(setting, "train", gram)
                yield setting, gram

    def test(self, setting: int) -> FloatArray:
        """Gram matrix (n_train, n_test) of the training and the test series."""
        gram = self._read(setting, "test", (self._dataset.n_train, self._dataset.n_test))
        if gram is None:
            gram = self._compute_test(setting)
            self._store(setting, "test", gram)
        return gram

    def _prepare_training_sets(self) -> None:
        """Compute what all kernels that read the same input share."""
        self._prepared = {
            name: self._family.prepare(self._padded_sets(name)[0]) for name in self._problems
        }

    def _compute_train(self, settings: Sequence[int]) -> Iterator[FloatArray]:
        """The Gram matrices of settings of one batch, in order."""
        kernels = [self._kernels[setting] for setting in settings]
        if kernels:
            yield from self._family.grams(kernels, self._prepared[self._inputs[settings[0]]])

    def _compute_test(self, setting: int) -> FloatArray:
        with self._watch("gram"):
            prepared = self._family.prepare(*self._padded_sets(self._inputs[setting]))
            return self._kernels[setting].gram(prepared)

    def _padded_sets(self, name: str) -> list[Sequences]:
        """The training and the test series by one input scaling."""
        X_train, X_test = self._problems[name].X_train, self._problems[name].X_test
        return self._family.pad_to_common_length(X_train, X_test)

    def _read(self, setting: int, split: str, shape: tuple[int, int]) -> FloatArray | None:
        key = self._key(setting, split)
        if self._cache is None or key is None:
            return None
        with self._watch("cache"):
            return self._cache.get(key, shape, symmetric=split == "train")

    def _store(self, setting: int, split: str, gram: FloatArray) -> None:
        key = self._key(setting, split)
        if self._cache is not None and key is not None:
            with self._watch("cache"):
                self._cache.put(key, gram, symmetric=split == "train")

    def _key(self, setting: int, split: str) -> str | None:
        if self._cache is None or (identity := gram_identity(self._kernels[setting])) is None:
            return None
        scaling = self._inputs[setting]
        entries = [self._dataset.fingerprint, split, identity, scaling, _preprocessing_version()]
        return hashlib.sha256("\n".join(entries).encode()).hexdigest()


class FittedGrams(Grams):
    """Gram matrices of kernels that the training set determines.

    A kernel is fitted once, and kept with its Gram matrix; `n_jobs` threads share this work. The
    test series of a large set are computed in blocks, which are stored as they are finished.
    """

    def __init__(self, *arguments: Any, n_jobs: int) -> None:
        super().__init__(*arguments)
        self._n_jobs = n_jobs
        self._fitted: dict[int, FittedKernel] = {}

    def _compute_train(self, settings: Sequence[int]) -> Iterator[FloatArray]:
        for setting in settings:
            yield self._fit(setting).gram

    def _compute_test(self, setting: int) -> FloatArray:
        train, test = self._padded_sets(self._inputs[setting])
        seconds = COMPUTE_STEP * self._steps * len(train)
        size = ALIGNED * max(1, round(BLOCK / (seconds * ALIGNED)))
        if size >= len(test):
            return self._compute_block(setting, train, test)
        blocks = []
        for start in range(0, len(test), size):
            block = test[start : start + size]
            split = f"test from {start}"
            gram = self._read(setting, split, (len(train), len(block)))
            if gram is None:
                gram = self._compute_block(setting, train, block)
                self._store(setting, split, gram)
            blocks.append(gram)
        return np.concatenate(blocks, axis=1)

    def _compute_block(self, setting: int, train: Sequences, test: Sequences) -> FloatArray:
        with self._watch("gram"):
            kernel = self._fit(setting).kernel
            return kernel.gram(kernel.prepare(train, test), self._n_jobs)

    def _prepare_training_sets(self) -> None:
        """Nothing is shared by kernels that the training set determines."""

    def _fit(self, setting: int) -> FittedKernel:
        if setting not in self._fitted:
            kernel: Any = self._kernels[setting]
            X_train = self._problems[self._inputs[setting]].X_train
            self._fitted[setting] = kernel.fit(X_train, self._n_jobs)
        return self._fitted[setting]


def worth_storing(n: int, length: int) -> bool:
    """Whether the Gram matrix of n series takes longer to compute than to store and read once."""
    pairs = n * n / 2
    return pairs * length * COMPUTE_STEP > pairs * STORE_PAIR + STORE_FILE


def gram_identity(kernel: Kernel) -> str | None:
    """Text that identifies a kernel's Gram matrices: its cache key and a digest of its source code.

    None if the kernel has no cache key, or its class was not defined in a file.
    """
    key = kernel.cache_key()
    try:
        return None if key is None else f"{key}\n{_code_version(type(kernel))}"
    except (OSError, TypeError):
        return None


@cache
def _code_version(family: type[Kernel]) -> str:
    """Digest of the source code of all kernels, and of the modules of a class and its bases."""
    digest = hashlib.sha256(source_digest(Path(rntk_bench.kernels.__path__[0])).encode())
    for cls in family.__mro__:
        if issubclass(cls, Kernel | FittableKernel):
            digest.update(Path(inspect.getfile(cls)).read_bytes())
    return digest.hexdigest()


@cache
def _preprocessing_version() -> str:
    """Digest of the source code of the input scalings."""
    return hashlib.sha256(Path(preprocess.__file__).read_bytes()).hexdigest()
