"""Reports on real releases, pulled as a user would, beside a recount of their archives that imports nothing of ours.

The archives are wheels, fetched by pip on the first run. The recount unzips, hashes and counts; RDF is parsed by
pyoxigraph alone.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import zipfile
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path, PurePosixPath

import pyoxigraph
import pytest
from rich.cells import cell_len

from ontofetch_catalog.analytics import Catalog
from tests.analytics.test_growth import naive
from tests.environments import download_wheel
from tests.programs import Program
from tests.releases import query

SERIES = {
    "brickschema": ("0.7.6", "0.7.8", "0.7.9", "0.8.0"),
    "case-utils": ("0.15.0", "0.16.0"),
    "linkml-model": ("1.7.0", "1.8.0", "1.12.0"),
}
RDF = {".ttl": pyoxigraph.RdfFormat.TURTLE, ".jsonld": pyoxigraph.RdfFormat.JSON_LD}
PAIRS = [
    (f"pypi/{name}/{a}", f"pypi/{name}/{b}")
    for name, versions in SERIES.items()
    for a, b in itertools.pairwise(versions)
]
Archive = dict[str, bytes]


@pytest.fixture(scope="module")
def archives() -> dict[str, Archive]:
    """Return version_id → path → bytes, as the zip files have them."""
    found = {}
    for name, versions in SERIES.items():
        for version in versions:
            with zipfile.ZipFile(download_wheel(name, version)) as wheel:
                members = [member for member in wheel.infolist() if not member.is_dir()]
                found[f"pypi/{name}/{version}"] = {member.filename: wheel.read(member) for member in members}
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store into which the releases were pulled, in another order than that of their series."""
    program = Program(tmp_path_factory.mktemp("real") / "store")
    for name, versions in SERIES.items():
        for version in reversed(versions):
            # two releases are enough to compare results
            validated = f"{name} {version}" in ("linkml-model 1.8.0", "linkml-model 1.12.0")
            validate = () if validated else ("--no-validate",)
            names = ("--service", "pypi", "--ontology", name, "--version", version)
            done = program.run("pull", str(download_wheel(name, version)), *names, *validate, "--accept-failures", "-q")
            assert done.returncode == (3 if validated else 0), done.stderr
    return program.root


@pytest.fixture(scope="module", params=["catalog", "audits"])
def catalog(root: Path, request: pytest.FixtureRequest) -> Catalog:
    """Return the store, with and without its database."""
    return Catalog.open(root) if request.param == "catalog" else Catalog.from_audits(root)


def of_kind(archive: Archive, *suffixes: str) -> Archive:
    """Return the files whose names end so."""
    return {path: data for path, data in archive.items() if PurePosixPath(path).suffix in suffixes}


@pytest.mark.parametrize(
    ("a", "b", "suffixes", "expected"),
    [
        ("brickschema/0.7.6", "brickschema/0.7.8", (".ttl",), {"MODIFIED": 2, "ADDED": 37}),
        ("brickschema/0.7.8", "brickschema/0.7.9", (".ttl",), {"MODIFIED": 4, "REMOVED": 16}),
        ("brickschema/0.7.9", "brickschema/0.8.0", (".ttl",), {"ADDED": 9}),
        ("case-utils/0.15.0", "case-utils/0.16.0", (".ttl",), {"MODIFIED": 6, "ADDED": 2}),
        ("linkml-model/1.7.0", "linkml-model/1.8.0", (".ttl", ".jsonld"), {}),
        ("linkml-model/1.8.0", "linkml-model/1.12.0", (".ttl", ".jsonld"), {"MODIFIED": 36}),
    ],
)
def test_growth_is_what_is_known_of_these_releases(
    catalog: Catalog, a: str, b: str, suffixes: tuple[str, ...], expected: dict[str, int]
) -> None:
    """The ontology files that were added, removed and rewritten are those that others counted by sha256."""
    rows = catalog.growth(a, b)["changes"].rows(named=True)
    found = Counter(row["change"] for row in rows if PurePosixPath(row["relpath"]).suffix in suffixes)
    assert found == expected


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_growth_equals_a_recount(catalog: Catalog, archives: dict[str, Archive], a: str, b: str) -> None:
    """Every changed file with its sizes, the sums per format, and churn apart."""
    expected = naive(archives[a], archives[b])
    report = catalog.growth(a, b, all=True)
    rows = report["changes"].rows(named=True)
    assert {(r["change"], r["relpath"], r["previous_relpath"]): (r["size_a"], r["size_b"]) for r in rows} == expected
    summary = report["summary"].row(0, named=True)
    sizes = [sum(map(len, archives[version].values())) for version in (a, b)]
    assert (summary["bytes_a"], summary["bytes_b"], summary["net_bytes"]) == (*sizes, sizes[1] - sizes[0])
    assert summary["churn_bytes"] == sum(
        size or 0 for (kind, _, _), (_, size) in expected.items() if kind == "MODIFIED"
    )
    formats = {row["format"]: row for row in report["formats"].rows(named=True)}
    turtle = [sum(map(len, of_kind(archives[version], ".ttl").values())) for version in (a, b)]
    assert formats["turtle"]["net_bytes"] == turtle[1] - turtle[0]


