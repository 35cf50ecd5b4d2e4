"""A list of what to pull, a CSV file with a heading or JSON lines: each row is a release, or an artifact of one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from ontofetch_hookspecs import EventError, UsageError
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.names import quote

from ...guesses import perhaps
from ...named_files import comma_of, open_named, text_fault
from ...series_file import Series
from ..given import read_date, read_globs, read_sha256, read_strip
from ..request import Request
from ..transport import Connections
from .asking import Asker
from .jobs import Job, Task, Wishes, job_of

MOST_BYTES = 64 << 20
MOST_ROWS = 100_000
COLUMNS = ("source", "service", "ontology", "version", "released", "name", "sha256", "include", "exclude", "strip")
_ALSO = {"url": "source", "series": "series"}  # `series` stands for service/ontology
Row = Mapping[str, str]


def read_list(path: Path, asker: Asker, wishes: Wishes) -> list[Job]:
    """Return a job for each row.

    Raises:
        UsageError: It can't be read, or a row is wrong; then nothing is pulled.
    """
    try:
        with open_named(path) as stream:
            data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(
                f"The list {quote(path)} is larger than {MOST_BYTES:,} bytes.",
                subject=str(path),
                hint="Split it, and pull one part after the other.",
            )
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = text_fault(data) if isinstance(error, UnicodeDecodeError) else error.strerror or error
        raise UsageError(
            f"The list {quote(path)} can't be read: {reason}.",
            subject=str(path),
            hint=f"Look at its name; it is CSV or JSON lines, with the columns {', '.join(COLUMNS)}.",
        ) from error
    lines = path.suffix.casefold() in (".jsonl", ".ndjson") or text.lstrip().startswith("{")
    rows = _json_rows(text) if lines else _csv_rows(text, comma_of(data))
    jobs: list[Job] = []
    for number, row in rows:
        if len(jobs) >= MOST_ROWS:
            raise UsageError(
                f"The list {quote(path)} has more than {MOST_ROWS:,} rows.",
                subject=str(path),
                hint="Split it, and pull one part after the other.",
            )
        jobs.append(_job(f"line {number:,} of {quote(path)}", row, asker, wishes))
    if not jobs:
        raise UsageError(
            f"The list {quote(path)} has no rows.",
            subject=str(path),
            hint=f"Its first line names columns: {', '.join(COLUMNS)}.",
        )
    return jobs


def _csv_rows(text: str, comma: str) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=comma, strict=True)
    try:
        heading = next(reader, [])
        names = [_column(name.strip().casefold(), "the first line") for name in heading]
        for cells in reader:
            where = f"Line {reader.line_num:,}"
            if not any(cells):
                continue
            if len(cells) > len(names):
                raise UsageError(
                    f"{where} has {len(cells)} cells, and the first line names {len(names)}.", subject=where
                )
            yield (
                reader.line_num,
                {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()},
            )
    except csv.Error as error:
        where = f"Line {reader.line_num:,}"
        raise UsageError(f"{where} is no CSV: {error}.", subject=where) from error


def _json_rows(text: str) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"Line {number:,}"
        if not line.strip():
            continue
        try:
            told = parse_json(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where} is no JSON: {str(error)[:200]}.", subject=where) from error
        if not isinstance(told, dict):
            raise UsageError(
                f"{where} is no JSON object.",
                subject=where,
                hint='Write one object a line, such as {"source": "…", "series": "obo/hp"}.',
            )
        row = {}
        for name, value in told.items():
            if isinstance(value, list) and all(isinstance(item, str) for item in value):
                row[_column(name, where)] = json.dumps(value)
            elif isinstance(value, str | int) and not isinstance(value, bool):
                row[_column(name, where)] = str(value)
            elif value is not None:
                raise UsageError(f"{where}: its {quote(name)} is no text.", subject=where, hint="Write it in quotes.")
        yield number, row


def _column(name: str, where: str) -> str:
    if name in COLUMNS or name in _ALSO:
        return _ALSO.get(name, name)
    raise UsageError(
        f"{where[:1].upper()}{where[1:]} has an unknown column {quote(name)}.",
        subject=name,
        hint=f"{perhaps(name, (*COLUMNS, *_ALSO))}Known are: {', '.join((*COLUMNS, *_ALSO))}.",
    )


def _job(where: str, row: Row, asker: Asker, wishes: Wishes) -> Job:
    series = row.get("series", "").split("/")
    service, ontology = row.get("service"), row.get("ontology")
    if len(series) == 2:
        service, ontology = service or series[0], ontology or series[1]
    source = row.get("source")
    if not source or not service or not ontology:
        lacking = next(
            name for name, value in (("source", source), ("service", service), ("ontology", ontology)) if not value
        )
        raise UsageError(
            f"In {where} there is no {lacking}.",
            subject=lacking,
            hint="Each row has a source, and a series such as obo/hp.",
        )
    try:
        if asker.is_name(source):
            return job_of(_series(row, service, ontology, source), asker, wishes)
        request = _request(where, row, wishes.request(source, service, ontology, name=row.get("name")))
        version = row.get("version", "")
        replace(request, version=version or None).check_names()
    except (UsageError, EventError) as error:
        raise UsageError(f"In {where}: {error.message}", subject=error.subject or where, hint=error.hint) from error
    return Job(f"{service}/{ontology}", partial(_task, request, version))


def _task(request: Request, version: str, _connections: Connections | None) -> Task:
    return Task([request], version)


def _request(where: str, row: Row, request: Request) -> Request:
    return replace(
        request,
        released=read_date(row.get("released"), "released"),
        sha256=read_sha256(row.get("sha256"), "sha256"),
        include=_globs(row, "include"),
        exclude=_globs(row, "exclude"),
        strip=read_strip(row.get("strip", "auto"), "strip"),
        expected_by=where,
    )


def _series(row: Row, service: str, ontology: str, source: str) -> Series:
    for name in ("released", "sha256", "name"):
        if name in row:
            raise UsageError(f"A registry says its {name} itself.", subject=name, hint="Leave it out.")
    return Series(
        service=service,
        ontology=ontology,
        source=source,
        version=row.get("version", ""),
        include=_globs(row, "include"),
        exclude=_globs(row, "exclude"),
        strip=str(read_strip(row.get("strip", "auto"), "strip")),
    )


def _globs(row: Row, name: str) -> tuple[str, ...]:
    text = row.get(name, "")
    if text.startswith('["'):
        return read_globs(name, json.loads(text))
    return read_globs(name, [text] if text else [])
