"""The attackers' bench: hostile inputs, fuzzing and races against the program, and what must hold after each."""
