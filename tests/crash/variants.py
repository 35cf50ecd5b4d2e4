"""The table of variants: for each operation that writes, the stores it starts from and what is asked of it.

What may happen to a store meanwhile, and what must hold then, is not known here.
"""

from __future__ import annotations

from . import maintenance, maintenance_variants, scenarios
from .scenarios import DATA, EQUALS, FORMER_DATA, OTHER, OTHERS, SECOND, TEXTS
from .variant import Variant

_DOWNLOADS = (
    Variant(
        name="download/first",
        build=scenarios.with_file(scenarios.empty, DATA),
        run=scenarios.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/new",
        build=scenarios.with_file(scenarios.former, DATA),
        run=scenarios.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/identical",
        build=scenarios.with_file(scenarios.former, FORMER_DATA),
        run=scenarios.download("1.0", FORMER_DATA),
        done="download.unchanged",
    ),
    Variant(
        name="download/another-origin",
        build=scenarios.with_file(scenarios.former, FORMER_DATA),
        run=scenarios.download("1.0", FORMER_DATA, source_url="https://example.org/elsewhere/a.zip", etag='"2"'),
        done="download.done",
    ),
    Variant(
        name="download/replacing",
        build=maintenance.with_key(scenarios.with_file(scenarios.latest, OTHER)),
        run=scenarios.download("2.0", OTHER, replace=True),
        done="download.done",
    ),
    Variant(
        name="download/replacing-one-of-two",
        build=maintenance.with_key(scenarios.with_file(scenarios.paired, OTHER, "b.zip")),
        run=scenarios.download("2.0", OTHER, artifact="b.zip", replace=True),
        done="download.done",
        # as many calls as the one before, nearly the same ones
        exhaustive=False,
    ),
    Variant(
        name="download/second-artifact",
        build=scenarios.with_file(scenarios.extracted, SECOND, "b.zip"),
        run=scenarios.download("2.0", SECOND, artifact="b.zip"),
        done="download.done",
    ),
    Variant(
        name="download/in-place",
        build=scenarios.with_others(scenarios.former, {"store/example/sample/2.0/src/a.zip": DATA}),
        run=scenarios.download_from("2.0", DATA, None),
        done="download.done",
        volatile=("store/example/sample/2.0",),
    ),
    Variant(
        name="download/from-elsewhere",
        build=scenarios.with_others(scenarios.former, {"elsewhere/a.zip": DATA}),
        run=scenarios.download_from("2.0", DATA, "elsewhere/a.zip"),
        done="download.done",
        copies=True,
    ),
    Variant(
        name="download/veto",
        build=scenarios.with_file(scenarios.former, DATA),
        run=scenarios.download("2.0", DATA, plugins=(scenarios.Refuses,)),
        done="download.rolled_back",
        refused="Veto",
    ),
)
_EXTRACTS = (
    Variant(
        name="extract/new",
        build=scenarios.with_tree(scenarios.downloaded, TEXTS),
        run=scenarios.extract("2.0", DATA, TEXTS),
        done="extract.done",
    ),
    Variant(
        name="extract/identical",
        build=scenarios.with_tree(scenarios.validated, TEXTS),
        run=scenarios.extract("2.0", DATA, TEXTS),
        done="extract.unchanged",
    ),
    Variant(
        name="extract/replacing",
        build=scenarios.with_tree(scenarios.validated, {"a.ttl": "ALPHA"}),
        run=scenarios.extract("2.0", DATA, {"a.ttl": "ALPHA"}, include=("a.*",)),
        done="extract.done",
    ),
    Variant(
        name="extract/second-artifact",
        build=scenarios.with_tree(scenarios.half_paired, OTHERS),
        run=scenarios.extract("2.0", SECOND, OTHERS, artifact="b.zip"),
        done="extract.done",
    ),
    Variant(
        name="extract/replacing-one-of-two",
        build=scenarios.with_tree(scenarios.paired, {"d/x.ttl": "X!", "n/w.ttl": "w"}),
        run=scenarios.extract("2.0", SECOND, {"d/x.ttl": "X!", "n/w.ttl": "w"}, artifact="b.zip", strip=1),
        done="extract.done",
    ),
    Variant(
        name="extract/in-place",
        build=scenarios.with_others(
            scenarios.downloaded,
            {f"store/example/sample/2.0/data/{name}": text.encode() for name, text in TEXTS.items()},
        ),
        run=scenarios.extract_from("2.0", DATA, TEXTS, None),
        done="extract.done",
        volatile=("store/example/sample/2.0/data",),
    ),
    Variant(
        name="extract/sharing",
        build=scenarios.with_tree(scenarios.downloaded, EQUALS),
        run=scenarios.extract("2.0", DATA, EQUALS, share="hardlink"),
        done="extract.done",
    ),
    Variant(
        name="extract/empty",
        build=scenarios.with_tree(scenarios.downloaded, {}),
        run=scenarios.extract("2.0", DATA, {}),
        done="extract.done",
    ),
    Variant(
        name="extract/veto",
        build=scenarios.with_tree(scenarios.downloaded, TEXTS),
        run=scenarios.extract("2.0", DATA, TEXTS, plugins=(scenarios.Refuses,)),
        done="extract.rolled_back",
        refused="Veto",
    ),
)
_OTHERS = (
    Variant(name="validate/new", build=scenarios.extracted, run=scenarios.validate("2.0", TEXTS), done="validate.done"),
    Variant(
        name="validate/identical",
        build=scenarios.validated,
        run=scenarios.validate("2.0", TEXTS),
        done="validate.unchanged",
    ),
    Variant(
        name="validate/replacing",
        build=scenarios.validated,
        run=scenarios.validate("2.0", TEXTS, failing=("a.ttl",)),
        done="validate.done",
    ),
    Variant(
        name="validate/veto",
        build=scenarios.extracted,
        run=scenarios.validate("2.0", TEXTS, plugins=(scenarios.Refuses,)),
        done="validate.rolled_back",
        refused="Veto",
    ),
    Variant(
        name="validate/facts",
        build=scenarios.staging_facts(scenarios.extracted, TEXTS),
        run=scenarios.validate_with_facts("2.0", TEXTS),
        done="validate.done",
    ),
    Variant(
        name="validate/same-facts",
        build=scenarios.staging_facts(scenarios.with_facts(scenarios.validated, "2.0", TEXTS), TEXTS),
        run=scenarios.validate_with_facts("2.0", TEXTS),
        done="validate.unchanged",
    ),
    Variant(
        name="validate/facts-replacing",
        build=scenarios.staging_facts(
            scenarios.cut_tables(scenarios.with_facts(scenarios.validated, "2.0", TEXTS)), TEXTS
        ),
        run=scenarios.validate_with_facts("2.0", TEXTS),
        done="validate.done",
    ),
    Variant(name="latest/moved", build=scenarios.validated, run=scenarios.set_latest("2.0"), done="latest.set"),
    Variant(name="latest/identical", build=scenarios.latest, run=scenarios.set_latest("2.0"), done="latest.unchanged"),
    Variant(
        name="latest/veto",
        build=scenarios.validated,
        run=scenarios.set_latest("2.0", plugins=(scenarios.Refuses,)),
        done="latest.rolled_back",
        refused="Veto",
    ),
)
_PORTABLE = (
    Variant(
        name="extract/without-syncfs",
        build=scenarios.with_tree(scenarios.downloaded, TEXTS),
        run=scenarios.extract("2.0", DATA, TEXTS),
        done="extract.done",
        syncfs=False,
    ),
)
_CATALOG = (
    Variant(
        name="create/by-migrate",
        run=scenarios.command("db", "migrate"),
        done="migrate.done",
        decides=("rename", 1),
        exhaustive=False,
    ),
    Variant(
        name="create/by-download",
        build=scenarios.with_file(scenarios.nothing, DATA),
        run=scenarios.download("2.0", DATA),
        done="download.done",
        decides=("commit", 2),
        volatile=("store",),
        exhaustive=False,
    ),
    Variant(
        name="migrate/two-pending",
        build=scenarios.old_schema,
        run=scenarios.command("db", "migrate"),
        done="migrate.done",
        anybody=True,
        exhaustive=False,
    ),
)
_BOUNDARIES = (*_DOWNLOADS, *_EXTRACTS, *_OTHERS, *_PORTABLE)
_RECOVERIES = tuple(
    Variant(
        name=f"recover/{origin.name.replace('/', '-')}-{point}",
        run=scenarios.command("db", "recover"),
        after=(origin.name, point),
        exhaustive=False,
    )
    for origin in _BOUNDARIES
    if origin.name in ("download/replacing-one-of-two", "extract/second-artifact", "latest/moved")
    for point in ("publishing", "published", "committed", "forgetting")
)
VARIANTS: dict[str, Variant] = {
    variant.name: variant for variant in (*_BOUNDARIES, *_CATALOG, *_RECOVERIES, *maintenance_variants.CARE)
}
