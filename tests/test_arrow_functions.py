"""The functions of Arrow that are made when they are asked for."""

from __future__ import annotations

import json
import subprocess
import sys

TOLD = """
import inspect, json, sys
{first}
import pyarrow.compute as pc
made = len(vars(pc))
told = {{
    name: [
        type(found).__name__,
        getattr(found, "__name__", ""),
        str(getattr(found, "__arrow_compute_function__", "")),
        str(inspect.signature(found)) if inspect.isfunction(found) else "",
    ]
    for name in dir(pc) if not name.startswith("_") and name != "docscrape" for found in [getattr(pc, name)]
}}
json.dump([made, told], sys.stdout)
"""
OURS = "import ontofetch_catalog.arrow_functions"
CALLED = """
from ontofetch_catalog.arrow_functions import compute as pc
import pyarrow, sys
import pyarrow.compute, pyarrow._compute, pyarrow.vendored
assert pyarrow.compute is pc
assert pyarrow.compute.function_registry is pyarrow._compute.function_registry
assert "pydoc" not in sys.modules and not hasattr(pyarrow.vendored, "docscrape")
values = pyarrow.chunked_array([[3, None, 1]])
assert pc.sum(values).as_py() == 4
assert pc.is_in(values, pyarrow.array([3])).to_pylist() == [True, False, False]
assert pc.is_in(values, value_set=pyarrow.array([None, 3]), skip_nulls=True).to_pylist() == [True, False, False]
assert pc.and_(True, False).as_py() is False and pc.or_ is getattr(pc, "or")
assert pyarrow.table({"a": values}).filter(pc.field("a") > 1)["a"].to_pylist() == [3]
from pyarrow.compute import min_max, fill_null
assert min_max(values).as_py() == {"min": 1, "max": 3}
for name in ("nothing", "hash_sum"):
    assert not hasattr(pc, name)
import pyarrow.parquet, pyarrow.dataset, pyarrow.acero
from pyarrow.vendored import docscrape
assert docscrape.NumpyDocString
"""
OTHERWISE = """
import sys
from ontofetch_catalog import arrow_functions
del sys.modules["pyarrow.compute"]
# what this version names while it is imported is not there then
arrow_functions._AT_ONCE = "nothing"
pc = arrow_functions._load()
assert pc is sys.modules["pyarrow.compute"] and len(vars(pc)) > 350 and not hasattr(pc, "__getattr__")
assert pc.sum([1, 2]).as_py() == 3
"""


def run(script: str) -> str:
    """Run a script in a process of its own and return what it prints."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_each_is_what_arrow_makes() -> None:
    """The module has the same names as ever, and each function the same parameters; few are there from the start."""
    (many, theirs), (few, ours) = (json.loads(run(TOLD.format(first=first))) for first in ("", OURS))
    assert ours == theirs
    assert few < many / 2


def test_they_compute_as_ever() -> None:
    """They are called with options or without, by us, by Arrow's own modules and by whoever imports the module."""
    run(CALLED)


def test_a_module_that_is_made_otherwise_is_imported_as_ever() -> None:
    """What does not fit this way leaves the whole module, with all of its functions."""
    run(OTHERWISE)
