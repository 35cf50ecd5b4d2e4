"""Own the attackers' bench: hostile inputs, fuzzing and races against the whole program, and what must hold after each."""
