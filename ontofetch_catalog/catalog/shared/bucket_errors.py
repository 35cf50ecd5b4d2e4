"""What obstore's errors mean: whether trying again may help, and a sentence without anything a server or a key may say.

The texts of those errors repeat what servers answer, which may repeat what they were sent: only their codes are taken.
"""

from __future__ import annotations

import re

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
# where a machine of a cloud asks who it is, which is tried last
_METADATA = re.compile(r"http://169\.254\.|/latest/api/token|/latest/meta-data")
_KEYS = (
    "Look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN) or your ~/.aws/credentials, and run "
    "the same command again."
)
_CLOCK = "Set the clock of this machine right, and run the same command again."
_AGAIN = "Run the same command again when it answers."
_PLACE = "Look at the address of the objects and at AWS_ENDPOINT_URL and AWS_REGION, and run the same command again."
_WHERE = "Look at the address of the objects and at AWS_ENDPOINT_URL, and run the same command again when it answers."
# what S3 calls credentials that don't count, and what to do
_CREDENTIALS = {
    "AccessDenied": "these credentials may not do that",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the access key is unknown there",
    "InvalidToken": "the session token does not count there",
    "SignatureDoesNotMatch": "the secret key is another one there",
    "TokenRefreshRequired": "the credentials have expired",
}
_LATER = {408, 409, 425, 429}  # what passes though it is below 500; 409: another writes the same key right now
_DAMAGED = {"BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "RequestTimeout", "SlowDown"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Describe why a request to a bucket failed.

    Args:
        reason: In words, without a full stop.
        hint: What to do next.
        passes: Whether trying again may help.
        missing: Whether the object is not there, and nothing else is wrong.
        status: Of the server's answer, 0 if there was none.
    """

    reason: str
    hint: str
    passes: bool = False
    missing: bool = False
    status: int = 0


def trouble_of(error: Exception) -> Trouble | None:
    """Return what an error of obstore means; None for AlreadyExistsError, and for errors that are not obstore's."""
    from obstore.exceptions import AlreadyExistsError, BaseError

    text = str(error)
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    if isinstance(error, AlreadyExistsError):
        # another writes the same key right now: who is first is not known yet
        return Trouble("another process writes the same key", _AGAIN, passes=True) if status == 409 else None
    if not isinstance(error, BaseError | FileNotFoundError) or (isinstance(error, OSError) and not status):
        return None
    if code == "NoSuchBucket":
        return Trouble("there is no such bucket", _PLACE)
    if isinstance(error, FileNotFoundError):
        return Trouble("there is no such object", "", missing=True)
    if _METADATA.search(text):
        return Trouble("no credentials were found", _KEYS)
    return _refusal(status, code) if status else _connection(text)


def _refusal(status: int, code: str) -> Trouble:
    if code == "RequestTimeTooSkewed":
        return Trouble("the clock of this machine differs from the server's by more than it allows", _CLOCK)
    if code in _CREDENTIALS:
        return Trouble(_CREDENTIALS[code], _KEYS)
    told = f"{status} {code}".strip()
    if status in (401, 403):
        return Trouble(f"the credentials are refused ({told})", _KEYS)
    if status >= 500 or status in _LATER or code in _DAMAGED:
        return Trouble(f"the server answers {told}", _AGAIN, passes=True)
    return Trouble(f"the server answers {told}", _PLACE, status=status)


def _connection(text: str) -> Trouble:
    kind = found[1] if (found := re.search(r"HttpError \{\s*kind: (\w+)", text)) else ""
    system = found[1] if (found := re.search(r'code: \d+,\s*kind: \w+,\s*message: "([\w ]{1,80})"', text)) else ""
    if kind == "Timeout" or "TimedOut" in text:
        return Trouble("the server did not answer in time", _AGAIN, passes=True)
    if kind == "Connect":
        why = f": {system}" if system else ""
        return Trouble(f"nobody answers there{why}", _WHERE, passes=True)
    if kind:
        return Trouble("the connection was cut", _AGAIN, passes=True)
    return Trouble(f"the request failed ({quote(text.splitlines()[0][:100] if text else 'without a word')})", _PLACE)
