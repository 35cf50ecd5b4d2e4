"""Generated stores with traps: prune takes every true orphan of each and loses no live file."""
