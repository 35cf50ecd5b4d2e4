"""A plugin of ontofetch: which hooks it has. What they contribute is imported when it runs, and not before."""

import logging

from ontofetch_hookspecs import Command, PluginSetting, Report, SourceScheme, Validator, Veto, hookimpl

REGISTRY = "https://registry.example.org"
_log = logging.getLogger("ontofetch_line_check")


class Plugin:
    """The plugin; it learns its settings when the host is ready."""

    PLUGIN_NAME = "line-check"

    def __init__(self):
        self.least_bytes = 1
        self.most_removed = 100

    @hookimpl
    def register_settings(self):
        return [
            PluginSetting("least_bytes", "int", 1, "fewest bytes that an artifact may have"),
            PluginSetting("most_removed", "int", 100, "most releases that are removed at once"),
            PluginSetting("line-check-source", "text", REGISTRY, "address of the registry"),
        ]

    @hookimpl
    def on_host_ready(self, host):
        mine = host.plugin_settings.get("line-check", {})
        self.least_bytes = mine.get("least_bytes", self.least_bytes)
        self.most_removed = mine.get("most_removed", self.most_removed)

    @hookimpl
    def on_download_done(self, event):
        """Vote: raise a Veto against it, with a sentence for the user."""
        if event.size_bytes < self.least_bytes:
            raise Veto(f"{event.artifact} has fewer than {self.least_bytes} bytes.", hint="Ask the publisher.")

    @hookimpl
    def on_change_releases(self, event):
        """Vote on what changes by hand what is recorded already."""
        if event.kind == "remove" and len(event.versions) > self.most_removed:
            raise Veto(f"{event.name} has more than {self.most_removed} releases.", hint="Remove them one by one.")

    @hookimpl
    def on_catalog_committed(self, event):
        """Listen: it has happened already."""
        _log.info("%s %s", event.type, event.version_id)

    @hookimpl
    def register_commands(self):
        return [Command("line-check", "say how many releases there are", "ontofetch_line_check.work:command")]

    @hookimpl
    def register_reports(self):
        return [Report("line-check-files", "how many files each release has", "ontofetch_line_check.work:report")]

    @hookimpl
    def register_validators(self):
        return [Validator("line-check-lines", "1", ("text", "csv"), "ontofetch_line_check.work:validate")]

    @hookimpl
    def register_sources(self):
        listing = "ontofetch_line_check.work:list_versions"
        return [SourceScheme("line-check-source", "what the registry has", listing, "tool", REGISTRY)]


plugin = Plugin()
