"""Damage for tests: one way, or several, to make exactly one kind of finding in a sound store; nothing else is touched.

Everything is done with the operating system and a connection of DuckDB's own, not with the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from tests.facts import VERSION as VERSION_OF_FACTS
from tests.facts import sealed_table, small
from tests.releases import take_schema_back

VERSION = "example/sample/1.0"
FOLDER = "example/sample/1.0"
TEXTS = {"a.ttl": "alpha", "d/b.ttl": "beta", "d/ü.ttl": "gamma"}
LONG_AGO = 1_000_000_000  # seconds since 1970


def execute(root: Path, *statements: str) -> None:
    """Run SQL on the catalog below a root."""
    connection = duckdb.connect(str(root / ".catalog/ontofetch.duckdb"))
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


def _open_intent(root: Path) -> None:
    boundary = "1" * 32
    content = {"format": 1, "boundary_id": boundary, "folders": [], "moves": [], "stages": []}
    (root / f".catalog/intents/{boundary}.json").write_text(json.dumps(content))


def _open_swap(root: Path) -> None:
    (root / ".catalog/restore.json").write_text(json.dumps({"moves of format 1": []}))


def _unreadable_intent(root: Path) -> None:
    (root / f".catalog/intents/{'2' * 32}.unreadable").write_text("{")


def _unreadable_json(root: Path) -> None:
    (root / f".catalog/intents/{'2' * 32}.json").write_text("{")


def _database_gone(root: Path) -> None:
    for path in (root / ".catalog").glob("ontofetch.duckdb*"):
        path.unlink()


def _database_damaged(root: Path) -> None:
    path = root / ".catalog/ontofetch.duckdb"
    path.write_bytes(b"\0" * 4096 + path.read_bytes()[4096:])


def _schema_behind(root: Path) -> None:
    # back to before the macros and whatever came after them
    take_schema_back(root, 6)


def _schema_ahead(root: Path) -> None:
    execute(root, "INSERT INTO schema_version VALUES (9999, 'x', now()::TIMESTAMP)")


def _schema_edited(root: Path) -> None:
    execute(root, "UPDATE schema_version SET checksum = 'x' WHERE version = 2")


def _view_gone(root: Path) -> None:
    execute(root, "DROP VIEW v_fs_orphans")


def _column_added(root: Path) -> None:
    execute(root, "ALTER TABLE versions ADD COLUMN mood VARCHAR")


def _behind(root: Path) -> None:
    record = root / ".catalog/generation.json"
    content = json.loads(record.read_bytes())
    record.write_text(json.dumps({**content, "events": content["events"] + 3}))


def _record_gone(root: Path) -> None:
    (root / ".catalog/generation.json").unlink()


def _record_unreadable(root: Path) -> None:
    (root / ".catalog/generation.json").write_text("{")


def _event_changed(root: Path) -> None:
    execute(root, "UPDATE events SET type = 'other' WHERE event_id = 2")


def _equal_rows(root: Path) -> None:
    for table in ("artifacts", "extracted_files", "validations"):
        execute(root, f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1")


def _differing_rows(root: Path) -> None:
    columns = "* REPLACE (mtime + INTERVAL 1 SECOND AS mtime)"
    execute(root, f"INSERT INTO extracted_files SELECT {columns} FROM extracted_files WHERE relpath = 'a.ttl' LIMIT 1")


def _dangling_result(root: Path) -> None:
    execute(root, "INSERT INTO validations SELECT * REPLACE ('gone.ttl' AS relpath) FROM validations LIMIT 1")


def _dangling_release(root: Path) -> None:
    execute(root, "INSERT INTO artifacts SELECT * REPLACE ('example/sample/9.9' AS version_id) FROM artifacts LIMIT 1")


def _dangling_pointer(root: Path) -> None:
    execute(root, "INSERT INTO latest_pointer VALUES ('example/other', 'example/other/1', '2020-01-01', 'me')")


def _file_without_row(root: Path) -> None:
    (root / FOLDER / "data/d/new.ttl").write_text("new")


def _source_without_row(root: Path) -> None:
    (root / FOLDER / "src/new.zip").write_text("new")


def _file_gone(root: Path) -> None:
    (root / FOLDER / "data/d/b.ttl").unlink()


def _folder_gone(root: Path) -> None:
    for path in (root / FOLDER / "data/d").iterdir():
        path.unlink()
    (root / FOLDER / "data/d").rmdir()


def _artifact_gone(root: Path) -> None:
    (root / FOLDER / "src/a.zip").unlink()


def _file_cut(root: Path) -> None:
    (root / FOLDER / "data/d/b.ttl").write_text("be")


def _artifact_cut(root: Path) -> None:
    (root / FOLDER / "src/a.zip").write_text("PK")


def _file_flipped(root: Path) -> None:
    (root / FOLDER / "data/d/b.ttl").write_text("BETA")


def _artifact_flipped(root: Path) -> None:
    path = root / FOLDER / "src/a.zip"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _link_without_row(root: Path) -> None:
    (root / FOLDER / "data/link.ttl").symlink_to("a.ttl")


def _pipe_without_row(root: Path) -> None:
    os.mkfifo(root / FOLDER / "src/pipe")


def _link_for_file(root: Path) -> None:
    path = root / FOLDER / "data/d/b.ttl"
    path.unlink()
    path.symlink_to("/etc/passwd")


def _control_name(root: Path) -> None:
    (root / FOLDER / "data/a\nb.ttl").write_text("x")


def _undecodable_name(root: Path) -> None:
    (root / os.fsdecode(FOLDER.encode() + b"/data/\xff.ttl")).write_text("x")


def _latest_gone(root: Path) -> None:
    (root / "example/sample/LATEST.json").unlink()


def _latest_other(root: Path) -> None:
    path = root / "example/sample/LATEST.json"
    path.write_text(path.read_text().replace("2.0", "1.0"))


def _latest_garbage(root: Path) -> None:
    (root / "example/sample/LATEST.json").write_text("[")


def _manifest_gone(root: Path) -> None:
    (root / FOLDER / "manifest.json").unlink()


def _manifest_other(root: Path) -> None:
    path = root / FOLDER / "manifest.json"
    path.write_text(path.read_text().replace('"fresh"', '"cached"'))


def _extract_audit_gone(root: Path) -> None:
    (root / FOLDER / ".extract.audit.json").unlink()


def _extract_audit_other(root: Path) -> None:
    path = root / FOLDER / ".extract.audit.json"
    path.write_text(path.read_text().replace("turtle", "obo"))


def _validation_audit_cut(root: Path) -> None:
    path = root / FOLDER / ".validation.audit.json"
    path.write_bytes(path.read_bytes()[:-20])


def _rows_changed(root: Path) -> None:
    execute(root, f"UPDATE extracted_files SET format = 'obo' WHERE version_id = '{VERSION}' AND relpath = 'a.ttl'")


def _forgotten_stage(root: Path) -> None:
    stage = root / ".catalog/staging" / ("3" * 32)
    stage.mkdir(parents=True)
    (stage / "bytes").write_text("x")
    os.utime(stage, (LONG_AGO, LONG_AGO))


def _old_quarantine(root: Path) -> None:
    folder = root / ".catalog/quarantine" / ("4" * 32)
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/old.ttl").write_text("x")
    os.utime(folder, (LONG_AGO, LONG_AGO))


def _writable_root(root: Path) -> None:
    root.chmod(0o777)


def _writable_database(root: Path) -> None:
    (root / ".catalog/ontofetch.duckdb").chmod(0o666)


def _writable_data(root: Path) -> None:
    (root / FOLDER).chmod(0o777)


def _unknown_layout(root: Path) -> None:
    execute(root, f"UPDATE versions SET layout = 'martian' WHERE version_id = '{VERSION}'")


def _climbing_path(root: Path) -> None:
    climbing = "'../../../../etc/passwd' AS relpath"
    execute(
        root,
        f"INSERT INTO artifacts SELECT * REPLACE ({climbing}, 'failed' AS status) FROM artifacts LIMIT 1",
        f"INSERT INTO origins SELECT * REPLACE ({climbing}) FROM origins LIMIT 1",
    )


def _details_no_object(root: Path) -> None:
    execute(root, "UPDATE validations SET details = '[]' WHERE relpath = 'a.ttl'")


def _release_without_rows(root: Path) -> None:
    folder = root / "example/sample/3.0"
    (folder / "src").mkdir(parents=True)
    (folder / "src/only.ttl").write_text("only")
    (folder / "data").mkdir()
    (folder / "data/only.ttl").write_text("only")


def _link_for_folder(root: Path) -> None:
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    (root / ".catalog/plans").symlink_to(elsewhere)


def _pipe_for_record(root: Path) -> None:
    stage = root / ".catalog/staging" / ("4" * 32)
    stage.mkdir()
    os.mkfifo(stage / "stage.json")


def _foreign_macro(root: Path) -> None:
    execute(root, "CREATE MACRO lower(text) AS 'theirs'")


def _foreign_view(root: Path) -> None:
    execute(root, "CREATE OR REPLACE VIEW v_latest AS SELECT * FROM latest_pointer")


def _endless_time(root: Path) -> None:
    execute(root, f"UPDATE extracted_files SET mtime = 'infinity'::TIMESTAMP WHERE version_id = '{VERSION}'")


def _rewrite_audits(root: Path, folder: str, version_id: str, change: Callable[[str], str]) -> None:
    """Change the audits of a release as somebody who does it right: manifest and row have their new hashes."""
    manifest = root / folder / "manifest.json"
    for name, column in ((".extract.audit.json", "extract_audit"), (".validation.audit.json", "validation_audit")):
        audit = root / folder / name
        former = hashlib.sha256(audit.read_bytes()).hexdigest()
        audit.write_text("".join(sorted(change(audit.read_text()).splitlines(keepends=True))))
        digest = hashlib.sha256(audit.read_bytes()).hexdigest()
        manifest.write_text(manifest.read_text().replace(former, digest))
        execute(root, f"UPDATE versions SET {column} = '{digest}' WHERE version_id = '{version_id}'")


def _series_in_another_case(root: Path) -> None:
    # what a version of the program that did not look let in
    other = "example/Sample/1.0"
    shutil.copytree(root / FOLDER, root / other)
    names = f"'{other}' AS version_id"
    where = f"WHERE version_id = '{VERSION}'"
    columns = f"{names}, 'Sample' AS ontology, '{other}' AS fs_relpath"
    execute(root, f"INSERT INTO versions SELECT * REPLACE ({columns}) FROM versions {where}")
    for table in ("artifacts", "origins", "extracted_files", "validations"):
        execute(root, f"INSERT INTO {table} SELECT * REPLACE ({names}) FROM {table} {where}")
    manifest = root / other / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace("example/sample/", "example/Sample/").replace('"sample"', '"Sample"')
    )
    _rewrite_audits(root, other, other, lambda text: text.replace("example/sample/1.0", other))


def _path_in_another_case(root: Path) -> None:
    shutil.copy2(root / FOLDER / "data/d/ü.ttl", root / FOLDER / "data/d/Ü.ttl")
    where = f"WHERE version_id = '{VERSION}' AND relpath = 'd/ü.ttl'"
    columns = "* REPLACE ('d/Ü.ttl' AS relpath, NULL AS name_key)"
    execute(root, f"INSERT INTO extracted_files SELECT {columns} FROM extracted_files {where}")
    execute(root, f"INSERT INTO validations SELECT * REPLACE ('d/Ü.ttl' AS relpath) FROM validations {where}")

    def twice(text: str) -> str:
        return text + "".join(line.replace("ü", "Ü") for line in text.splitlines(keepends=True) if "ü" in line)

    _rewrite_audits(root, FOLDER, VERSION, twice)


def _key_other(root: Path) -> None:
    execute(root, f"UPDATE versions SET version_key = '9' WHERE version_id = '{VERSION}'")


def _key_gone(root: Path) -> None:
    execute(root, f"UPDATE versions SET version_key = NULL WHERE version_id = '{VERSION}'")


def _found_by_another_content(root: Path) -> None:
    execute(root, "UPDATE extracted_files SET content_key = content_key + 1 WHERE relpath = 'a.ttl'")


def _found_by_another_name(root: Path) -> None:
    execute(root, "UPDATE extracted_files SET name_key = name_key + 1 WHERE relpath = 'a.ttl'")


def _origin_gone(root: Path) -> None:
    execute(root, f"DELETE FROM origins WHERE version_id = '{VERSION}'")


def _dangling_origin(root: Path) -> None:
    execute(root, "INSERT INTO origins SELECT * REPLACE ('gone.zip' AS relpath) FROM origins LIMIT 1")


def _document_of_a_stranger(root: Path) -> None:
    (root / ".catalog/mine.json").write_text("{}")


def _intent_of_a_stranger(root: Path) -> None:
    (root / ".catalog/intents/mine").write_text("x")


def _stage_of_a_stranger(root: Path) -> None:
    (root / ".catalog/staging/mine").mkdir()
    (root / ".catalog/staging/mine/bytes").write_text("x")


def _link_of_a_stranger(root: Path) -> None:
    (root / ".catalog/passwords").symlink_to("/etc/passwd")


def _terms(root: Path, text: str = "alpha") -> tuple[Path, bytes, str]:
    """Return where the table of terms of a content lies, a whole one, and SQL that records it."""
    content, found = hashlib.sha256(text.encode()).hexdigest(), small(text)
    short = hashlib.sha256(VERSION_OF_FACTS.encode()).hexdigest()[:12]
    path = root / f".catalog/facts/{content[:2]}/{content}.{short}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    data = sealed_table(text, found)
    values = {"file_id": content, "content_id": content, "facts_version": VERSION_OF_FACTS, "digest": found["digest"]}
    values |= {"table_sha256": hashlib.sha256(data).hexdigest()}
    columns, texts = ", ".join(values), ", ".join(f"'{value}'" for value in values.values())
    return path, data, f"INSERT INTO file_facts ({columns}, table_bytes) VALUES ({texts}, {len(data)})"


def _terms_gone(root: Path) -> None:
    execute(root, _terms(root)[2])


def _terms_cut(root: Path) -> None:
    path, data, sql = _terms(root)
    path.write_bytes(data[:-1])
    execute(root, sql)


def _terms_damaged(root: Path) -> None:
    path, data, sql = _terms(root)
    path.write_bytes(data[:-1] + b"?")
    execute(root, sql)


def _terms_without_row(root: Path) -> None:
    path, data, _ = _terms(root)
    path.write_bytes(data)


def _terms_of_a_stranger(root: Path) -> None:
    (root / ".catalog/facts/xy").mkdir(parents=True)
    (root / ".catalog/facts/xy/notes.txt").write_text("mine")


def _facts_nobody_holds(root: Path) -> None:
    path, data, sql = _terms(root, "nobody's")
    path.write_bytes(data)
    execute(root, sql)


Damage = Callable[[Path], None]
# code → ways to make it
DAMAGE: dict[str, tuple[Damage, ...]] = {
    "CAT001": (_open_intent, _open_swap),
    "CAT002": (_unreadable_intent, _unreadable_json),
    "CAT003": (_database_gone,),
    "CAT004": (_database_damaged,),
    "CAT005": (_schema_behind,),
    "CAT006": (_schema_ahead,),
    "CAT007": (_schema_edited, _view_gone, _column_added, _foreign_macro, _foreign_view),
    "CAT008": (_behind,),
    "CAT009": (_record_gone, _record_unreadable),
    "CAT010": (_event_changed,),
    "CAT011": (_equal_rows, _differing_rows),
    "CAT012": (_dangling_result, _dangling_release, _dangling_pointer, _dangling_origin),
    "CAT013": (_file_without_row, _source_without_row),
    "CAT014": (_file_gone, _folder_gone, _artifact_gone),
    "CAT015": (_file_cut, _artifact_cut),
    "CAT016": (_file_flipped, _artifact_flipped),
    "CAT017": (_link_without_row, _pipe_without_row, _link_for_file),
    "CAT018": (_control_name, _undecodable_name),
    "CAT019": (_latest_gone, _latest_other, _latest_garbage),
    "CAT020": (_manifest_gone, _manifest_other),
    "CAT021": (_extract_audit_gone, _extract_audit_other, _validation_audit_cut, _rows_changed),
    "CAT022": (_forgotten_stage,),
    "CAT023": (_old_quarantine,),
    "CAT024": (_writable_root, _writable_database, _writable_data),
    "CAT026": (_unknown_layout,),
    "CAT027": (_climbing_path, _details_no_object, _endless_time),
    "CAT028": (_release_without_rows,),
    "CAT029": (_link_for_folder, _pipe_for_record),
    "CAT030": (_series_in_another_case, _path_in_another_case),
    "CAT031": (_key_other, _key_gone),
    "CAT032": (_origin_gone,),
    "CAT035": (_terms_gone, _terms_cut, _terms_damaged),
    "CAT036": (_terms_without_row, _terms_of_a_stranger),
    "CAT037": (_facts_nobody_holds,),
    "CAT038": (_found_by_another_content, _found_by_another_name),
    "CAT033": (_document_of_a_stranger, _intent_of_a_stranger, _stage_of_a_stranger, _link_of_a_stranger),
}
