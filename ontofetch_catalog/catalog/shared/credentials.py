"""Who we are to an S3 server, and where it is: from options, the environment, or the files of the AWS tools.

obstore reads the environment and the credentials of a cloud's machine by itself; what it does not read is here.
"""

from __future__ import annotations

import configparser
import ipaddress
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ontofetch_hookspecs.names import quote

from ...errors import UsageError

_ELSEWHERE = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
              "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SKIP_SIGNATURE")  # fmt: skip
_MOST = 1 << 20  # bytes that a file of credentials may have
_NAMES = ("access_key_id", "secret_access_key", "session_token")


def bucket_config(options: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration of a bucket for obstore, `allow_http` among it.

    Args:
        options: `endpoint`, `region`, `access_key_id`, `secret_access_key`, `session_token`, `allow_http`.

    Raises:
        UsageError: The endpoint is no address, or has no TLS and is not this machine; a file can't be read.
    """
    config: dict[str, Any] = {name: options[name] for name in (*_NAMES, "region") if options.get(name)}
    endpoint = (
        options.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    )
    if endpoint:
        config["endpoint"] = config["aws_endpoint_url_s3"] = endpoint.rstrip("/")
        config["allow_http"] = _check_endpoint(endpoint, told=options.get("allow_http") == "true")
    known = "access_key_id" in config or os.environ.get("AWS_ACCESS_KEY_ID")
    if not known and not any(os.environ.get(name) for name in _ELSEWHERE):
        config.update(_from_files())
    return config


def _check_endpoint(endpoint: str, *, told: bool) -> bool:
    """Return whether a server is spoken to without TLS."""
    try:
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        fine = parts.scheme in ("http", "https") and host and not parts.query and not parts.fragment
        named = "@" in parts.netloc
        _ = parts.port
    except ValueError:
        fine, named, host = False, "@" in endpoint, ""
    if not fine or named:
        raise UsageError(
            f"{'An address with credentials in it' if named else quote(endpoint)} is no address of an S3 server.",
            subject="endpoint",
            hint="It looks like https://s3.example.org or https://s3.example.org:9000.",
        )
    if parts.scheme == "https":
        return False
    if not told and not _is_loopback(host):
        raise UsageError(
            f"{quote(endpoint)} is spoken to without TLS: what is sent there can be read and changed on the way.",
            subject="endpoint",
            hint="Write it with https in front, or set ONTOFETCH_OBJECTS_ALLOW_HTTP=true where the network is trusted.",
        )
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _from_files() -> dict[str, str]:
    """Return the keys of a profile in ~/.aws/credentials; nothing where there is no such file."""
    profile = os.environ.get("AWS_PROFILE") or "default"
    path = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or os.path.expanduser("~/.aws/credentials")
    parser = configparser.RawConfigParser()
    readable = True
    try:
        with open(path, "rb") as stream:
            parser.read_string(stream.read(_MOST).decode())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, configparser.Error):
        # the parser's words repeat the line
        readable = False
    if not readable:
        raise UsageError(
            f"The file {quote(path)} can't be read as credentials of AWS.",
            subject="AWS_SHARED_CREDENTIALS_FILE",
            hint="Its form is a line [default], below it others for aws_access_key_id and aws_secret_access_key; or "
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    given = dict(parser.items(profile)) if parser.has_section(profile) else {}
    found = {name: given[f"aws_{name}"] for name in _NAMES if f"aws_{name}" in given}
    if "access_key_id" in found and "secret_access_key" in found:
        return found
    if os.environ.get("AWS_PROFILE"):
        raise UsageError(
            f"The profile {quote(profile)} has no keys in {quote(path)}.",
            subject="AWS_PROFILE",
            hint='Where the AWS tools get them otherwise: eval "$(aws configure export-credentials --format env)".',
        )
    return {}
