"""Reports without the database: what each one asks for, from manifests and audits, scanned lazily.

Which releases there are is known to `manifests`, what changed to `deltas`; nothing is collected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from ...errors import UsageError
from .. import columns as c
from ..collect import Teller
from ..polars_pipelines.growth import change_totals, with_folder
from . import Reader, deltas
from .audit_lines import Audits
from .manifests import Manifest, read_manifests, resolve_series, resolve_version, versions_frame

_UNKNOWN = "unknown"
_TIME = pl.Datetime("us", "UTC")
_EARLIER = "earlier"
_COMPARED = (c.VERSION_ID, c.RELPATH, c.FILE_ID, c.FORMAT, c.SIZE)
_VERSION = (c.VERSION_ID, c.SLOT, c.PREVIOUS_VERSION_ID)
_SUMMED = (c.VERSION_ID, c.CHANGE, c.SIZE_A, c.SIZE_B)
_RESULT = (c.RELPATH, c.FORMAT, c.VALIDATOR, c.PASSED)


class AuditSource:
    """Read the manifests and audits below a root.

    Args:
        tell: Prints plans and times; None for none.
    """

    def __init__(self, root: Path, tell: Teller | None = None) -> None:
        self._root = root
        self._tell = tell

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Read the manifests; each question then scans the audits it needs."""
        yield AuditReader(self._root, read_manifests(self._root), self._tell)


