"""The `rntk-bench` command, also as `python -m rntk_bench`."""

from __future__ import annotations

import sys


def main() -> None:
    """Import the commands, in which time a user may press Ctrl-C, and run one."""
    try:
        from rntk_bench.cli import main as run
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # noqa: T201 - Click may not have been imported
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
