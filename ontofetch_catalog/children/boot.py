"""Be the first lines of a process of ours: take the path and the limit of memory that it was told, then run a module.

Started as a file, so that nothing but the standard library is needed to get here. It knows no module by name.
"""

import sys
from types import ModuleType

PACKAGE = __file__.rpartition("/")[0]


class Bare(ModuleType):
    """A package of which single modules are imported; its face is when somebody asks for a name of it."""

    def __getattr__(self, name: str) -> object:
        """Import the face, once, and return what it calls so."""
        if name in ("__file__", "__wrapped__"):
            raise AttributeError(name)
        from importlib.util import spec_from_file_location

        (folder,) = self.__path__
        spec = spec_from_file_location(self.__name__, f"{folder}/__init__.py", submodule_search_locations=[folder])
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder} is no package", name=self.__name__)
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__, self.__file__, self.__loader__ = spec, spec.origin, spec.loader
        spec.loader.exec_module(self)
        found: object = getattr(self, name)
        return found


def main(told: str) -> int:
    """Run what was told: {path, memory, module, words, bare}."""
    import gc
    import json
    import resource
    from contextlib import suppress
    from importlib import import_module

    # what is imported stays: somebody waits while garbage is looked for in it
    gc.set_threshold(50_000, 10, 10)
    spec = json.loads(told)
    if spec["memory"]:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = min(spec["memory"], 2**63 - 1 if hard == resource.RLIM_INFINITY else hard)
        # macOS knows the limit and does not enforce it; some versions refuse to set it
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    # nobody wants a memory image of a stranger's bomb
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # behind the standard library and what is installed: nothing here stands before them
    sys.path += [entry for entry in spec["path"] if entry not in sys.path]
    for name, folder in spec["bare"].items():
        # somebody waits for the process, and one module of a package does not need what the package's face imports
        package = sys.modules[name] = Bare(name)
        package.__path__ = [folder]
    code: int = import_module(spec["module"]).main(*spec["words"])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
