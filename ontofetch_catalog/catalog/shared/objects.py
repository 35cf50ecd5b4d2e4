"""Open the store of objects that an address names: a bucket (`s3://`) or a folder that several machines see (`file://`)."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from ...guesses import did_you_mean
from .object_store import ObjectStore, Stored, check_key

__all__ = ["OPTIONS", "ObjectStore", "Stored", "check_key", "objects_options", "open_objects"]

OPTIONS = (
    "endpoint",  # address of an S3 server that is not Amazon's
    "region",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "allow_http",  # `true`: speak without TLS also to other machines
    "timeout",  # seconds for which a request without many bytes may take
    "retries",  # how often a failed request is tried again
    "store_mode",  # permissions of a folder that is made, octal
    "durability",  # `off`: put no weight on a power cut, for tests
)
_PREFIX = "ONTOFETCH_OBJECTS_"


def objects_options(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the options that the environment names, each as ONTOFETCH_OBJECTS_ and its name in capitals.

    Raises:
        UsageError: A variable begins like that and names no option.
    """
    found = {}
    for name in environment:
        if name.startswith(_PREFIX) and environment[name]:
            option = name.removeprefix(_PREFIX).lower()
            _check_option(option, name)
            found[option] = environment[name]
    return found


def open_objects(address: str, *, options: Mapping[str, str]) -> ObjectStore:
    """Open a store of objects; nothing is read, made or asked for yet.

    Args:
        address: `s3://bucket/prefix` or `file:///absolute/folder`.
        options: Some of `OPTIONS`.

    Raises:
        UsageError: The address, or an option, is off, or the package for buckets is not installed.
    """
    for name in options:
        _check_option(name, name)
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme == "file":
        from .folder import FolderObjects

        mode = _number(options, "store_mode", "700", 8)
        return FolderObjects(address, mode=mode, durable=options.get("durability") != "off")
    if scheme != "s3":
        shown = quote(address) if "@" not in address else f"{quote(scheme)}://…"
        raise UsageError(
            f"{shown} is no address of a store of objects.",
            subject="objects",
            hint="Write s3://bucket/prefix, or file:///mnt/shared/objects for a folder that all machines see.",
        )
    try:
        import obstore  # noqa: F401 (whether it is there)
    except ImportError as error:
        raise UsageError(
            "Buckets need the package obstore, which is not installed.",
            subject="objects",
            hint="Install it with `pip install 'ontofetch-catalog[shared]'`, and run the same command again.",
        ) from error
    from .bucket import BucketObjects
    from .credentials import bucket_config

    timeout, retries = _number(options, "timeout", "30"), _number(options, "retries", "4")
    return BucketObjects(address, config=bucket_config(options), timeout=timeout, retries=retries)


def _check_option(name: str, shown: str) -> None:
    if name not in OPTIONS:
        raise UsageError(
            f"{quote(shown)} is no option of a store of objects.", subject=shown, hint=did_you_mean(name, OPTIONS)
        )


def _number(options: Mapping[str, str], name: str, default: str, base: int = 10) -> int:
    text = options.get(name, default)
    try:
        number = int(text, base)
    except ValueError:
        number = -1
    if not 0 <= number <= 3600 or (name == "timeout" and not number):
        raise UsageError(
            f"The option {name} of a store of objects is {quote(text)}, which it can't be.",
            subject=name,
            hint=f"Leave it out for {default}.",
        )
    return number
