"""The variants of maintenance of a store: prune, every fix of doctor, backup, restore, rebuild, verify, pins, sums.

Most take several steps, each of which is whole by itself. The other operations are not known here.
"""

from __future__ import annotations

from dataclasses import replace

from tests.catalog.doctor import damage

from . import damages, maintenance, scenarios
from .variant import Variant

_STEPS = tuple(
    Variant(
        name=name,
        build=build,
        run=maintenance.run(*words.split()),
        stepwise=True,
        exhaustive=False,
        # nearly the same calls as those of the one before
        by_turns=name == "prune/apply-with-facts",
    )
    for name, build, words in (
        ("prune/apply", maintenance.planned, "db prune --apply {plan}"),
        (
            "prune/apply-with-facts",
            maintenance.planning(scenarios.with_facts(maintenance.littered, "1.0", scenarios.FORMER)),
            "db prune --apply {plan}",
        ),
        ("backup/folder", scenarios.latest, "db backup"),
        ("share/hardlink", scenarios.equal, "db share --by hardlink"),
        # each time it is asked for it counts anew, with an event
        ("refresh/all", scenarios.latest, "db refresh"),
    )
)
_RESTORE = Variant(
    name="restore/older", build=maintenance.backed_up, run=maintenance.restored, stepwise=True, exhaustive=False
)
_AFTER_PRUNE = tuple(
    Variant(
        name=f"prune/{word}",
        build=maintenance.planned,
        lead=maintenance.applied,
        run=maintenance.run("db", "prune", f"--{word}", "{plan}"),
        stepwise=True,
        exhaustive=False,
        by_turns=True,
    )
    for word in ("restore", "purge")
)
# one by the whole command; the others from where it has found what is to be mended: to look at a store
# before and after would be most of what is disturbed, time and again
_WHOLE = ("migrate",)
FIXES = tuple(
    Variant(
        name=f"doctor/{name}",
        build=build if name in _WHOLE else maintenance.found(build),
        run=maintenance.run(*f"db doctor {words} --yes".split())
        if name in _WHOLE
        else maintenance.mended(*words.split()),
        words=tuple(words.split()),
        stepwise=True,
        exhaustive=False,
        by_turns=name in _WHOLE,
        again=name in ("accept-loss", "write-record"),
    )
    for name, build, words in (
        ("safe", maintenance.damaged, "--fix"),
        ("adopt-file", damages.harmed(damage.DAMAGE["CAT013"][0]), "--fix CAT013=adopt"),
        ("adopt-release", damages.harmed(damage.DAMAGE["CAT028"][0]), "--fix CAT028=adopt"),
        ("quarantine-file", damages.harmed(damage.DAMAGE["CAT013"][0]), "--fix CAT013=quarantine"),
        ("quarantine-release", damages.harmed(damage.DAMAGE["CAT028"][0]), "--fix CAT028=quarantine"),
        ("quarantine-stage", damages.harmed(damage.DAMAGE["CAT022"][0]), "--fix CAT022"),
        ("restore-files", damages.harmed(damages.files_gone), "--fix CAT014=restore"),
        ("restore-artifact", damages.harmed(damages.artifact_gone), "--fix CAT014=restore"),
        ("drop-file", damages.harmed(damage.DAMAGE["CAT014"][0]), "--fix CAT014=drop"),
        ("drop-dangling", damages.harmed(*damage.DAMAGE["CAT012"]), "--fix CAT012"),
        ("fail", damages.harmed(damages.artifact_gone), "--fix CAT014=fail"),
        ("accept-size", damages.harmed(damage.DAMAGE["CAT015"][0]), "--fix CAT015=accept"),
        ("accept-loss", damages.harmed(damage.DAMAGE["CAT008"][0]), "--fix CAT008"),
        ("write-record", damages.harmed(damage.DAMAGE["CAT009"][1]), "--fix CAT009"),
        ("rewrite-audit", damages.harmed(damage.DAMAGE["CAT021"][0]), "--fix CAT021"),
        ("pointer-from-disk", damages.harmed(damage.DAMAGE["CAT019"][1]), "--fix CAT019=disk"),
        ("deduplicate", damages.harmed(damage.DAMAGE["CAT011"][0]), "--fix CAT011=deduplicate"),
        ("purge", damages.harmed(damage.DAMAGE["CAT023"][0]), "--fix CAT023"),
        ("recompute-keys", damages.harmed(damage.DAMAGE["CAT031"][0]), "--fix CAT031"),
        ("recompute-origins", damages.harmed(damage.DAMAGE["CAT032"][0]), "--fix CAT032"),
        ("drop-facts", damages.harmed(damage.DAMAGE["CAT035"][1]), "--fix CAT035"),
        ("adopt-facts", damages.harmed(damage.DAMAGE["CAT036"][0]), "--fix CAT036=adopt"),
        ("chmod", damages.harmed(damage.DAMAGE["CAT024"][0], damage.DAMAGE["CAT024"][2]), "--fix CAT024"),
        ("migrate", scenarios.old_schema, "--fix CAT005"),
    )
)
_REBUILD = Variant(name="rebuild/", run=maintenance.rebuilt, stepwise=True, exhaustive=False, by_turns=True)
_REBUILDS = (
    replace(_REBUILD, name="rebuild/lost", build=damages.all_lost, again=True),
    replace(
        _REBUILD,
        name="rebuild/lost-with-facts",
        build=damages.database_lost_of(scenarios.with_facts(scenarios.latest, "2.0", scenarios.TEXTS)),
        again=True,
    ),
    replace(_REBUILD, name="rebuild/adopted", build=damages.never_had_a_catalog, again=True),
    replace(_REBUILD, name="rebuild/replacing", build=scenarios.latest, moves_log=True),
    replace(
        _REBUILD,
        name="rebuild/lost-while-publishing",
        after=("download/new", "publishing"),
        lead=damages.database_lost,
        again=True,
    ),
)
_VERIFY = Variant(
    name="verify/damaged",
    build=maintenance.bit_rotten,
    run=maintenance.verified,
    stepwise=True,
    exhaustive=False,
    by_turns=True,
)
_BOUNDARIES = tuple(
    Variant(name=name, build=build, run=scenarios.command(*words.split()), done=done, exhaustive=False, by_turns=True)
    for name, build, words, done in (
        ("pin/pinned", scenarios.latest, "db pin example/sample/1.0", "prune.pinned"),
        ("pin/unpinned", maintenance.pinned, "db pin --remove example/sample/1.0", "prune.unpinned"),
        ("rm/latest", maintenance.with_key(maintenance.noted), "rm example/sample/2.0 --yes", "rm.done"),
        ("rm/series", maintenance.with_key(scenarios.latest), "rm example/sample --yes", "rm.done"),
        (
            "rm/artifact",
            maintenance.with_key(scenarios.paired),
            "rm example/sample/2.0 --artifact b.zip --yes",
            "rm.done",
        ),
        ("mv/release", maintenance.noted, "mv example/sample/2.0 example/other/3.0", "mv.done"),
        ("mv/series", maintenance.noted, "mv example/sample other/sample --yes", "mv.done"),
        ("latest/unset", scenarios.latest, "db latest unset", "latest.unset"),
        ("note/added", scenarios.latest, "note example/sample/1.0 that-one", "note.added"),
        ("note/tag-removed", maintenance.noted, "tag example/sample/2.0 --remove published", "tag.removed"),
    )
)
_UNDONE = tuple(
    Variant(
        name=f"undo/{name}",
        build=build,
        lead=maintenance.done(*words.split()),
        run=maintenance.undone(kind),
        unique=kind == "rm.done",
        done=done,
        exhaustive=False,
        by_turns=True,
    )
    for name, build, words, kind, done in (
        ("rm", maintenance.noted, "rm example/sample/2.0 --yes", "rm.done", "rm.restored"),
        ("rm-artifact", scenarios.paired, "rm example/sample/2.0 --artifact b.zip --yes", "rm.done", "rm.restored"),
        ("mv", maintenance.noted, "mv example/sample/2.0 example/other/3.0", "mv.done", "mv.done"),
        ("latest", scenarios.validated, "db latest set example/sample/2.0", "latest.set", "latest.set"),
    )
)
_REPLACED = Variant(
    name="undo/replacement",
    build=maintenance.noted,
    lead=maintenance.replaced,
    run=maintenance.undone("download.done"),
    unique=True,
    done="rm.swapped",
    exhaustive=False,
    by_turns=True,
)
_IMPORTS = tuple(
    Variant(
        name=f"import/{name}",
        build=maintenance.with_tree_of_another(place),
        run=maintenance.run("db", "import", f"{{home}}/{place}", *words),
        stepwise=True,
        exhaustive=False,
        by_turns=True,
        copies=True,
    )
    for name, place, words in (
        ("in-place", "store/ontologies", ()),
        ("copied", "elsewhere", ("--copy", "--service", "obo")),
    )
)
CARE = (*_STEPS, _RESTORE, *_AFTER_PRUNE, *FIXES, *_REBUILDS, _VERIFY, *_BOUNDARIES, *_UNDONE, _REPLACED, *_IMPORTS)
