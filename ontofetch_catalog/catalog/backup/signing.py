"""The signatures of backups: Ed25519 over the bytes of the manifest, keys from PEM files.

The `cryptography` package does it; without it there is a sentence.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote

from ...errors import BackupRefused, UsageError
from ...named_files import open_named

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MOST_KEY_BYTES = 1 << 16
_MAKE = (
    "`openssl genpkey -algorithm ed25519 -out key.pem` makes one, `openssl pkey -in key.pem -pubout` its public key."
)


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Return the key that signs, from a PEM file without a passphrase.

    Raises:
        UsageError: The package is missing, or the file is no such key.
    """
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise _no_key(path, "a private key without a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key(path, "an Ed25519 key")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Return the key that checks, from a PEM file.

    Raises:
        UsageError: The package is missing, or the file is no such key.
    """
    _require()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _read(path)
    try:
        key = load_pem_public_key(data)
    except ValueError as error:
        raise _no_key(path, "a public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise _no_key(path, "an Ed25519 key")
    return key


def check_signature(key: Ed25519PublicKey, manifest: bytes, signature: bytes | None) -> None:
    """Check that the owner of `key` signed the manifest.

    Raises:
        BackupRefused: There is no signature, or it is of another key or of other bytes.
    """
    from cryptography.exceptions import InvalidSignature

    if signature is None:
        raise BackupRefused(
            "The backup is not signed, but --verify-key asks for a signature.",
            hint="Nothing was touched. Leave out --verify-key only if you trust where the backup lay.",
        )
    try:
        key.verify(signature, manifest)
    except InvalidSignature as error:
        raise BackupRefused(
            "The signature of the backup does not fit the key: another key signed it, or its manifest was changed.",
            hint="Nothing was touched.",
        ) from error


def _require() -> None:
    try:
        import cryptography  # noqa: F401 - whether it is there is the question
    except ImportError as error:
        raise UsageError(
            "Signatures need the package `cryptography`, which is not installed.",
            subject="cryptography",
            hint="`pip install 'ontofetch-catalog[sign]'` brings it.",
        ) from error


def _read(path: Path) -> bytes:
    try:
        with open_named(path) as stream:
            return stream.read(MOST_KEY_BYTES)
    except OSError as error:
        raise UsageError(f"The key {quote(path)} can't be read: {error.strerror}.", subject=str(path)) from error


def _no_key(path: Path, wanted: str) -> UsageError:
    return UsageError(f"{quote(path)} is not {wanted} in PEM form.", subject=str(path), hint=_MAKE)
