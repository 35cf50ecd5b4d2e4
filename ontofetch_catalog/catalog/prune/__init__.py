"""Remove what nobody needs in four steps, each of which can be looked at or taken back: plan, apply, restore, purge."""