@pytest.mark.parametrize("name", SERIES)
def test_a_time_line_equals_a_recount(catalog: Catalog, archives: dict[str, Archive], name: str) -> None:
    """Releases stand in natural order, 0.15 before 0.16 and 1.8 before 1.12, each with its files, bytes and changes."""
    line = catalog.growth(series=name)["timeline"].rows(named=True)
    versions = [f"pypi/{name}/{version}" for version in SERIES[name]]
    assert [row["version_id"] for row in line] == versions
    for row in line:
        files = archives[row["version_id"]]
        assert (row["files"], row["size_bytes"]) == (len(files), sum(map(len, files.values())))
    for before, row in zip(versions, line[1:], strict=False):
        kinds = Counter(kind for kind, _, _ in naive(archives[before], archives[row["version_id"]]))
        assert {kind: row[kind.lower()] for kind in ("ADDED", "REMOVED", "MODIFIED", "RENAMED", "UNCHANGED")} == {
            kind: kinds[kind] for kind in ("ADDED", "REMOVED", "MODIFIED", "RENAMED", "UNCHANGED")
        }


@pytest.mark.parametrize("version_id", [f"pypi/{name}/{versions[-1]}" for name, versions in SERIES.items()])
def test_latest_equals_a_recount(catalog: Catalog, archives: dict[str, Archive], version_id: str) -> None:
    """Files, bytes, the bytes of Turtle, and the ten largest files."""
    files = archives[version_id]
    report = catalog.latest(version_id)
    row = report["summary"].row(0, named=True)
    assert (row["files"], row["size_bytes"]) == (len(files), sum(map(len, files.values())))
    turtle = of_kind(files, ".ttl")
    formats = {row["format"]: (row["files"], row["size_bytes"]) for row in report["formats"].rows(named=True)}
    assert formats["turtle"] == (len(turtle), sum(map(len, turtle.values())))
    largest = sorted(files.items(), key=lambda item: (-len(item[1]), item[0].encode()))[:10]
    assert report["largest"].select("relpath", "size_bytes").rows() == [(path, len(data)) for path, data in largest]


def parses(path: str, data: bytes) -> bool | None:
    """Return whether pyoxigraph reads a file to its end, None where it would have to reach for the network."""
    kind = RDF[PurePosixPath(path).suffix]
    try:
        return sum(1 for _ in pyoxigraph.parse(io.BytesIO(data), kind, base_iri="http://example.org/")) >= 0
    except (SyntaxError, ValueError, OSError) as error:
        return None if "LoadDocumentCallback" in str(error) else False


def test_validation_equals_a_recount(catalog: Catalog, archives: dict[str, Archive]) -> None:
    """The files that fail are those that pyoxigraph does not read; what was fixed is what it reads now."""
    outcomes = {
        version: {
            path: parses(path, data) for path, data in of_kind(archives[f"pypi/linkml-model/{version}"], *RDF).items()
        }
        for version in ("1.8.0", "1.12.0")
    }
    before, now = outcomes["1.8.0"], outcomes["1.12.0"]
    report = catalog.validation("linkml-model/1.12.0", against="linkml-model/1.8.0")
    assert report["failures"]["relpath"].to_list() == sorted(path for path, fine in now.items() if fine is False)
    assert report["failures"]["reason"].str.len_chars().min() > 0
    row = report["summary"].row(0, named=True)
    counts = Counter(now.values())
    assert counts[None] >= 1
    # what no validator looks at is ShEx
    assert (row["passed"], row["failed"], row["not_judged"]) == (counts[True], counts[False], counts[None] + 16)
    both = [(before[path], now[path]) for path in now.keys() & before.keys()]
    assert row["fixed"] == both.count((False, True))
    assert row["regressed"] == both.count((True, False)) + both.count((None, False))
    assert row["failed"] >= 1


