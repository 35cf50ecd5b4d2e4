"""The work whose memory is measured, each piece in a process of its own: `python -m benchmarks.jobs NAME WORDS`.

A job is a generator: what comes before its `yield` (imports) does not count, the rest does.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

Job = Generator[None, None, int]


def extract(root: str, table: str) -> Job:
    """Read a table and record it as a release's files; return the size of the table in bytes."""
    import pyarrow as pa

    from .bench_extract import record

    yield
    with pa.OSFile(table) as file, pa.ipc.open_stream(file) as reader:
        files = reader.read_all()
    record(Path(root), files)
    return int(files.nbytes)


def report(root: str, source: str, name: str, *parameters: str) -> Job:
    """Run a report from the `catalog` or from `audits`; return the number of rows of its main frame."""
    from ontofetch_catalog.analytics.catalog import Catalog

    # what a report imports is no part of its work
    import_module(f"ontofetch_catalog.analytics.reports.{name}")
    yield
    catalog = Catalog.open(root) if source == "catalog" else Catalog.from_audits(root)
    found = catalog.report(name, **dict(word.split("=", 1) for word in parameters))
    return max(len(frame) for frame in found.frames.values())


def doctor(root: str) -> Job:
    """Examine a store; return the number of files looked at."""
    import duckdb  # noqa: F401 - the libraries are no part of the work
    import pyarrow.compute  # noqa: F401

    from ontofetch_catalog.catalog.connection import Store
    from ontofetch_catalog.catalog.doctor.examine import examine

    yield
    return examine(Store(Path(root))).entries


def doctor_hash(root: str) -> Job:
    """Examine a store and hash all of its files; return the number of files looked at."""
    import duckdb  # noqa: F401 - the libraries are no part of the work
    import pyarrow.compute  # noqa: F401

    from ontofetch_catalog.catalog.connection import Store
    from ontofetch_catalog.catalog.doctor.examine import examine

    yield
    return examine(Store(Path(root)), hashing=True).entries


def orphans(root: str) -> Job:
    """Look for orphans and write a plan; return the number of its entries."""
    import duckdb  # noqa: F401 - the libraries are no part of the work
    import pyarrow.compute  # noqa: F401

    from ontofetch_catalog.catalog.connection import Store

    from .bench_maintenance import planned

    yield
    return len(planned(Store(Path(root))).entries)


def verify(root: str) -> Job:
    """Verify a store; return the number of files looked at."""
    import duckdb  # noqa: F401 - the libraries are no part of the work
    import pyarrow.compute  # noqa: F401

    from ontofetch_catalog.catalog.connection import Store

    from .bench_maintenance import verified

    yield
    return verified(Store(Path(root))).checked_files


def rebuild(root: str) -> Job:
    """Make a catalog anew from the documents beside its releases; return the number of its rows."""
    import duckdb  # noqa: F401 - the libraries are no part of the work
    import pyarrow.compute  # noqa: F401

    from ontofetch_catalog.catalog.connection import Store
    from ontofetch_catalog.catalog.rebuild.build import rebuild

    yield
    made = rebuild(Store(Path(root)), replace=True)
    if {release.source for release in made.releases} != {"documents"}:
        raise RuntimeError(f"{made.releases} were not recorded as their documents say")
    return sum(release.rows for release in made.releases)


def facts(path: str, table: str) -> Job:
    """Tell the facts of a file of Turtle; return the number of its statements."""
    from ontofetch_catalog.host.checks.rdf import tell_rdf

    yield
    told = tell_rdf(path, "turtle", table)[2]
    return int(told["triples"]) if told else 0


JOBS = {
    "facts": facts,
    "extract": extract,
    "report": report,
    "doctor": doctor,
    "doctor_hash": doctor_hash,
    "orphans": orphans,
    "verify": verify,
    "rebuild": rebuild,
}


def peak() -> int:
    """Return the peak of this process's resident memory in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss of a child begins with the size of its parent
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(name: str, *words: str) -> None:
    """Run a job and print its peaks as JSON."""
    job = JOBS[name](*words)
    next(job)
    before = peak()
    try:
        next(job)
    except StopIteration as done:
        print(json.dumps({"before": before, "after": peak(), "told": done.value}))


if __name__ == "__main__":
    main(*sys.argv[1:])
