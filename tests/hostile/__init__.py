"""Hostile and broken input, made by code: each case is refused with reasons or read right.

The cases run in child processes under the system's limits on memory and time (`child`), several
in one; `make hostile` measures them for `docs/results/hostile.json` (`report`).
"""
