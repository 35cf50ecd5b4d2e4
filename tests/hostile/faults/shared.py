"""Plant faults in a shared catalog: its log, its copies, and its objects' keys, conditions, hashes, lines, folders."""

from __future__ import annotations

from .fault import fault, of

STORE, BUCKET, FOLDER, FETCHING, CREDENTIALS, LOG, LINE, SWEEP, HOLDS, WORK, COPY, PLACES, ADDRESS = (
    f"ontofetch_catalog/catalog/shared/{name}.py"
    for name in (
        *("object_store", "bucket", "folder", "fetching", "credentials"),
        *("log", "line_errors", "log_sweep", "log_holds", "log_work", "replica", "places", "address"),
    )
)
OBJECTS, LINES, PACKS, DAYS, BAD_DAYS, COPIES, DIVIDING = (
    f"tests/shared/test_{name}.py::test_"
    for name in ("objects", "lines", "packs", "days", "bad_days", "copies", "dividing")
)
CUT, MEETINGS, THREE = (f"tests/shared/test_{name}.py::test_" for name in ("cut", "meetings", "three"))
JOINED, PACKER = "ontofetch_catalog/catalog/sessions/copies.py", "ontofetch_catalog/catalog/shared/packs.py"
HAPPENED = "            if not self._happened(record.boundary_id):\n                raise\n"
AT_COMMIT = "the_line_is_cut_at_commit_with_either_outcome"
GOING = "ontofetch_catalog/catalog/shared/files_going.py"
HELD, MENDED = "tests/shared/test_holds.py::test_", "tests/shared/test_doctor.py::test_what_is_wrong_on_one_machine"
OF_COPIES = "ontofetch_catalog/catalog/doctor/of_copies.py"
SIGNS, SIGNPOSTS = (f"ontofetch_catalog/catalog/shared/{name}.py" for name in ("bucket_signs", "signposts"))
POSTED = "tests/shared/test_signposts.py::test_"
FOR_ALL, DEEDS = "ontofetch_catalog/catalog/backup/for_all.py", "ontofetch_catalog/catalog/repo/deeds.py"
COMING, THEN = (f"ontofetch_catalog/catalog/shared/{name}.py" for name in ("files_coming", "log_then"))
RESTORED = "tests/shared/test_restore.py::test_"
AGAIN = RESTORED + "all_machines_have_again_what_there_was"
LIES = BAD_DAYS + "a_log_that_lies_changes_nothing"

