"""Registries of each kind on a loopback server: answers of the shape of the real ones, and the files behind them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from tests.sites import Answer, Site, validated

SCHEMES = {
    "obo": "obo:hp",
    "pypi": "pypi:sample.package",
    "npm": "npm:@scope/sample",
    "ols": "ols:hp",
    "bioportal": "bioportal:HP",
    "zenodo": "zenodo:42",
    "github": "github:owner/sample",
}


def obo(version: str, name: str = "hp") -> bytes:
    """Return a small document that states a version."""
    return (
        f"format-version: 1.2\ndata-version: {name}/releases/{version}\nontology: {name}\n\n"
        f"[Term]\nid: {name.upper()}:0000001\nname: All of {version}\n"
    ).encode()


def wheel(version: str) -> bytes:
    """Return a wheel, or as much of one as counts here, with the document of a version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("sample/hp.obo"), obo(version))
    return packed.getvalue()


def package(version: str) -> bytes:
    """Return a package of npm with the document of a version."""
    packed = io.BytesIO()
    body = obo(version)
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("package/hp.obo")
        entry.size = len(body)
        archive.addfile(entry, io.BytesIO(body))
    return packed.getvalue()


def serve(site: Site, path: str, body: bytes) -> None:
    """Serve a document with a mark, so that it is not sent twice."""
    site.answers[path] = validated(body, ETag=f'"{hashlib.sha256(body).hexdigest()[:12]}"')


def serve_json(site: Site, path: str, value: Any) -> None:
    """Serve a JSON document."""
    site.answers[path] = Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def fill(site: Site, version: str = "2.0") -> None:
    """Let a server be a registry of every kind, the newest version of which is this one."""
    old, new = obo("1.0"), obo(version)
    dist, tarball = wheel(version), package(version)
    for name, body in (("old.obo", old), ("new.obo", new), ("new.whl", dist), ("new.tgz", tarball)):
        serve(site, f"/files/{name}", body)
    there = {"old": site.url("/files/old.obo"), "new": site.url("/files/new.obo")}
    serve_json(
        site,
        "/obo/registry/ontologies.jsonld",
        {"ontologies": [{"id": "hp", "ontology_purl": there["new"]}, {"id": "go", "ontology_purl": None}, 7]},
    )
    serve_json(
        site,
        "/pypi/sample-package/",
        {
            "files": [
                _dist("sample_package-1.0-py3-none-any.whl", there["old"], old),
                _dist(f"sample_package-{version}.tar.gz", "/nowhere", b""),
                _dist(f"sample_package-{version}-py3-none-any.whl", site.url("/files/new.whl"), dist),
                _dist("sample_package-9.0-py3-none-any.whl", "/nowhere", b"") | {"yanked": "broken"},
                _dist("sample_package-9.0rc1-py3-none-any.whl", "/nowhere", b""),
            ]
        },
    )
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    serve_json(
        site,
        "/npm/@scope%2Fsample",
        {
            "versions": {
                "1.0.0": {"dist": {"tarball": there["old"], "shasum": hashlib.sha1(old).hexdigest()}},
                f"{version}.0": {"dist": {"tarball": site.url("/files/new.tgz"), "integrity": integrity}},
                "9.0.0-beta.1": {"dist": {"tarball": "/nowhere"}},
            },
            "time": {f"{version}.0": "2025-02-03T04:05:06.000Z"},
        },
    )
    serve_json(site, "/ols/api/ontologies/hp", {"config": {"fileLocation": there["new"], "version": None}})
    serve_json(
        site,
        "/bioportal/ontologies/HP/submissions",
        [
            {"submissionId": 7, "version": "1.0", "released": "2024-01-01T00:00:00"},
            {"submissionId": 8, "version": version, "released": "2025-02-03T00:00:00", "hasOntologyLanguage": "OBO"},
        ],
    )
    serve(site, "/bioportal/ontologies/HP/submissions/8/download", new)
    serve_json(
        site,
        "/zenodo/api/records/42/versions",
        {
            "hits": {
                "hits": [
                    {
                        "metadata": {"version": f"v{version}", "publication_date": "2025-02-03"},
                        "files": [
                            {
                                "key": "hp.obo",
                                "checksum": f"md5:{hashlib.md5(new).hexdigest()}",
                                "links": {"self": there["new"]},
                            },
                            {"key": "notes.pdf", "checksum": None, "links": {"self": "/nowhere"}},
                        ],
                    }
                ]
            }
        },
    )
    serve_json(
        site,
        "/github/repos/owner/sample/releases",
        [
            {"tag_name": "v9", "prerelease": True, "assets": []},
            {
                "tag_name": f"v{version}",
                "published_at": "2025-02-03T00:00:00Z",
                "assets": [
                    {
                        "name": "hp.obo",
                        "browser_download_url": there["new"],
                        "digest": f"sha256:{hashlib.sha256(new).hexdigest()}",
                    }
                ],
            },
        ],
    )


def _dist(name: str, url: str, body: bytes) -> dict[str, Any]:
    return {"filename": name, "url": url, "hashes": {"sha256": hashlib.sha256(body).hexdigest()}}


def settings_file(folder: Path, site: Site) -> Path:
    """Write a settings file that names a server as the registry of every scheme."""
    lines = [f'{name} = "{site.url("/" + name)}"' for name in SCHEMES]
    path = folder / "settings.toml"
    path.write_text("http_retries = 0\n[plugin.sources]\n" + "\n".join(lines) + "\n")
    path.chmod(0o600)
    return path
