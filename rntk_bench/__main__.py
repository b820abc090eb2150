"""`python -m rntk_bench` is the same as `rntk-bench`."""

from rntk_bench.cli import main

main()
