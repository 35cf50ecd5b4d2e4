"""Tests; under pytest, what they consist of is compiled once for all runs, whatever the environment says of it."""

import sys

WRITES_NO_BYTECODE = sys.dont_write_bytecode
if "pytest" in sys.modules:
    # before `conftest.py` imports Hypothesis, whose modules pytest would compile anew in each process
    sys.dont_write_bytecode = False