class AuditReader:
    """Answer from audits; each method is one streaming query over those it needs.

    Args:
        root: The store, for sentences.
        manifests: version_id → manifest, each series in its order.
        tell: Prints plans and times; None for none.
    """

    def __init__(self, root: Path, manifests: dict[str, Manifest], tell: Teller | None = None) -> None:
        self._manifests = manifests
        folders = {version_id: manifest.folder for version_id, manifest in manifests.items()}
        self._audits = Audits(root, folders, tell)

    def has_asked(self) -> None:
        """Do nothing: documents are opened for each question."""

    def knows_facts(self) -> bool:
        """Return that nothing is known of what files say."""
        return False

    def nothing_known(self, subject: str) -> UsageError:
        """Return the error that says so."""
        return UsageError(
            "What files say, their terms and headers, is recorded in the catalog, not in audits.",
            subject=subject,
            hint="Leave out --from audits.",
        )

    def facts(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Refuse: what files say stands in the catalog alone."""
        raise self.nothing_known(", ".join(version_ids))

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.nothing_known("facts")

    # whoever asks for these has seen that nothing is known
    tabled_facts = told = heads = heads_among = term_table = term_columns = _refuse

    def resolve(self, name: str) -> str:
        """Return the version_id that `name` means."""
        return resolve_version(self._manifests, name)

    def resolve_series(self, name: str) -> str:
        """Return the series that `name` means."""
        return resolve_series(self._manifests, name)

    def versions(self, more: Sequence[str] = ()) -> pl.LazyFrame:
        """Return all releases."""
        return versions_frame(self._manifests).select(*_VERSION, *more)

    def files(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return the files of releases; when they were verified is not in an audit."""
        # null where nobody judged
        outcome = (pl.col(c.PASSED).min(), (pl.col(c.PASSED).count() == 0).alias(c.NOT_JUDGED))
        outcomes = self._audits.validations(version_ids).group_by(c.VERSION_ID, c.RELPATH).agg(outcome)
        never = pl.lit(None, _TIME).alias(c.VERIFIED_AT)
        return self._audits.settled(
            self._audits.extracted(version_ids)
            .join(outcomes, on=[c.VERSION_ID, c.RELPATH], how="left")
            .select(c.VERSION_ID, c.RELPATH, c.FORMAT, c.SIZE, never, c.PASSED, c.NOT_JUDGED)
        )

    def changes(
        self,
        pairs: Sequence[tuple[str, str]],
        columns: Sequence[str],
        *,
        unchanged: bool = False,
        most: int | None = None,
    ) -> pl.LazyFrame:
        """Return what changed from A to B for each pair."""
        asked = pl.LazyFrame(pairs, schema=dict.fromkeys((_EARLIER, c.VERSION_ID), pl.String), orient="row")
        ids = [version_id for pair in pairs for version_id in pair]
        files = self._audits.settled(self._audits.extracted(ids).select(_COMPARED))
        before = files.rename({c.VERSION_ID: _EARLIER}).join(asked, on=_EARLIER).drop(_EARLIER)
        now = files.join(asked, on=c.VERSION_ID, how="semi")
        found = deltas.file_changes(before, now, unchanged=unchanged).select(columns)
        return self._audits.settled(found if most is None else found.head(most))

    def change_sums(self, pairs: Sequence[tuple[str, str]]) -> pl.LazyFrame:
        """Return sums of what changed for each pair."""
        return change_totals(self.changes(pairs, _SUMMED), c.VERSION_ID)

    def totals(self, key: str, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return files and bytes per release and `key`."""
        sums = (pl.len().cast(pl.Int64).alias(c.FILES), pl.col(c.SIZE).sum())
        return self._audits.settled(
            with_folder(self._audits.extracted(version_ids)).group_by(c.VERSION_ID, key).agg(sums)
        )

    def file_count(self, version_id: str) -> pl.LazyFrame:
        """Return the number of files."""
        return self._audits.settled(self._audits.extracted([version_id]).select(pl.len().cast(pl.Int64).alias(c.FILES)))

    def results(self, version_id: str, columns: Sequence[str]) -> pl.LazyFrame:
        """Return the results of validators."""
        formats = self._audits.extracted([version_id]).select(c.RELPATH, c.FORMAT)
        return self._audits.settled(
            self._audits.validations([version_id]).join(formats, on=c.RELPATH).with_columns(_said()).select(columns)
        )

    def result_changes(self, a: str, b: str) -> pl.LazyFrame:
        """Return what became of results."""
        changes = self.changes([(a, b)], (c.CHANGE, c.RELPATH, c.PREVIOUS_RELPATH), unchanged=True)
        before, now = self.results(a, _RESULT), self.results(b, _RESULT)
        return self._audits.settled(deltas.result_changes(before, now, changes))

    def result_totals(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return results per release and validator."""
        passed = pl.col(c.PASSED)
        return self._audits.settled(
            self._audits.validations(version_ids)
            .group_by(c.VERSION_ID, c.VALIDATOR)
            .agg(
                pl.len().alias(c.RESULTS),
                passed.sum().alias(c.PASSED_FILES),
                (~passed).sum().alias(c.FAILED_FILES),
                passed.null_count().alias(c.UNJUDGED_FILES),
            )
            .select(c.VERSION_ID, c.VALIDATOR, c.RESULTS, c.PASSED_FILES, c.FAILED_FILES, c.UNJUDGED_FILES)
        )

    def hotspots(self, key: str, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return files, bytes and failures by `key`."""
        files = self._keyed(self._audits.extracted(version_ids), key)
        if self._audits.have_validations(version_ids):
            failing = self._audits.validations(version_ids).filter(~pl.col(c.PASSED)).select(c.VERSION_ID, c.RELPATH)
            failed = failing.unique().with_columns(pl.lit(value=True).alias(c.FAILED_FILES))
            files = files.join(failed, on=[c.VERSION_ID, c.RELPATH], how="left")
        else:
            # where nothing was validated the paths need not be read
            files = files.with_columns(pl.lit(None, pl.Boolean).alias(c.FAILED_FILES))
        return self._audits.settled(
            files.group_by(key)
            .agg(pl.len().cast(pl.Int64).alias(c.FILES), pl.col(c.SIZE).sum(), pl.col(c.FAILED_FILES).count())
            .with_columns(pl.col(c.FAILED_FILES).cast(pl.Int64))
        )

    def _keyed(self, files: pl.LazyFrame, key: str) -> pl.LazyFrame:
        if key == c.HOST:
            rows = [
                (manifest.version_id, artifact_id, host)
                for manifest in self._manifests.values()
                for artifact_id, host in manifest.hosts.items()
            ]
            hosts = pl.LazyFrame(
                rows, schema=dict.fromkeys((c.VERSION_ID, c.ARTIFACT_ID, c.HOST), pl.String), orient="row"
            )
            named = files.join(hosts, on=[c.VERSION_ID, c.ARTIFACT_ID], how="left")
            return named.with_columns(pl.col(c.HOST).fill_null(_UNKNOWN))
        extension = pl.col(c.RELPATH).str.extract(r"[^/]\.([^./]*)$").str.to_lowercase().fill_null("none")
        return with_folder(files).with_columns(
            pl.col(c.VERSION_ID).str.split("/").list.first().alias(c.SERVICE), extension.alias(c.EXTENSION)
        )

    def copies(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return contents stored more than once."""
        return self._audits.settled(
            self._audits.extracted(version_ids)
            .group_by(c.FILE_ID)
            .agg(
                pl.col(c.SIZE).first(),
                pl.len().cast(pl.Int64).alias(c.COPIES),
                pl.col(c.VERSION_ID).n_unique().cast(pl.Int64).alias(c.VERSIONS),
                pl.col(c.FORMAT).sort_by(c.RELPATH).first(),
                pl.col(c.RELPATH).min(),
            )
            .filter(pl.col(c.COPIES) > 1)
        )

    def shared(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return what releases hold and share."""
        held = (
            self._audits.extracted(version_ids)
            .group_by(c.VERSION_ID, c.FILE_ID)
            .agg(pl.col(c.SIZE).first(), pl.len().cast(pl.Int64).alias(c.COPIES))
        )
        size, copies = pl.col(c.SIZE), pl.col(c.COPIES)
        elsewhere = pl.len().over(c.FILE_ID) > 1
        return self._audits.settled(
            held.with_columns(elsewhere.alias(c.SHARED))
            .group_by(c.VERSION_ID)
            .agg(
                copies.sum().alias(c.FILES),
                (size * copies).sum(),
                (size * (copies - 1)).sum().alias(c.REPEATED),
                size.filter(pl.col(c.SHARED)).sum().alias(c.SHARED),
            )
        )

    def rows(
        self, table: str, columns: Sequence[str], version_id: str | None = None, most: int | None = None
    ) -> pl.LazyFrame:
        """Return bare rows.

        Raises:
            UsageError: The events are asked for, which no audit holds.
        """
        chosen = None if version_id is None else [version_id]
        if table == "files":
            found = self._audits.extracted(chosen).with_columns(pl.lit(None, _TIME).alias(c.VERIFIED_AT))
        elif table == "validations":
            found = self._audits.validations(chosen).with_columns(_said())
        else:
            raise UsageError(
                f"Audits hold no {table}.", subject=table, hint="Read the catalog, or events that were exported."
            )
        return self._audits.settled(found.select(columns) if most is None else found.select(columns).head(most))


def _said() -> list[pl.Expr]:
    """Return what details say: the first line of the reason, and where."""
    details = pl.col(c.DETAILS).struct
    passed = pl.col(c.PASSED)
    error, unjudged = (details.field(name).fill_null("").str.extract("^([^\r\n]*)") for name in (c.ERROR, c.NOT_JUDGED))
    reason = pl.when(~passed).then(error).when(passed.is_null()).then(unjudged).alias(c.REASON)
    return [reason, details.field(c.LINE), details.field(c.COLUMN)]
