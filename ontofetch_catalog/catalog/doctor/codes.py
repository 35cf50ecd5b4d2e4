"""The table of findings: a stable code each, its severity, what it means, what finds it, its fixes, safe or unsafe.

How something is found is known to the checks; a code never changes its meaning and is never used again for another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

if TYPE_CHECKING:
    from ontofetch_hookspecs import Finding

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding: its name, and what it does, in a few words."""

    name: str
    does: str


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding.

    Args:
        code: CAT001 …
        check: The function in this folder that finds it, as `module:name`.
        severity: `error`, `warning` or `note`.
        meaning: A sentence.
        fixes: What may be done about it; which of them is safe depends on the case, and each finding says it.
        otherwise: What to do where there is no fix.
    """

    code: str
    check: str
    severity: str
    meaning: str
    fixes: tuple[Fix, ...] = ()
    otherwise: str = ""

    def fix(self, name: str) -> Fix | None:
        """Return the fix of that name, None if there is none."""
        return next((fix for fix in self.fixes if fix.name == name), None)


_BRING_BACK = "`ontofetch db restore BACKUP`, or `ontofetch db rebuild`"
_RESTORE = Fix("restore", "bring the bytes back from the artifact or another copy, after a check of their sha256")
_ACCEPT = Fix("accept", "hash an extracted file and record what is there")
_FAIL = Fix("fail", "mark an artifact as failed and keep its row")
_QUARANTINE = Fix("quarantine", "move it to `.catalog/quarantine`")

# fmt: off
CODES = (
    Code("CAT001", "housekeeping:check_intents", WARNING,
         "A boundary, or the swap of a restore or rebuild, is open: a process died inside it, or is inside it now.",
         otherwise="`ontofetch db recover`, or any command that writes"),
    Code("CAT002", "housekeeping:check_intents", WARNING,
         "An intent is unreadable, so what a dead process had moved is not known.",
         (_QUARANTINE,)),
    Code("CAT003", "checks:check_database", ERROR, "The catalog's database is gone.", otherwise=_BRING_BACK),
    Code("CAT004", "checks:check_database", ERROR, "The catalog's database can't be read.", otherwise=_BRING_BACK),
    Code("CAT005", "database:check_schema", WARNING, "The schema is behind this installation.",
         (Fix("migrate", "apply the pending migrations, after a copy of the database"),)),
    Code("CAT006", "database:check_schema", ERROR,
         "The schema is ahead of this installation.", otherwise="upgrade the package"),
    Code("CAT007", "database:check_schema", ERROR, "The schema is not what the migrations make.",
         otherwise="the installation that made it, else " + _BRING_BACK),
    Code("CAT008", "database:check_record", ERROR,
         "The catalog is behind its generation record: committed events are lost.",
         (Fix("accept", "give up what is lost and record what is there"),), otherwise=_BRING_BACK),
    Code("CAT009", "database:check_record", WARNING, "The generation record is missing or unreadable.",
         (Fix("write", "write it anew from the catalog as it is"),)),
    Code("CAT010", "database:check_chain", ERROR,
         "The chain of events is broken: one was changed, removed or added by hand.",
         otherwise=_BRING_BACK),
    Code("CAT011", "checks:check_rows", ERROR, "Two rows have the same key.",
         (Fix("deduplicate", "keep one of rows that are equal"),
          Fix("keep-newest", "of rows that differ, keep the one that was recorded last"))),
    Code("CAT012", "checks:check_rows", ERROR, "A row refers to nothing.", (Fix("drop", "remove the row"),)),
    Code("CAT013", "on_disk:check_files", WARNING, "A file of a release has no row.",
         (Fix("adopt", "hash it and record it"), _QUARANTINE),
         otherwise="`ontofetch db prune` takes many of them away by a plan"),
    Code("CAT014", "on_disk:check_files", ERROR, "A row has no file.",
         (_RESTORE, Fix("drop", "un-record it and what came out of it"), _FAIL)),
    Code("CAT015", "on_disk:check_files", ERROR,
         "The size of a file differs from its row.", (_RESTORE, _ACCEPT, _FAIL)),
    Code("CAT016", "contents:check_contents", ERROR,
         "The content of a file differs from its row (looked at with `--hash`, and where `db verify` found it).",
         (_RESTORE, _ACCEPT, _FAIL)),
    Code("CAT017", "on_disk:check_files", ERROR,
         "Below the sources or the data of a release is something that is no regular file.",
         (_RESTORE, _QUARANTINE)),
    Code("CAT018", "on_disk:check_files", WARNING, "A file of a release has a name that the catalog can't hold.",
         otherwise="rename or remove it"),
    Code("CAT019", "documents:check_latest", ERROR, "A LATEST.json differs from the latest pointer.",
         (Fix("catalog", "write LATEST.json from the pointer"), Fix("disk", "set the pointer from LATEST.json"))),
    Code("CAT020", "documents:check_releases", ERROR, "A manifest differs from the rows.",
         (Fix("rewrite", "write it from the rows"),)),
    Code("CAT021", "documents:check_releases", ERROR, "An audit differs from the rows.",
         (Fix("rewrite", "write it from the rows"),)),
    Code("CAT022", "housekeeping:check_leftovers", NOTE,
         "A stage was forgotten: nobody holds it, and it is older than its keep time.",
         (_QUARANTINE,)),
    Code("CAT023", "housekeeping:check_leftovers", NOTE, "Something in quarantine is older than its keep time.",
         (Fix("purge", "delete it for good"),)),
    Code("CAT024", "housekeeping:check_permissions", WARNING, "Others may change a part of the store.",
         (Fix("chmod", "take the right to write from everybody else"),), otherwise="give it to the owner of the store"),
    Code("CAT025", "housekeeping:check_wrappers", WARNING, "A plugin's wrapper lies outside of the catalog's.",
         otherwise="leave the plugin out with `--no-plugin`, or have it declared without a wrapper"),
    Code("CAT026", "checks:check_rows", ERROR, "A release has a layout that is not known here.",
         otherwise="load the plugin that knows it"),
    Code("CAT027", "checks:check_rows", ERROR, "A row breaks the rules of the catalog.", otherwise=_BRING_BACK),
    Code("CAT028", "unrecorded:check_releases", WARNING, "A release lies on disk and is not recorded.",
         (Fix("adopt", "record it: as its manifest says, else after hashing what is there"), _QUARANTINE)),
    Code("CAT029", "housekeeping:check_places", ERROR,
         "A link, or something else that does not belong there, lies in the place of a part of the store.",
         otherwise="look where it comes from, and move it away: nothing is read or written through it"),
    Code("CAT030", "checks:check_inside", NOTE,
         "Recorded names differ only in case or normal form, and are not portable: where these are folded they are one"
         " file or folder.",
         otherwise="nothing, as long as the store stays where case counts; `ontofetch pull --portable` refuses them"),
    Code("CAT031", "checks:check_inside", ERROR, "The key by which a release is sorted is not that of its version.",
         (Fix("recompute", "record the key that its version gives"),)),
    Code("CAT032", "checks:check_rows", ERROR, "Where an artifact came from is not among its origins.",
         (Fix("recompute", "record what the artifact's own row says"),)),
    Code("CAT033", "housekeeping:check_strangers", NOTE,
         "Something lies in the catalog's own folder that the catalog did not put there.",
         (_QUARANTINE,), otherwise="move it away: that folder is the catalog's alone"),
    Code("CAT034", "of_plugins:check_all", WARNING, "A check of a plugin failed, so what it looks for is not known.",
         otherwise="mend the plugin, or leave it out with `--no-plugin`"),
    Code("CAT035", "terms_tables:check_tables", WARNING, "A table of terms is lost or damaged.",
         (Fix("drop", "forget the facts; `ontofetch db facts` makes them again, and what lies there is kept aside"),)),
    Code("CAT036", "terms_tables:check_tables", NOTE, "A table of terms lies on disk and is not recorded.",
         (Fix("adopt", "record the facts that it has in itself"), _QUARANTINE)),
    Code("CAT037", "terms_tables:check_tables", NOTE, "There are facts of a content that no release holds any more.",
         (Fix("drop", "forget them; the table is kept aside"),)),
    Code("CAT038", "checks:check_inside", ERROR,
         "The number by which a file is found is not that of its content or of its name.",
         (Fix("recompute", "record the numbers anew"),)),
)
# fmt: on
BY_CODE = {code.code: code for code in CODES}


def as_contributions() -> list[Finding]:
    """Return what the catalog contributes through `register_findings`: every code, and where its check is."""
    from ontofetch_hookspecs import Finding

    return [
        Finding(code.code, code.severity, code.meaning, f"{__package__}.{code.check}", names, code.otherwise)
        for code in CODES
        for names in [tuple(fix.name for fix in code.fixes)]
    ]