def test_hotspots_equal_a_recount(catalog: Catalog, archives: dict[str, Archive]) -> None:
    """Bytes and files of each folder over all releases, the largest first, with what they hold together."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for files in archives.values():
        for path, data in files.items():
            entry = sums[str(PurePosixPath(path).parent)]
            entry[0], entry[1] = entry[0] + len(data), entry[1] + 1
    rows = catalog.hotspots("folder")["folders"]
    ordered = sorted(((folder, *numbers) for folder, numbers in sums.items()), key=lambda row: (-row[1], row[0]))
    assert rows.select("folder", "size_bytes", "files").rows() == ordered
    whole = sum(size for _, size, _ in ordered)
    assert rows["cumulative_share"].to_list()[2] == pytest.approx(sum(size for _, size, _ in ordered[:3]) / whole)


def test_duplicates_equal_a_recount(catalog: Catalog, archives: dict[str, Archive]) -> None:
    """What storing each content once would save, inside releases and across them."""
    copies: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    inside = 0
    for files in archives.values():
        here = Counter(hashlib.sha256(data).hexdigest() for data in files.values())
        sizes |= {hashlib.sha256(data).hexdigest(): len(data) for data in files.values()}
        copies += here
        inside += sum((count - 1) * sizes[content] for content, count in here.items())
    report = catalog.duplicates()
    row = report["summary"].row(0, named=True)
    saved = sum((count - 1) * sizes[content] for content, count in copies.items())
    assert (row["saved_bytes"], row["repeated_bytes"], row["shared_bytes"]) == (saved, inside, saved - inside)
    assert (row["files"], row["contents"], row["versions"]) == (sum(copies.values()), len(copies), len(archives))
    found = {row["file_id"]: row["copies"] for row in report["contents"].rows(named=True)}
    assert found == {content: count for content, count in copies.items() if count > 1}


def test_reports_equal_the_views(root: Path) -> None:
    """Each report says what the views and macros of the catalog say in SQL."""
    sql = partial(query, root)
    catalog = Catalog.open(root)
    stats = "version_id, files, size_bytes, formats, passed, failed, not_judged, not_validated"
    latest = catalog.latest()
    assert latest["summary"].select(stats.split(", ")).rows() == sql(
        f"SELECT {stats} FROM v_version_stats JOIN v_latest USING (version_id) ORDER BY version_id"
    )
    assert sorted(latest["formats"].select("version_id", "format", "files", "size_bytes").rows()) == sql(
        "SELECT version_id, format, files, size_bytes FROM v_latest_formats ORDER BY ALL"
    )
    kinds = "added, removed, modified, renamed, unchanged, bytes_a, bytes_b, net_bytes, churn_bytes"
    for a, b in PAIRS:
        growth = catalog.growth(a, b, all=True)
        assert growth["summary"].select(kinds.split(", ")).rows() == sql(
            f"SELECT {kinds} FROM version_delta_summary('{a}', '{b}')"
        )
        assert sorted(growth["formats"].select("format", *kinds.split(", ")).rows()) == sql(
            f"SELECT format, {kinds} FROM version_delta_formats('{a}', '{b}') ORDER BY ALL"
        )
        assert growth["changes"].select("change", "relpath").height == len(
            sql(f"SELECT 1 FROM version_delta_files('{a}', '{b}')")
        )
    now, before = "pypi/linkml-model/1.12.0", "pypi/linkml-model/1.8.0"
    validation = catalog.validation(now, against=before)
    assert validation["failures"].select("relpath", "validator").rows() == sql(
        f"SELECT relpath, validator FROM v_validation_failures WHERE version_id = '{now}' ORDER BY ALL"
    )
    changed = f"SELECT change, count(*) FROM version_validation_delta('{before}', '{now}') WHERE change <> 'UNCHANGED'"
    assert dict(Counter(validation["changes"]["change"].to_list())) == dict(sql(f"{changed} GROUP BY ALL"))
    hotspots = catalog.hotspots("format")["formats"].select("format", "files", "size_bytes").rows()
    assert sorted(hotspots) == sql(
        "SELECT format, count(*), sum(size_bytes)::BIGINT FROM extracted_files GROUP BY format ORDER BY ALL"
    )
    shares = catalog.duplicates()["summary"].select("files", "size_bytes", "contents", "unique_bytes").rows()
    assert shares == sql(
        "SELECT sum(copies)::BIGINT, sum(copies * size)::BIGINT, count(*), sum(size)::BIGINT FROM (SELECT file_id,"
        " count(*) AS copies, any_value(size_bytes) AS size FROM extracted_files GROUP BY file_id)"
    )


@pytest.mark.parametrize("width", [60, 80, 132, 200])
def test_tables_fit_the_width(root: Path, width: int) -> None:
    """No line of any table is wider than the terminal, and the words that say what a row is about are not cut away."""
    catalog = Catalog.open(root)
    results = [
        catalog.latest(),
        catalog.growth("brickschema/0.7.8", "brickschema/0.7.9"),
        catalog.growth("brickschema/0.7.8", "brickschema/0.7.9", by="folder"),
        catalog.growth(series="brickschema", every="month"),
        catalog.validation("linkml-model/1.12.0", against="linkml-model/1.8.0", by="path", last=3),
        catalog.hotspots("folder"),
        catalog.duplicates(),
    ]
    for result in results:
        lines = result.as_table(width=width).splitlines()
        assert max(map(cell_len, lines)) <= width
        assert result.as_table(width=10**6, top=None).count("…") == 0
    assert "Brick.ttl" in results[1].as_table(width=width)
