"""The schemes of registries as a plugin: `obo:`, `pypi:` and so on, each with a setting for its registry's address.

It imports nothing of them before one is asked; other plugins add their own schemes in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ontofetch_hookspecs import hookimpl

if TYPE_CHECKING:
    from ontofetch_hookspecs import PluginSetting, SourceScheme

PLUGIN_NAME = "sources"
_MODULES = "ontofetch_catalog.host.schemes"
_ONTOLOGIES = ("*.owl", "*.obo", "*.ttl", "*.rdf", "*.owl.gz", "*.obo.gz", "*.ttl.gz", "*.zip", "*.tar.gz")


# scheme → address of its registry; one without asks nobody of its own
_BASES = {
    "obo": "https://obofoundry.org",
    "pypi": "https://pypi.org/simple",
    "npm": "https://registry.npmjs.org",
    "ols": "https://www.ebi.ac.uk/ols4",
    "bioportal": "https://data.bioontology.org",
    "zenodo": "https://zenodo.org",
    "github": "https://api.github.com",
}


@hookimpl
def register_sources() -> Iterable[SourceScheme]:
    """Contribute the schemes of registries."""
    from ontofetch_hookspecs import SourceScheme

    def scheme(name: str, text: str, example: str, *, files: tuple[str, ...] = (), module: str = "") -> SourceScheme:
        target = f"{_MODULES}.{module or name}:list_versions"
        return SourceScheme(name, text, target, example, _BASES.get(name, ""), files)

    return [
        scheme("obo", "an ontology of the OBO Foundry", "hp"),
        scheme("pypi", "a package of a Python index", "brickschema"),
        scheme("npm", "a package of an npm registry", "@scope/package"),
        scheme("ols", "an ontology of an Ontology Lookup Service", "hp"),
        scheme("bioportal", "an ontology of a portal of OntoPortal", "HP"),
        scheme("zenodo", "a record of Zenodo, all versions", "3363389", files=_ONTOLOGIES),
        scheme("github", "the releases of a repository", "owner/repository", files=_ONTOLOGIES),
        scheme("bioregistry", "the document of a prefix", "hp", module="registry"),
    ]


@hookimpl
def register_settings() -> Iterable[PluginSetting]:
    """Contribute the address of each registry, for mirrors and registries of one's own."""
    from ontofetch_hookspecs import PluginSetting

    # every start asks for the settings, and few for the schemes
    return [
        PluginSetting(name, "text", base, f"address of the registry behind {name}:") for name, base in _BASES.items()
    ]
