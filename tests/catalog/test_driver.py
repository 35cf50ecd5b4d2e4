"""DuckDB's core alone, where plain statements are all that is wanted."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
from ontofetch_catalog.catalog import fsops
with fsops.plain_statements():
    core = fsops.driver()
    connection = fsops.open_database(sys.argv[1], {}, read_only=False)
    assert connection.execute("SELECT 1 AS a").fetchall() == [(1,)]
    print("duckdb" in sys.modules)
    try:
        connection.execute("SELECT nothing")
    except core.Error as error:
        kind = type(error)
import duckdb
with fsops.plain_statements():
    # it is there already
    assert fsops.driver() is duckdb
assert fsops.driver() is duckdb
assert issubclass(kind, duckdb.BinderException) and core.Error is duckdb.Error
# what was opened before has what the whole brings along
print(connection.sql("SELECT 2 AS a").fetchall())
"""
WITHOUT = """
import sys
sys.modules["_duckdb"] = None
from ontofetch_catalog.catalog import fsops
import types
whole = sys.modules["duckdb"] = types.ModuleType("duckdb")
del sys.modules["duckdb"]
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "duckdb":
            from importlib.machinery import ModuleSpec
            class Loader:
                create_module = staticmethod(lambda spec: whole)
                exec_module = staticmethod(lambda module: None)
            return ModuleSpec(name, Loader())
sys.meta_path.insert(0, Finder)
with fsops.plain_statements():
    print(fsops.driver() is whole)
"""


def printed(script: str, *words: str) -> list[str]:
    """Return the lines that a script prints."""
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_plain_statements_need_the_core_alone(tmp_path: object) -> None:
    """Statements run, errors are the same classes, and the rest comes with the first who imports it."""
    assert printed(SCRIPT, f"{tmp_path}/a.duckdb") == ["False", "[(2,)]"]


def test_without_such_a_core_it_is_the_whole() -> None:
    """A DuckDB that is made otherwise is used as a whole."""
    assert printed(WITHOUT) == ["True"]
