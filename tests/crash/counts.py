"""Calls.toml, the committed table of variants and their numbers of calls: fewer calls than there mean a hole."""

from __future__ import annotations

import tomllib
from pathlib import Path

TABLE = Path(__file__).with_name("calls.toml")


def read_table() -> dict[str, int]:
    """Return variant → number of calls, as committed."""
    found = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {f"{operation}/{name}": count for operation, rows in found.items() for name, count in rows.items()}


def write_table(calls: dict[str, int]) -> None:
    """Write the table anew."""
    lines = [
        "# How many calls of the seam each variant makes undisturbed (`python -m tests.crash calls` writes them);",
        "# a variant that makes fewer calls than its row fails the loop: something is no longer done, or not seen.",
    ]
    operation = ""
    for name, count in sorted(calls.items()):
        if name.partition("/")[0] != operation:
            operation = name.partition("/")[0]
            lines += ["", f"[{operation}]"]
        lines.append(f"{name.partition('/')[2]} = {count}")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def missing_calls(calls: dict[str, int]) -> list[str]:
    """Return a sentence for each variant that makes fewer calls than its row, or has none."""
    table = read_table()
    found = []
    for name, count in sorted(calls.items()):
        if name not in table:
            found.append(f"{name} has no row in {TABLE.name}: `python -m tests.crash calls` writes it")
        elif count < table[name]:
            found.append(f"{name} makes {count} calls, its row in {TABLE.name} says {table[name]}")
    return found
