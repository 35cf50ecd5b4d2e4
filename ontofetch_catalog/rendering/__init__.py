"""Draw rows for people and spell them for programs; it computes text and bytes and writes nothing."""
