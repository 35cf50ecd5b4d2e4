"""How servers are asked: the settings in force and what the user wants to be sent.

It is apart from the asking, whose libraries take a while to be imported: a pull of a local file needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

if TYPE_CHECKING:
    from .transport import Connections


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How servers are asked.

    Args:
        headers: What the user wants to be sent; may be secret.
        timeout: Seconds to wait for a server to connect, to answer, or to send more.
        retries: How often a failed request is tried again.
        backoff: Seconds before the second try; doubled with each further one.
        deadline: Seconds for everything, pauses included; 0: no limit.
        least_rate: Bytes of a body per second of waiting; 0: no limit.
        most_bytes: Bytes a body may have; 0: no limit.
        most_ratio: Bytes of a document for each that came, where a server declares a coding.
        private_redirects: Whether redirects may lead to addresses that are not public.
        led_from: The kind of address of the server that named the URL; None where a user did.
        connections: Connections that outlast the download; None: it has its own.
    """

    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    timeout: float = 30.0
    retries: int = 4
    backoff: float = 0.5
    deadline: float = 21_600.0
    least_rate: float = 1000.0
    most_bytes: int = 50_000_000_000
    most_ratio: float = 200.0
    private_redirects: bool = False
    led_from: str | None = None
    connections: Connections | None = field(default=None, repr=False, compare=False)

    @classmethod
    def from_settings(cls, settings: Mapping[str, object], headers: Sequence[tuple[str, str]]) -> HttpOptions:
        """Return the options that the settings in force say."""
        return cls(
            headers=headers,
            timeout=float(str(settings["http_timeout"])),
            retries=int(str(settings["http_retries"])),
            deadline=float(str(settings["http_deadline"])),
            least_rate=float(str(settings["http_least_rate"])),
            most_bytes=int(str(settings["http_max_bytes"])),
            most_ratio=float(str(settings["max_ratio"])),
            private_redirects=settings["http_private_redirects"] == "on",
        )
