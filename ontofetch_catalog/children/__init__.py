"""Own the processes of ours: where their code may come from, what they are told, and what they may take of the machine.

Every process that this package starts is started by `start`; what it does there is not known here.
"""

from .start import clean_path, environment, start_module, start_script

__all__ = ["clean_path", "environment", "start_module", "start_script"]
