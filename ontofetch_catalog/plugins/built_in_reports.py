"""The built-in reports: their names, what is said of them, their parameters and examples.

A plugin declares its own in the same way. No report is imported here.
"""

from __future__ import annotations

from ontofetch_hookspecs import Parameter, Report

_FOLDER = "ontofetch_catalog.analytics.reports"

REPORTS = (
    Report(
        "latest",
        "what releases hold: files, bytes, formats, validation, the largest files, growth since the one before",
        f"{_FOLDER}.latest:latest",
        (
            Parameter("version", "a release or a series (default: the latest release of each series)"),
            Parameter("as-of", "the day ages are counted to, like 2026-01-31 (default: today, UTC)"),
        ),
        ("", "--version hp", "--version obo/hp/2025-09-15 --json"),
    ),
    Report(
        "growth",
        "what changed from one release to another, churn apart from net growth",
        f"{_FOLDER}.growth:growth",
        (
            Parameter("a", "the earlier release (default: the one before B)"),
            Parameter("b", "the later release (default: the latest one of A's series, or of the only one)"),
            Parameter("by", "what the main rows are about", default="path", choices=("path", "format", "folder")),
            Parameter("all", "list unchanged files too", flag=True),
            Parameter("anyway", "compare also releases of two series", flag=True),
            Parameter("series", "a time line over the releases of this series instead"),
            Parameter("last", "a time line over the newest so many releases"),
            Parameter("every", "a time line by time instead of by release", choices=("week", "month")),
        ),
        (
            "--a hp/previous --b hp/latest",
            "--a 2025-08-01 --b 2025-09-15 --by format --top 5",
            "--series obo/hp --last 12 --plot growth.svg",
            "--series obo/hp --every month",
            "--out growth.parquet",
        ),
    ),
    Report(
        "meaning",
        "which terms were added, dropped, made obsolete, renamed, redefined, moved",
        f"{_FOLDER}.meaning:meaning",
        (
            Parameter("a", "the earlier release (default: the one before B)"),
            Parameter("b", "the later release (default: the latest one of A's series, or of the only one)"),
            Parameter("series", "counts over the releases of this series instead"),
            Parameter("last", "also the counts of so many releases up to B; of a series, its newest so many"),
            Parameter("file-a", "only this file of A"),
            Parameter("file-b", "only this file of B"),
            Parameter("terms-under", "only a term and those below it, or a namespace, by IRI, CURIE or prefix"),
            Parameter("mine", "only the terms of this list: a file with an IRI or CURIE a line"),
            Parameter(
                "by", "what the main rows are about", default="term", choices=("term", "kind", "prefix", "change")
            ),
            Parameter("anyway", "compare also releases of two series", flag=True),
        ),
        (
            "",
            "--a go/previous --b go/latest --format markdown --out notes.md",
            "--b go/latest --last 12 --format html --out changes.html",
            "--terms-under GO:0008150 --by kind",
            "--mine terms.txt --format kgcl",
            "--series obo/go --plot meaning.svg",
            "--series obo/go --mine terms.txt --by change",
        ),
    ),
    Report(
        "impact",
        "which terms of a list are obsolete, gone or changed, and what replaces them",
        f"{_FOLDER}.impact:impact",
        (
            Parameter("mine", "the list: a file with an IRI or CURIE a line, or CSV with a column iri", required=True),
            Parameter("a", "the release that changes are counted from (default: the one before B)"),
            Parameter("b", "the release that counts (default: the latest one of A's series, or of the only one)"),
            Parameter("anyway", "compare also releases of two series", flag=True),
        ),
        ("--mine terms.txt", "--mine terms.csv --b go/latest --format csv"),
    ),
    Report(
        "quality",
        "what there is to mend in the terms of a release: labels, definitions, replacements, parents, imports",
        f"{_FOLDER}.quality:quality",
        (Parameter("version", "the release (default: the latest one, if there is only one series)"),),
        ("", "--version go/latest --format html --out quality.html"),
    ),
    Report(
        "imports",
        "what a release imports, directly and through others, and which releases of the store satisfy that",
        f"{_FOLDER}.imports:imports",
        (Parameter("version", "the release (default: the latest one, if there is only one series)"),),
        ("", "--version brick/latest --format markdown"),
    ),
    Report(
        "validation",
        "how files fared with the validators, and what was fixed or broke since another release",
        f"{_FOLDER}.validation:validation",
        (
            Parameter("version", "the release (default: the latest one, if there is only one series)"),
            Parameter("against", "the release to compare with"),
            Parameter(
                "by", "what the main rows are about", default="validator", choices=("validator", "format", "path")
            ),
            Parameter("last", "also the rates of so many releases up to this one"),
            Parameter("anyway", "compare also releases of two series", flag=True),
        ),
        (
            "",
            "--version hp/latest --against hp/previous",
            "--version hp/latest --by path --format html --out validation.html",
            "--last 12 --plot validation.png",
        ),
    ),
    Report(
        "hotspots",
        "who dominates, with cumulative shares: what the top rows hold",
        f"{_FOLDER}.hotspots:hotspots",
        (
            Parameter(
                "by",
                "what is counted",
                default="service",
                choices=("service", "host", "folder", "format", "extension"),
            ),
            Parameter("metric", "by what it is ranked", default="bytes", choices=("bytes", "files", "failures")),
            Parameter("version", "only this release, or the releases of this series (default: all)"),
        ),
        ("", "--by folder --version hp/latest", "--by format --metric failures --plot hotspots.svg"),
    ),
    Report(
        "duplicates",
        "what is stored more than once, within and across releases, and what deduplication would save",
        f"{_FOLDER}.duplicates:duplicates",
        (Parameter("version", "only this release, or the releases of this series (default: all)"),),
        ("", "--version obo/hp --top 5", "--format markdown"),
    ),
)