FAULTS = (
    fault(
        "unconditional pointer, in a bucket",
        (SIGNS, 'mode="create" if former is None else {"e_tag": former}', 'mode="overwrite"'),
        tests=(
            *of(POSTED + "an_object_is_replaced_by_who_has_seen_it", "s3"),
            *of(POSTED + "who_stood_still_brings_nothing_back", "s3-1", "s3-2"),
        ),
    ),
    fault(
        "unconditional pointer, in a folder",
        (FOLDER, "if found is not None and found[1] == former:", "if True:"),
        tests=(
            *of(POSTED + "an_object_is_replaced_by_who_has_seen_it", "file"),
            *of(POSTED + "who_stood_still_brings_nothing_back", "file-1", "file-2"),
        ),
    ),
    fault(
        "the generation is not compared",
        (
            SIGNPOSTS,
            "self._process.is_compared and (error := self.lost())",
            "self._process.is_compared and (error := None)",
        ),
        tests=(
            POSTED + "a_new_machine_notices_a_server_from_before",
            POSTED + "a_new_catalog_takes_no_objects_of_another",
            "tests/shared/test_backups.py::test_a_server_that_is_brought_back_from_an_older_dump",
        ),
    ),
    fault(
        "what somebody left behind who died is not brought up",
        (SIGNPOSTS, "since = 0 if anew else max(known.event, settled)", "since = head.event_id"),
        tests=of(POSTED + "who_dies_behind_its_commit_is_made_up_for", "file-1", "s3-1"),
    ),
    fault(
        "a line that changes a byte gets a writer refused",
        (SIGNPOSTS, "for _ in range(2):", "for _ in range(1):"),
        tests=(POSTED + "a_line_that_changes_a_byte_refuses_nobody",),
    ),
    fault(
        "any text is a key of an object",
        (STORE, "if not isinstance(key, str) or not _KEY.fullmatch(key):", "if False:"),
        tests=(OBJECTS + "no_other_key_reaches_the_store", PACKS + "places_of_strangers_are_refused"),
    ),
    fault(
        "a place may begin before its object",
        (FETCHING, "if place.size < 0 or place.offset < 0 or len(place.sha256) != 64:", "if False:"),
        tests=(PACKS + "places_of_strangers_are_refused",),
    ),
    fault(
        "a put to a bucket replaces what is there",
        (BUCKET, 'key, data, mode="create", use_multipart=False', 'key, data, mode="overwrite", use_multipart=False'),
        tests=(
            *of(OBJECTS + "the_same_may_be_put_again_and_nothing_else", "s3"),
            LINES + "a_put_sends_its_condition_and_its_checksum",
        ),
    ),
    fault(
        "a large put to a bucket replaces what is there",
        (BUCKET, "source, key, overwrite=False", "source, key, overwrite=True"),
        tests=of(OBJECTS + "large_objects_are_new_only_too", "s3"),
    ),
    fault(
        "a put to a folder replaces what is there",
        (FOLDER, "fsops.link(temporary, target)", "fsops.rename(temporary, target)"),
        tests=of(OBJECTS + "the_same_may_be_put_again_and_nothing_else", "file"),
    ),
    fault(
        "an object that is said to be there is believed",
        (
            BUCKET,
            "            act()\n        except AlreadyExistsError:\n            pass",
            "            act()\n        except AlreadyExistsError:\n            return",
        ),
        tests=(LINES + "an_object_that_is_said_to_be_there_is_looked_at",),
    ),
    fault(
        "a server that replaces objects is taken",
        (
            BUCKET,
            "        except AlreadyExistsError:\n            return\n        finally:",
            "            return\n        except AlreadyExistsError:\n            return\n        finally:",
        ),
        tests=(LINES + "a_server_that_replaces_objects_is_refused",),
    ),
    fault(
        "a page of a listing that failed is its end",
        (
            BUCKET,
            "return list(next(obstore.list(self._store, folder or None, offset=last, chunk_size=PAGE), []))",
            "return list(next(pages, []))",
        ),
        (
            BUCKET,
            "        last: str | None = None\n",
            "        last: str | None = None\n        pages = obstore.list(self._store, folder or None, chunk_size=PAGE)\n",
        ),
        tests=of(LINES + "what_does_not_pass_ends_in_a_sentence", "500-list", "cut-list"),
    ),
    fault(
        "a small content is handed over unseen",
        (FETCHING, "if hashlib.sha256(found).hexdigest() != place.sha256:", "if False:"),
        tests=of(PACKS + "damaged_bytes_are_never_handed_over_whole", "10"),
    ),
    fault(
        "a large content is handed over unseen",
        (STORE, "if found != size or digest.hexdigest() != sha256:", "if found != size:"),
        tests=of(PACKS + "damaged_bytes_are_never_handed_over_whole", "8388618"),
    ),
    fault(
        "the last bytes are handed over before they are known to be right",
        (STORE, "        if last:\n            yield last\n        last = chunk", "        yield chunk"),
        tests=of(PACKS + "damaged_bytes_are_never_handed_over_whole", "8388618"),
    ),
    fault(
        "places that overlap are asked for at once, however long they are",
        (FETCHING, " and reach - run[0].offset <= PIECE", ""),
        tests=(PACKS + "places_that_overlap_or_are_enormous_take_no_memory",),
    ),
    fault(
        "what a server answers stays behind an error",
        (
            BUCKET,
            "            return trouble\n\n    def _error",
            '            raise self._error(trouble, "")\n\n    def _error',
        ),
        tests=(LINES + "a_refusal_says_what_to_do",),
    ),
    fault(
        "objects are put in clear over a network",
        (CREDENTIALS, "if not told and not _is_loopback(host):", "if False:"),
        tests=("tests/shared/test_credentials.py::test_endpoints_in_clear_are_refused_until_told",),
    ),
    fault(
        "an endpoint is shown with its password",
        (CREDENTIALS, "'An address with credentials in it' if named else quote(endpoint)", "quote(endpoint)"),
        tests=("tests/shared/test_credentials.py::test_what_is_no_endpoint_is_refused",),
    ),
    fault(
        "an empty folder is an empty store",
        (FOLDER, "if not (self._top / MARK).is_file():", "if False:"),
        tests=("tests/shared/test_folder.py::test_a_folder_that_is_not_mounted_is_no_empty_store",),
    ),
    fault(
        "objects are looked at through links",
        (
            FOLDER,
            "descriptor = self._place(key).open_file()",
            "descriptor = os.open(str(self._place(key)), os.O_RDONLY)",
        ),
        tests=of("tests/shared/test_folder.py::test_no_link_leads_elsewhere", "file", "folder"),
    ),
    fault(
        "who has lost the lock appends all the same",
        (
            LOG,
            "        if not held:\n            raise self.fenced()\n",
            "",
        ),
        tests=(DAYS + "who_has_lost_the_lock_appends_nothing",),
    ),
    fault(
        "who has lost the lock sweeps all the same",
        (
            SWEEP,
            "        log.require_held(connection)\n",
            "",
        ),
        tests=(DAYS + "who_has_lost_the_lock_sweeps_nothing",),
    ),
    fault(
        "a sweep condemns what came back while it looked",
        (
            SWEEP,
            '            connection.execute("DELETE FROM unnamed WHERE',
            '            str("DELETE FROM unnamed WHERE',
        ),
        tests=(DAYS + "what_comes_back_while_a_sweep_looks_is_not_condemned",),
    ),
    fault(
        "two machines sweep at once",
        (SWEEP, 'log.in_use().execute(f"SELECT pg_advisory_lock({SWEEP})", prepare=False)', "pass"),
        tests=(DAYS + "one_machine_sweeps_at_a_time",),
    ),
    fault(
        "a boundary is appended to a head that its machine does not know",
        (LOG, "if (head[0] or 0, head[1] or BEGIN.digest) != (record.first_event - 1, record.former):", "if False:"),
        tests=(DAYS + "a_boundary_goes_on_from_the_head_alone",),
    ),
    fault(
        "a path has a content that a sweep has freed",
        (LOG, "if not are_there(connection, record.moves, new):", "if False:"),
        tests=(DAYS + "a_path_has_no_content_that_is_nowhere",),
    ),
    fault(
        "what was put early is used for good",
        (GOING, "        self._early = {}\n        return ops, places\n", "        return ops, places\n"),
        tests=(COPIES + "what_was_put_early_is_used_by_its_boundary_alone",),
    ),
    fault(
        "what others have taken is taken once more",
        (WORK, "THEN worker IN (TABLE live) ELSE run", "THEN false ELSE run"),
        tests=(DIVIDING + "each_item_has_one_machine",),
    ),
    fault(
        "what is done is done once more",
        (WORK, "ELSE run = %(run)s END", "ELSE false END"),
        tests=(DIVIDING + "each_item_has_one_machine",),
    ),
    fault(
        "a machine that is gone keeps what it has",
        (WORK, "CASE WHEN done_at IS NULL THEN worker IN (TABLE live)", "CASE WHEN done_at IS NULL THEN true"),
        tests=(DIVIDING + "who_is_gone_loses_what_it_has_and_keeps_what_it_has_done",),
    ),
    fault(
        "who has lost its share goes on",
        (WORK, "if connection is None or connection.closed:", "if connection is None:"),
        (WORK, "if connection.closed and self._worker:", "if False:"),
        tests=(DIVIDING + "who_is_gone_loses_what_it_has_and_keeps_what_it_has_done",),
    ),
    fault(
        "an outcome of another machine is believed",
        (
            "hookspecs/ontofetch_hookspecs/dividing.py",
            "return found if isinstance(found, dict) else {}",
            "return found",
        ),
        tests=of(DIVIDING + "an_outcome_that_is_none_is_empty", "[1]"),
    ),
    fault(
        "rows of others are taken in without their events",
        (COPY, "if numbers != told or digests.get(record.last_event) != record.digest:", "if False:"),
        tests=(LIES,),
    ),
    fault(
        "a log that was brought back from before is followed",
        (COPY, "if last > self._head.event_id or (last and self.log.digest_at(last) != digest):", "if False:"),
        tests=(BAD_DAYS + "a_database_from_before_is_refused",),
    ),
    fault(
        "a store names the server to which a password is sent",
        (ADDRESS, "if not believe and asdict(address) not in _agreed(store):", "if False:"),
        tests=(COPIES + "a_foreign_store_names_no_server_that_we_would_ask",),
    ),
    fault(
        "who types the address of a copy that was moved does not agree to it",
        ("ontofetch_catalog/catalog/joining.py", "read_address(store, believe=True)", "read_address(store)"),
        tests=(DAYS + "a_copy_that_was_moved_is_agreed_to_anew",),
    ),
    fault(
        "a password is taken in an address, and written down",
        (ADDRESS, 'if parts.password is not None or "password" in parts.query:', "if False:"),
        tests=(COPIES + "addresses_as_people_mistype_them",),
    ),
    fault(
        "a password that is refused is told",
        (
            LINE,
            "can't be {what}: {_reason(error)}.",
            "can't be {what}: {_reason(error)} {os.environ.get('PGPASSWORD')}.",
        ),
        tests=(DAYS + "a_wrong_or_expired_password_is_a_sentence_without_it",),
    ),
    fault(
        "a right that is missing looks like a server that is away",
        (
            LINE,
            "isinstance(error, psycopg.errors.InsufficientPrivilege)",
            "isinstance(error, psycopg.errors.UndefinedFile)",
        ),
        tests=(DAYS + "the_rights_that_the_page_names_are_enough_and_no_more",),
    ),
    fault(
        "the log moves files that are not the store's",
        (PLACES, 'return check_relpath("path", given)', "return str(given)"),
        tests=(LIES,),
    ),
    fault(
        "bytes are taken in as they come",
        (FETCHING, "if hashlib.sha256(found).hexdigest() != place.sha256:", "if False:"),
        tests=(DAYS + "bytes_that_were_exchanged_are_not_taken_in",),
    ),
    fault(
        "a COMMIT without an answer is repeated",
        (LOG, HAPPENED, "            self.close()\n            self.hold()\n            self.append(record, new)\n"),
        tests=(*of(CUT + "the_line_is_cut_at_a_commit", "0-lose-0"), *of(BAD_DAYS + AT_COMMIT, "lose-0")),
    ),
    fault(
        "a COMMIT without an answer is believed",
        (LOG, HAPPENED, ""),
        tests=(*of(CUT + "the_line_is_cut_at_a_commit", "0-cut-1"), *of(BAD_DAYS + AT_COMMIT, "cut-1")),
    ),
    fault(
        "what a dead machine had begun stays",
        (JOINED, "begun = recovery.recover(store, connection)", "begun: list[recovery.Recovered] = []"),
        tests=of(THREE + "one_machine_goes_wrong_and_the_others_go_on", "kill-rm-_write-1"),
    ),
    fault(
        "what a copy had taken in is taken back where it died after its COMMIT",
        (JOINED, "    end_caught_up(store, connection)\n", ""),
        tests=of(BAD_DAYS + "a_machine_is_killed_while_it_catches_up", "forget"),
    ),
    fault(
        "an object that is there already is used again: its key is that of its bytes",
        (
            PACKER,
            'yield Parcel(f"{content.sha256}.{self._boundary}", content.size',
            "yield Parcel(content.sha256, content.size",
        ),
        tests=(
            MEETINGS + "who_sweeps_while_the_same_bytes_are_put_frees_others",
            DAYS + "a_sweep_that_stands_still_takes_nothing_that_came_back",
        ),
    ),
    fault(
        "a sweep frees what is put and not named yet",
        (
            "ontofetch_catalog/catalog/joining.py",
            "timedelta(seconds=max(grace_seconds, MAX_AGE))",
            "timedelta(seconds=grace_seconds)",
        ),
        tests=(MEETINGS + "a_sweep_waits_for_nothing_that_is_not_named_yet",),
    ),
    fault(
        "a sweep frees what is held for a backup",
        (SWEEP, '    connection.execute("DELETE FROM unnamed USING kept WHERE unnamed.sha256 = kept.sha256")\n', ""),
        tests=(HELD + "a_backup_holds_what_it_names",),
    ),
    fault(
        "a hold keeps what came later",
        (SWEEP, "AND holds.event >= coalesce(added_event, 0) AND", "AND"),
        tests=(HELD + "a_backup_holds_what_it_names",),
    ),
    fault(
        "a hold keeps what had gone before",
        (SWEEP, "AND holds.event < coalesce(unnamed_event, head.event)", ""),
        tests=(HELD + "backups_that_follow_each_other_let_go_of_what_the_later_ones_lack",),
    ),
    fault(
        "what was named again after a sweep is not held",
        (
            HOLDS,
            '            "UPDATE contents SET condemned_at = NULL, unnamed_event = NULL"\n            " WHERE (condemned_at',
            '            "UPDATE contents SET condemned_at = NULL, unnamed_event = NULL"\n            " WHERE false AND (condemned_at',
        ),
        tests=(HELD + "what_was_named_again_is_held",),
    ),
    fault(
        "rows that are wrong on one machine are what all machines get",
        (OF_COPIES, "if not recorded or not _has_other_rows(store):", "if True:"),
        tests=of(MENDED, "CAT012-drop-_dangling_result", "CAT021-rewrite-_rows_changed"),
    ),
    fault(
        "what one machine has lost is un-recorded for all",
        (OF_COPIES, "differing and repair.fix in _GIVEN_UP:", "False:"),
        tests=of(MENDED, "CAT014-drop-_file_gone"),
    ),
    fault(
        "a backup of another catalog is restored",
        (FOR_ALL, "if log.digest_at(manifest.events) == manifest.digest:", "if log.digest_at(manifest.events):"),
        tests=(RESTORED + "a_backup_of_something_else",),
    ),
    fault(
        "rows that only one machine has are compared with a backup",
        (FOR_ALL, "if images.states_of(current, tables) != now:", "if False:"),
        tests=(RESTORED + "nothing_differs",),
    ),
    fault(
        "what others record before it is their turn is not followed",
        (
            FOR_ALL,
            "        with self._opened(self._current) as current:\n            self._follow(current)\n            if",
            "        with self._opened(self._current) as current:\n            if",
        ),
        tests=(RESTORED + "others_write_until_it_is_their_turn",),
    ),
    fault(
        "paths that there were are made in the table of those that there are",
        (THEN, "move_paths(connection, moves, table=_FORMER)", "move_paths(connection, moves)"),
        tests=(RESTORED + "a_machine_that_stands_still_while_it_reads_the_log",),
    ),
    fault(
        "a restore goes on in another session",
        (THEN, "        if connection is not self._session:\n", "        if False:\n"),
        tests=(RESTORED + "a_machine_that_stands_still_while_it_reads_the_log",),
    ),
    fault(
        "bytes that are nowhere are not missed before a restore",
        (FOR_ALL, "        self._check_bytes()\n", ""),
        tests=(RESTORED + "bytes_that_are_gone",),
    ),
    fault(
        "what a backup has is taken as it comes",
        (FOR_ALL, "checked(pieces, put.sha256, put.size, lambda _: _damaged(put.path)),", "pieces,"),
        tests=(RESTORED + "bytes_that_change_after_they_were_checked",),
    ),
    fault(
        "what is condemned is nowhere for a restore",
        (FOR_ALL, ", condemned=True)", ")"),
        tests=(RESTORED + "bytes_that_are_condemned",),
    ),
    fault(
        "what is condemned is named again where it is",
        (
            GOING,
            "self.log.places(sorted(sizes.keys() - self._early.keys()))",
            "self.log.places(sorted(sizes.keys() - self._early.keys()), condemned=True)",
        ),
        tests=(RESTORED + "bytes_that_are_condemned",),
    ),
    fault(
        "what came since a backup stays",
        (FOR_ALL, "        draft.displace_all(self._gone, keep=True)\n        if", "        if"),
        tests=(AGAIN,),
    ),
    fault(
        "what was purged since a backup comes back",
        (THEN, "NOT starts_with(path, '{QUARANTINE}/') AND NOT", "NOT"),
        tests=(RESTORED + "a_backup_made_after_a_restore",),
    ),
    fault(
        "a restore is in its copy and not in the log",
        (
            "ontofetch_catalog/catalog/boundaries/engine.py",
            '        session.tell((event_id, digest, row), told, release=boundary.version_id if boundary.one_release else "")\n',
            '        if boundary.kind != "backup":\n            session.tell((event_id, digest, row), told)\n',
        ),
        tests=(AGAIN,),
    ),
    fault(
        "what a restore has taken back is undone once more",
        (DEEDS, "            UNION ALL FROM void WHERE event_id > {after}\n", ""),
        tests=(AGAIN,),
    ),
    fault(
        "what an earlier restore has taken back is undone once more",
        (DEEDS, "e.event_id <= leaps.led_to AND", "false AND"),
        tests=(RESTORED + "a_backup_made_after_a_restore",),
    ),
    fault(
        "what only one machine has lost stays lost",
        (FOR_ALL, "            bring_back(store)\n", "            pass\n"),
        tests=(RESTORED + "nothing_differs",),
    ),
    fault(
        "a copy that is made anew has moved nothing yet",
        (COMING, "                draft.displace(target, keep=False)\n", "                pass\n"),
        tests=(COPIES + "a_copy_is_made_anew_beside_what_has_gone_and_come_back",),
    ),
    fault(
        "what others have removed stays in a copy that is made anew",
        (COMING, "sorted(fold.passed.keys() - fold.puts.keys())", "()"),
        tests=(COPIES + "a_copy_is_made_anew_beside_what_has_gone_and_come_back",),
    ),
)
