"""What the plugin contributes; heavy imports stay inside of the functions."""


def command(argv, host):
    """Print how many releases there are, and return an exit code."""
    from ontofetch_catalog.analytics import Catalog

    releases = Catalog.open(host.root, settings=host.settings).versions().collect()
    print(f"{len(releases)} releases below {host.root.name}")
    return 0


def report(catalog):
    """Return section name -> table; a lazy frame is collected by the host."""
    import polars as pl

    counted = catalog.files().group_by("version_id").agg(pl.len().alias("files"))
    return {"files": counted.sort("version_id")}


def validate(path, format):
    """Return whether the file is valid, and details; called in a process of its own, with limits."""
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            if len(line) > 100_000:
                return False, {"error": "a line has more than 100,000 bytes", "line": number}
    return True, {}


def list_versions(query):
    """Yield what the registry has under a name: `line-check-source:tool` is asked for `tool`."""
    from ontofetch_hookspecs import SourceVersion

    told = query.read_json(query.fetch(f"{query.base}/{query.name}.json"))
    for one in told["versions"]:
        yield SourceVersion(version=one["number"], url=one["url"], checksum=f"sha256:{one['sha256']}")
