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


@hookimpl
def register_sources() -> Iterable[SourceScheme]:
    """Contribute the schemes of registries."""
    from ontofetch_hookspecs import SourceScheme

    def scheme(
        name: str, text: str, example: str, base: str, *, files: tuple[str, ...] = (), module: str = ""
    ) -> SourceScheme:
        return SourceScheme(name, text, f"{_MODULES}.{module or name}:list_versions", example, base, files)

    return [
        scheme("obo", "an ontology of the OBO Foundry", "hp", "https://obofoundry.org"),
        scheme("pypi", "a package of a Python index", "brickschema", "https://pypi.org/simple"),
        scheme("npm", "a package of an npm registry", "@scope/package", "https://registry.npmjs.org"),
        scheme("ols", "an ontology of an Ontology Lookup Service", "hp", "https://www.ebi.ac.uk/ols4"),
        scheme("bioportal", "an ontology of a portal of OntoPortal", "HP", "https://data.bioontology.org"),
        scheme("zenodo", "a record of Zenodo, all versions", "3363389", "https://zenodo.org", files=_ONTOLOGIES),
        scheme(
            "github", "the releases of a repository", "owner/repository", "https://api.github.com", files=_ONTOLOGIES
        ),
        scheme("bioregistry", "the document of a prefix", "hp", "", module="registry"),
    ]


@hookimpl
def register_settings() -> Iterable[PluginSetting]:
    """Contribute the address of each registry, for mirrors and registries of one's own."""
    from ontofetch_hookspecs import PluginSetting

    return [
        PluginSetting(scheme.name, "text", scheme.base, f"address of the registry behind {scheme.name}:")
        for scheme in register_sources()
        if scheme.base
    ]
