"""Write the parts of docs that follow from the code: the reports' options, frames and schemas.

`python -m tests.report_documents` writes them; a test fails where they differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ontofetch_catalog.analytics.bare_rows import TABLES
from ontofetch_catalog.analytics.fields import Contract, Field, Section
from ontofetch_catalog.analytics.reports.duplicates import DUPLICATES
from ontofetch_catalog.analytics.reports.growth import GROWTH
from ontofetch_catalog.analytics.reports.growth_series import GROWTH_SERIES
from ontofetch_catalog.analytics.reports.hotspots import HOTSPOTS
from ontofetch_catalog.analytics.reports.impact import IMPACT
from ontofetch_catalog.analytics.reports.imports import IMPORTS
from ontofetch_catalog.analytics.reports.latest import LATEST
from ontofetch_catalog.analytics.reports.meaning import MEANING
from ontofetch_catalog.analytics.reports.meaning_series import MEANING_SERIES
from ontofetch_catalog.analytics.reports.quality import QUALITY
from ontofetch_catalog.analytics.reports.term import TERM
from ontofetch_catalog.analytics.reports.validation import VALIDATION
from ontofetch_catalog.plugins import analytics
from ontofetch_hookspecs import Report

DOCS = Path(__file__).parents[1] / "docs"
# document → contract; `growth` answers two questions
CONTRACTS: Mapping[str, Contract] = {
    "latest": LATEST,
    "growth": GROWTH,
    "growth-series": GROWTH_SERIES,
    "meaning": MEANING,
    "meaning-series": MEANING_SERIES,
    "impact": IMPACT,
    "quality": QUALITY,
    "imports": IMPORTS,
    "term": TERM,
    "validation": VALIDATION,
    "hotspots": HOTSPOTS,
    "duplicates": DUPLICATES,
}
TYPES = {"Int64": "integer", "Float64": "number", "Boolean": "boolean", "String": "string", "Categorical": "string"}
FORMATS = {"Date": "date", 'Datetime("us", "UTC")': "date-time"}


def frames_table(section: Section) -> str:
    """Return the columns of a frame as a Markdown table."""
    rows = [f"| `{field.name}` | `{field.dtype}` | {field.meaning} |" for field in section.fields]
    return "\n".join(
        [f"**`{section.name}`**: {section.title}", "", "| column | dtype | meaning |", "|---|---|---|", *rows]
    )


def options_table(report: Report) -> str:
    """Return the options of a report as a Markdown table."""
    rows = []
    for parameter in report.parameters:
        choices = f" ({', '.join(f'`{choice}`' for choice in parameter.choices)})" if parameter.choices else ""
        default = f"; default `{parameter.default}`" if parameter.default else ""
        rows.append(f"| `--{parameter.name}` | {parameter.help}{choices}{default} |")
    return "\n".join(["| option | meaning |", "|---|---|", *rows])


def blocks() -> dict[str, str]:
    """Return name → generated part of docs/reports.md and docs/python.md."""
    found = {}
    for report in analytics.register_reports():
        examples = "\n".join(f"ontofetch report {report.name} {example}".rstrip() for example in report.examples)
        found[f"options {report.name}"] = f"```\n{examples}\n```\n\n{options_table(report)}"
    for name, contract in {**CONTRACTS, "catalog": TABLES}.items():
        found[f"frames {name}"] = "\n\n".join(frames_table(section) for section in contract.sections)
    return found


def filled(text: str) -> str:
    """Return a document with its generated parts as they should be."""
    parts = blocks()

    def fill(found: re.Match[str]) -> str:
        return f"<!-- {found[1]} -->\n{parts[found[1]]}\n<!-- end -->"

    return re.sub(r"<!-- ((?:options|frames) [a-z-]+) -->\n.*?<!-- end -->", fill, text, flags=re.DOTALL)


def column_schema(field: Field) -> dict[str, Any]:
    """Return the JSON schema of a value."""
    if field.dtype.startswith("Enum("):
        words: list[Any] = field.dtype.removeprefix("Enum(").removesuffix(")").split(", ")
        return {"description": field.meaning, "enum": [*words, None]}
    if field.dtype in FORMATS:
        return {"description": field.meaning, "type": ["string", "null"], "format": FORMATS[field.dtype]}
    return {"description": field.meaning, "type": [TYPES[field.dtype], "null"]}


def row_schema(section: Section) -> dict[str, Any]:
    """Return the JSON schema of a row; what `--join` adds is text."""
    return {
        "title": section.title,
        "type": "object",
        "properties": {field.name: column_schema(field) for field in section.fields},
        "required": [field.name for field in section.fields],
        "additionalProperties": {"type": ["string", "null"]},
    }


def schema_of(name: str, contract: Contract) -> dict[str, Any]:
    """Return the JSON schema of what `report … --format json` prints."""
    rows = {
        section.name: {"type": "array", "items": {"$ref": f"#/$defs/{section.name}"}} for section in contract.sections
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"ontofetch report {contract.name} --format json",
        "description": "`rows` are those of the main section; `sections` has all of them where there are several.",
        "type": "object",
        "properties": {
            "rows": {"anyOf": list(rows.values())},
            "sections": {"type": "object", "properties": rows, "additionalProperties": False},
            "parameters": {
                "type": "object",
                "properties": {"report": {"const": contract.name}},
                "required": ["report"],
            },
        },
        "required": ["rows", "parameters"],
        "additionalProperties": False,
        "$defs": {section.name: row_schema(section) for section in contract.sections},
    }


def schemas() -> dict[Path, str]:
    """Return path → text of the schemas of all reports."""
    return {
        DOCS / f"schemas/report-{name}.json": json.dumps(schema_of(name, contract), indent=2, ensure_ascii=False) + "\n"
        for name, contract in CONTRACTS.items()
    }


def main() -> None:
    """Write all of them."""
    (DOCS / "schemas").mkdir(exist_ok=True)
    for path, text in schemas().items():
        path.write_text(text)
    for name in ("reports.md", "python.md"):
        path = DOCS / name
        path.write_text(filled(path.read_text()))


if __name__ == "__main__":
    main()
