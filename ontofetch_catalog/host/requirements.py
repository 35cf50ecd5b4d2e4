"""What a plugin requires of the contract, beside the contract that is installed."""

from __future__ import annotations

from importlib.metadata import Distribution, version

CONTRACT = "ontofetch-hookspecs"  # the distribution whose version is that of the contract


def contract_fault(distribution: Distribution | None) -> str:
    """Return why a plugin does not fit this contract, by what its distribution requires; empty if it fits."""
    required = [line for line in (distribution.requires if distribution else None) or () if line.startswith(CONTRACT)]
    if not required:
        return ""
    from packaging.requirements import Requirement

    here = version(CONTRACT)
    for requirement in map(Requirement, required):
        wanted = requirement.specifier
        if requirement.name == CONTRACT and not wanted.contains(here, prereleases=True):
            newer = wanted.contains("999999", prereleases=True)
            step = "upgrade ontofetch-catalog" if newer else "install a newer release of the plugin"
            return f"it needs {requirement}, and this is {here}: {step}"
    return ""
