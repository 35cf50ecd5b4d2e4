"""The event of what changes, by hand, what is recorded already: removed, renamed, taken back."""

from __future__ import annotations

from datetime import datetime

from .errors import EventError
from .event_checks import check_flag
from .events import Event
from .layout import split_version_id
from .light_dataclasses import dataclass
from .names import check_relpath, check_segment, check_text, check_time, quote

# kind → what it is called in a sentence
KINDS = {
    "remove": "the removal of {}",
    "restore": "the return of {}",
    "swap": "the return of what was replaced in {}",
    "rename": "the renaming of {}",
    "latest": "another latest of {}",
    "pin": "a change of the pin of {}",
    "note": "a change of the notes of {}",
}
BY_ITSELF = ("remove", "rename", "latest")  # the others only take back what was done
_FIELDS = ("service", "ontology", "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReleases(Event):
    """What is recorded already is about to change, because somebody asks for it.

    Args:
        kind: What happens: one of KINDS.
        name: What it happens to, as it is called now: a release, a series, for `rename` also a service; empty where the
            releases of a plan come back, which need not be of one series.
        versions: The releases concerned, as they are called now; for `latest` the one that becomes latest, none where
            the series has no latest then.
        new_name: For `rename` what it will be called, with as many parts as `name`; else None.
        artifact: The artifact, where it is about one alone.
        undoes: Number of the event that it takes back, as `undo --list` shows it; None where it is no undo.
        adopted: Whether what was imported where it lies is removed, too.
        updated_by: Who asked for it, one line of text.
        decided_at: When, with a zone.
    """

    kind: str
    name: str
    versions: tuple[str, ...]
    new_name: str | None = None
    artifact: str | None = None
    undoes: int | None = None
    adopted: bool = False
    updated_by: str
    decided_at: datetime

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise EventError(
                f"kind is {quote(self.kind)}, no kind of change.", subject="kind", hint=f"Use {', '.join(KINDS)}."
            )
        self._check_undoes()
        self._check_names()
        if not isinstance(self.versions, tuple):
            raise EventError(f"versions is {quote(self.versions)}, not a tuple of releases.", subject="versions")
        for version_id in self.versions:
            split_version_id(version_id)
        if self.artifact is not None:
            check_relpath("artifact", self.artifact)
        check_flag("adopted", self.adopted)
        check_text("updated_by", self.updated_by, most=200, optional=False)
        check_time("decided_at", self.decided_at)

    @property
    def about(self) -> str:
        """Return what it is about, for a sentence."""
        many = len(self.versions)
        name = self.name or f"{many:,} {'release' if many == 1 else 'releases'}"
        if self.artifact is not None:
            name = f"{quote(self.artifact)} of {name}"
        return KINDS[self.kind].format(name) + (f" to {self.new_name}" if self.new_name else "")

    def _check_undoes(self) -> None:
        if self.undoes is None:
            if self.kind not in BY_ITSELF:
                raise EventError(
                    f"A {self.kind} takes back what was done, and undoes is None.",
                    subject="undoes",
                    hint="Say the number of the event; `ontofetch undo --list` shows it.",
                )
        elif not isinstance(self.undoes, int) or isinstance(self.undoes, bool) or not 0 < self.undoes < 1 << 63:
            raise EventError(f"undoes is {quote(self.undoes)}, not the number of an event.", subject="undoes")

    def _check_names(self) -> None:
        if self.name != "" or self.kind != "restore":
            check_name("name", self.name, services=self.kind == "rename")
        if (self.new_name is None) is (self.kind == "rename"):
            raise EventError("new_name belongs to a rename, and to nothing else.", subject="new_name")
        if self.new_name is None:
            return
        check_name("new_name", self.new_name, services=True)
        if self.new_name.count("/") != self.name.count("/"):
            raise EventError(
                f"new_name is {self.new_name}, which has not as many parts as {self.name}.", subject="new_name"
            )


def check_name(field: str, value: object, *, services: bool = False) -> str:
    """Check that a value is the whole name of a release or a series, with `services` also of a service.

    Raises:
        EventError: It is not.
    """
    parts = value.split("/") if isinstance(value, str) else []
    if not (1 if services else 2) <= len(parts) <= len(_FIELDS):
        raise EventError(
            f"{field} is {quote(value)}, neither a release nor a series.",
            subject=field,
            hint="Write it whole, as service/ontology/version or service/ontology.",
        )
    for part_name, part in zip(_FIELDS, parts, strict=False):
        check_segment(part_name, part)
    return "/".join(parts)
