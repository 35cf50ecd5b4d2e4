"""Take mistakes back: releases are removed to quarantine, get other names, and what was done last is undone."""
