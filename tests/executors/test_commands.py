"""The commands that judge files take an executor, and record with it what they record without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ontofetch_catalog.errors import ExecutorFailed
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_hookspecs.layout import FACTS
from tests.content.test_facts import ONTOLOGY, PREFIXES
from tests.executors.cluster import Cluster, cluster
from tests.executors.conftest import Looked
from tests.executors.test_bad_days import wait_for
from tests.host.test_validators import release
from tests.programs import Program
from tests.releases import query

SERIES = ("--service", "s", "--ontology", "o", "--version", "1")
WANTED = (
    "SELECT relpath, file_id, validator, validator_version, passed, details::VARCHAR FROM validations ORDER BY ALL",
    "SELECT * EXCLUDE (recorded_at) FROM file_facts ORDER BY ALL",
    "SELECT * FROM ontology_heads ORDER BY ALL",
)


@pytest.fixture
def document(tmp_path: Path) -> str:
    """Return the path of a small ontology."""
    path = tmp_path / "o.ttl"
    path.write_text(PREFIXES + ONTOLOGY)
    return str(path)


def recorded(program: Program) -> tuple[object, ...]:
    """Return all that is recorded of files and facts, and the bytes of the tables."""
    tables = {path.name: path.read_bytes() for path in (program.root / FACTS).rglob("*") if path.is_file()}
    return *(query(program.root, text) for text in WANTED), tables


def well(ended: subprocess.CompletedProcess[str]) -> str:
    """Return what a command wrote that ended well."""
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_pull_records_the_same(four: Cluster, document: str, tmp_path: Path) -> None:
    """Rows and tables are those of a pull by this machine; a list and an update are pulls, too."""
    local, far, listed = (Program(tmp_path / name) for name in ("local", "far", "listed"))
    well(local.run("pull", document, *SERIES))
    well(far.run("pull", document, *SERIES, "--executor", four.address))
    assert len(recorded(local)[3]) == 1  # type: ignore[arg-type]
    assert recorded(far) == recorded(local)
    (tmp_path / "list.csv").write_text(f"url,service,ontology,version\nfile://{document},s,o,1\n")
    well(listed.run("pull", "--from", str(tmp_path / "list.csv"), "--executor", four.address))
    assert recorded(listed) == recorded(local)


def test_facts_that_lack_are_found_elsewhere(four: Cluster, document: str, tmp_path: Path) -> None:
    """`db facts` takes the option, and the setting in the environment."""
    local, far = Program(tmp_path / "local"), Program(tmp_path / "far")
    well(local.run("pull", document, *SERIES))
    well(far.run("pull", document, *SERIES, "--no-facts"))
    told = json.loads(well(far.run("db", "facts", "--json", "--executor", four.address)))
    assert told["rows"][0]["made"] == 1
    assert recorded(far) == recorded(local)
    ended = far.run("db", "facts", env={"ONTOFETCH_EXECUTOR": "dask://"})
    assert ended.returncode == 2
    assert "no address of an executor. Write local, dask://cluster.example.org:8786" in ended.stderr


def test_an_update_asks_the_executor(four: Cluster, document: str, tmp_path: Path) -> None:
    """Threads that unpack and judge ahead share one way to it."""
    local, far = Program(tmp_path / "local"), Program(tmp_path / "far")
    sources = tmp_path / "sources.toml"
    sources.write_text(f'[s.o]\nurl = "file://{document}"\nversion = "1"\n')
    words = ("update", "--sources", str(sources))
    well(local.run(*words))
    well(far.run(*words, "--executor", four.address))
    assert recorded(far) == recorded(local)


def test_without_a_scheduler_a_pull_goes_on_later(document: str, tmp_path: Path) -> None:
    """It ends with 1 and a sentence; what was fetched is recorded, and the next pull judges it."""
    program = Program(tmp_path / "store")
    ended = program.run(
        "pull", document, *SERIES, "--executor", "dask://127.0.0.1:9", env={"ONTOFETCH_HTTP_TIMEOUT": "1"}
    )
    assert ended.returncode == 1
    assert "error: The executor dask://127.0.0.1:9 does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert query(program.root, "SELECT count(*) FROM extracted_files") == [(1,)]
    well(program.run("pull", document, *SERIES))
    assert query(program.root, "SELECT passed FROM validations") == [(True,)]


def test_ctrl_c_ends_a_pull(document: str, tmp_path: Path) -> None:
    """Also where no worker has come yet."""
    with cluster(0) as found:
        program = Program(tmp_path / "store")
        running = program.start("pull", document, *SERIES, "--executor", found.address, "-v")
        wait_for((program.root / "s/o/1/data").exists)
        wait_for(lambda: _connections(running.pid))
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert "Traceback" not in told


def _connections(process: int) -> int:
    """Return how many sockets a process has."""
    folder = f"/proc/{process}/fd"
    found = 0
    for name in os.listdir(folder):
        try:
            found += os.readlink(f"{folder}/{name}").startswith("socket:")
        except OSError:
            continue
    return found


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, str]:
    """Return what the environment has to say for TLS: a certificate of our own that all show and believe."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    both = key.private_bytes(*form) + signed.public_bytes(form[0])
    path = tmp_path / "all.pem"
    path.write_bytes(both)
    whose = [f"{who}__{what}" for who in ("SCHEDULER", "WORKER", "CLIENT") for what in ("KEY", "CERT")]
    return {f"DASK_DISTRIBUTED__COMM__TLS__{name}": str(path) for name in ("CA_FILE", *whose)}


def test_a_scheduler_with_tls_is_asked_by_its_own_address(
    certified: dict[str, str], look: Callable[..., Looked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificates are those that Dask is configured with; without them nobody gets in."""
    import dask

    files = release(tmp_path, {"a.ttl": "<urn:a> <urn:b> <urn:c> ."})
    with cluster(1, protocol="tls", environment=certified) as found:
        assert found.address.startswith("dask+tls://")
        with pytest.raises(ExecutorFailed, match="needs a certificate"):
            look(files, builtin_validators(), found.address, http_timeout=3.0)
        for name, value in certified.items():
            monkeypatch.setenv(name, value)
        dask.config.refresh()
        assert look(files, builtin_validators(), found.address).details() == '{"triples": 1}'
    monkeypatch.undo()
    dask.config.refresh()
