"""The address of an executor: how it is written, which kinds there are, what each of them needs.

Nothing is connected to here.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from ontofetch_hookspecs.errors import UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

LOCAL = "local"
PORT = 8786  # where a scheduler of Dask listens if nobody says otherwise
# what is shown may be logged, where an address without a real port is taken for one with a secret
_KINDS = "Write local, dask://cluster.example.org:8786, dask+tls://cluster.example.org:8786, or slurm:8."
_DASK = re.compile(r"dask(\+tls)?://(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?/?")
_SLURM = re.compile(r"slurm:([0-9]{1,4})")
# what is imported for each kind → the extra that brings it
_NEEDS = {"dask": ("distributed", "dask"), "slurm": ("dask_jobqueue", "slurm")}


@dataclass(frozen=True, slots=True)
class Address:
    """Which executor is meant.

    Args:
        kind: `dask` or `slurm`.
        shown: How it is called in sentences; without secrets, for it can't have any.
        scheduler: Where a scheduler of Dask listens, as Dask writes it.
        jobs: How many jobs Slurm is asked for.
    """

    kind: str
    shown: str
    scheduler: str = ""
    jobs: int = 0


def read_address(text: str) -> Address | None:
    """Return which executor an address means; None for the processes of this machine.

    Raises:
        UsageError: It is no address, or what it needs is not installed.
    """
    if text in ("", LOCAL):
        return None
    found = _read(text)
    module, extra = _NEEDS[found.kind]
    if find_spec(module) is None:
        raise UsageError(
            f"The executor {found.shown} needs the package {module.replace('_', '-')}, which is not installed.",
            subject="executor",
            hint=f"Install it with `pip install 'ontofetch-catalog[{extra}]'`, and run the same command again.",
        )
    return found


def _read(text: str) -> Address:
    if match := _DASK.fullmatch(text):
        tls, host, port = match.groups()
        if int(port or PORT) < 1 << 16:
            place = f"{host}:{int(port or PORT)}"
            return Address("dask", f"dask{tls or ''}://{place}", f"{'tls' if tls else 'tcp'}://{place}")
    if (match := _SLURM.fullmatch(text)) and int(match[1]):
        return Address("slurm", f"slurm:{int(match[1])}", jobs=int(match[1]))
    # somebody may have written a password into it
    scheme, mark, _ = text.partition("://")
    shown = quote(text)
    if set(text) & set("@?#"):
        shown = f"{quote(scheme)}://…" if mark else "What is given"
    raise UsageError(f"{shown} is no address of an executor.", subject="executor", hint=_KINDS)
