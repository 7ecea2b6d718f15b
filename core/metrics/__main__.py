"""Command line: ``python -m core.metrics --model DIR --data DIR``."""

from core.metrics.measure import main

main()
