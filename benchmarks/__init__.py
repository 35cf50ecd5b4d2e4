"""What must stay fast and small, each beside its bare yardstick; `make bench` runs it, a plain pytest does not."""
