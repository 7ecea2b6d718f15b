"""``python -m core.doctor``: is everything in order here, and if not, what to do.

install.py     Python and packages against what was tested
machine.py     VGG19's weights, device, threads
models.py      every model: loads, fits together, decodes
stores.py      the workspace: writable, room, what crashes have left, damaged jobs and designs
"""

from core.doctor.finding import Finding, failed

__all__ = ["Finding", "failed"]
