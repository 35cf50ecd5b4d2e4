"""Own the table of variants: for each operation that writes, the stores it starts from and what is asked of it.

What may happen to a store meanwhile, and what must hold then, is not known here.
"""

from __future__ import annotations

from . import care_variants, scenes
from .scenes import DATA, FORMER_DATA, OTHER, OTHERS, SECOND, TEXTS
from .variant import Variant

_DOWNLOADS = (
    Variant(
        name="download/first",
        build=scenes.with_file(scenes.empty, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/new",
        build=scenes.with_file(scenes.former, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
    ),
    Variant(
        name="download/identical",
        build=scenes.with_file(scenes.former, FORMER_DATA),
        run=scenes.download("1.0", FORMER_DATA),
        done="download.unchanged",
    ),
    Variant(
        name="download/replacing",
        build=scenes.with_file(scenes.latest, OTHER),
        run=scenes.download("2.0", OTHER, replace=True),
        done="download.done",
    ),
    Variant(
        name="download/replacing-one-of-two",
        build=scenes.with_file(scenes.paired, OTHER, "b.zip"),
        run=scenes.download("2.0", OTHER, artifact="b.zip", replace=True),
        done="download.done",
    ),
    Variant(
        name="download/second-artifact",
        build=scenes.with_file(scenes.extracted, SECOND, "b.zip"),
        run=scenes.download("2.0", SECOND, artifact="b.zip"),
        done="download.done",
    ),
    Variant(
        name="download/in-place",
        build=scenes.with_others(scenes.former, {"store/example/sample/2.0/src/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, None),
        done="download.done",
        volatile=("store/example/sample/2.0",),
    ),
    Variant(
        name="download/from-elsewhere",
        build=scenes.with_others(scenes.former, {"elsewhere/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, "elsewhere/a.zip"),
        done="download.done",
        copies=True,
    ),
    Variant(
        name="download/veto",
        build=scenes.with_file(scenes.former, DATA),
        run=scenes.download("2.0", DATA, plugins=(scenes.Refuses,)),
        done="download.rolled_back",
        refused="Veto",
    ),
)
_EXTRACTS = (
    Variant(
        name="extract/new",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.done",
    ),
    Variant(
        name="extract/identical",
        build=scenes.with_tree(scenes.validated, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.unchanged",
    ),
    Variant(
        name="extract/replacing",
        build=scenes.with_tree(scenes.validated, {"a.ttl": "ALPHA"}),
        run=scenes.extract("2.0", DATA, {"a.ttl": "ALPHA"}, include=("a.*",)),
        done="extract.done",
    ),
    Variant(
        name="extract/second-artifact",
        build=scenes.with_tree(scenes.half_paired, OTHERS),
        run=scenes.extract("2.0", SECOND, OTHERS, artifact="b.zip"),
        done="extract.done",
    ),
    Variant(
        name="extract/replacing-one-of-two",
        build=scenes.with_tree(scenes.paired, {"d/x.ttl": "X!", "n/w.ttl": "w"}),
        run=scenes.extract("2.0", SECOND, {"d/x.ttl": "X!", "n/w.ttl": "w"}, artifact="b.zip", strip=1),
        done="extract.done",
    ),
    Variant(
        name="extract/in-place",
        build=scenes.with_others(
            scenes.downloaded, {f"store/example/sample/2.0/data/{name}": text.encode() for name, text in TEXTS.items()}
        ),
        run=scenes.extract_from("2.0", DATA, TEXTS, None),
        done="extract.done",
        volatile=("store/example/sample/2.0/data",),
    ),
    Variant(
        name="extract/empty",
        build=scenes.with_tree(scenes.downloaded, {}),
        run=scenes.extract("2.0", DATA, {}),
        done="extract.done",
    ),
    Variant(
        name="extract/veto",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS, plugins=(scenes.Refuses,)),
        done="extract.rolled_back",
        refused="Veto",
    ),
)
_OTHERS = (
    Variant(name="validate/new", build=scenes.extracted, run=scenes.validate("2.0", TEXTS), done="validate.done"),
    Variant(
        name="validate/identical", build=scenes.validated, run=scenes.validate("2.0", TEXTS), done="validate.unchanged"
    ),
    Variant(
        name="validate/replacing",
        build=scenes.validated,
        run=scenes.validate("2.0", TEXTS, failing=("a.ttl",)),
        done="validate.done",
    ),
    Variant(
        name="validate/veto",
        build=scenes.extracted,
        run=scenes.validate("2.0", TEXTS, plugins=(scenes.Refuses,)),
        done="validate.rolled_back",
        refused="Veto",
    ),
    Variant(name="latest/moved", build=scenes.validated, run=scenes.set_latest("2.0"), done="latest.set"),
    Variant(name="latest/identical", build=scenes.latest, run=scenes.set_latest("2.0"), done="latest.unchanged"),
    Variant(
        name="latest/veto",
        build=scenes.validated,
        run=scenes.set_latest("2.0", plugins=(scenes.Refuses,)),
        done="latest.rolled_back",
        refused="Veto",
    ),
)
_PORTABLE = (
    Variant(
        name="download/in-place-without-syncfs",
        build=scenes.with_others(scenes.former, {"store/example/sample/2.0/src/a.zip": DATA}),
        run=scenes.download_from("2.0", DATA, None),
        done="download.done",
        volatile=("store/example/sample/2.0",),
        syncfs=False,
    ),
    Variant(
        name="extract/without-syncfs",
        build=scenes.with_tree(scenes.downloaded, TEXTS),
        run=scenes.extract("2.0", DATA, TEXTS),
        done="extract.done",
        syncfs=False,
    ),
)
_CATALOG = (
    Variant(
        name="create/by-migrate",
        run=scenes.command("db", "migrate"),
        done="migrate.done",
        decides=("rename", 1),
        exhaustive=False,
    ),
    Variant(
        name="create/by-download",
        build=scenes.with_file(scenes.nothing, DATA),
        run=scenes.download("2.0", DATA),
        done="download.done",
        decides=("commit", 2),
        volatile=("store",),
        exhaustive=False,
    ),
    Variant(
        name="migrate/two-pending",
        build=scenes.old_schema,
        run=scenes.command("db", "migrate"),
        done="migrate.done",
        anybody=True,
        exhaustive=False,
    ),
)
_BOUNDARIES = (*_DOWNLOADS, *_EXTRACTS, *_OTHERS, *_PORTABLE)
_RECOVERIES = tuple(
    Variant(
        name=f"recover/{origin.name.replace('/', '-')}-{point}",
        run=scenes.command("db", "recover"),
        after=(origin.name, point),
        exhaustive=False,
    )
    for origin in _BOUNDARIES
    if origin.name in ("download/replacing-one-of-two", "extract/second-artifact", "latest/moved")
    for point in ("publishing", "published", "committed", "forgetting")
)
VARIANTS: dict[str, Variant] = {
    variant.name: variant for variant in (*_BOUNDARIES, *_CATALOG, *_RECOVERIES, *care_variants.CARE)
}
