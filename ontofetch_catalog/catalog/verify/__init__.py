"""Fixity: hash recorded files again, compare them with the catalog, and record when each was last found intact."""

from ..repo.fixity import Scope
from .boundary import FINDINGS, RECENT_DAYS, Found, VerifyBatch
from .recording import Progress
from .request import Request, Result
from .run import verify

__all__ = ["FINDINGS", "RECENT_DAYS", "Found", "Progress", "Request", "Result", "Scope", "VerifyBatch", "verify"]
