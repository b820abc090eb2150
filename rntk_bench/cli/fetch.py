"""`rntk-bench fetch`: download datasets."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_datasets, known_datasets
from rntk_bench.cli._streams import say
from rntk_bench.errors import DataError, one_line


@click.command()
@click.argument(
    "names", metavar="[NAME|PATTERN|@FILE]...", nargs=-1, shell_complete=_completion.datasets
)
@click.option("--all", "all_datasets", is_flag=True, help="Fetch every dataset of the archive.")
@options.data_dir
@options.cache_dir
def fetch(
    names: tuple[str, ...], all_datasets: bool, data_dir: Path | None, cache_dir: Path | None
) -> None:
    """Download the datasets that are not on this machine yet.

    sktime downloads them, from its own sources. A dataset that cannot be had does not stop the
    others; the exit code is then 2. It is 3 if the folder of downloads cannot be written to. The
    environment variable RNTK_BENCH_MIRROR names another source: https://example.org/TSC for
    https://example.org/TSC/Beef.zip.
    """
    from tqdm import tqdm

    from rntk_bench.datasets import ARCHIVE, fetch_dataset, locate, needs_download
    from rntk_bench.datasets.download import missing_source_hint
    from rntk_bench.datasets.sktime_process import SktimeProcess

    if all_datasets == bool(names):
        raise click.UsageError("Give the names of the datasets, or --all.")
    chosen = list(ARCHIVE) if all_datasets else expand_datasets(names, known_datasets(data_dir))
    any_failed = False
    hint = missing_source_hint()
    # disable=None draws the progress bar on terminals only.
    progress = tqdm(chosen, disable=None, leave=False)
    with SktimeProcess() as sktime:
        for name in progress:
            try:
                location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
                if needs_download(location):
                    if hint:
                        with tqdm.external_write_mode():
                            say(hint, err=True)
                        hint = ""
                    done = (
                        f"downloaded to {fetch_dataset(name, cache_dir=cache_dir, sktime=sktime)}"
                    )
                else:
                    done = f"already here, from {location.source} ({location.paths[0].parent})"
                message, failed = f"{one_line(name)}: {done}", False
            except DataError as error:
                message, failed = f"Error: {error}", True
            with tqdm.external_write_mode():
                say(message, err=failed)
            any_failed = any_failed or failed
    if any_failed:
        raise click.exceptions.Exit(DataError.exit_code)
