"""`github:owner/repository`: the releases of a repository, and the files that hang on each."""

from __future__ import annotations

from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers

_PAGE = 100
_MOST_PAGES = 10
_HEADERS = {"Accept": "application/vnd.github+json"}


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the files of all final releases; of one without files the archive of its sources.

    Raises:
        FetchError: The server can't be asked.
    """
    owner, _, name = answers.checked_name(query, r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "owner/repository").partition("/")
    place = answers.address(query.base, "repos", owner, name, "releases")
    for page in range(1, _MOST_PAGES + 1):
        releases = answers.objects(
            {"all": answers.ask_json(query, f"{place}?per_page={_PAGE}&page={page}", _HEADERS)}, "all"
        )
        for release in releases:
            if release.get("draft") or release.get("prerelease"):
                continue
            tag = answers.text(release, "tag_name")
            shared = {
                "version": answers.version_of(tag),
                "released": answers.day(answers.text(release, "published_at")),
            }
            files = [
                shared
                | {
                    "url": answers.text(file, "browser_download_url"),
                    "name": answers.text(file, "name"),
                    "checksum": (answers.text(file, "digest") or "").lower() or None,
                }
                for file in answers.objects(release, "assets")
            ]
            whole = shared | {
                "url": answers.text(release, "tarball_url"),
                "name": f"{name}-{shared['version']}.tar.gz",
            }
            yield from answers.versions([item for item in files or [whole] if shared["version"]])
        if len(releases) < _PAGE:
            return
