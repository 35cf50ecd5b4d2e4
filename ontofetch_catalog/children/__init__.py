"""The processes of ours: where their code may come from, what they are told, what they may take of the machine."""
