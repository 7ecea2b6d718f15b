"""Every error a user can cause or meet, under one base.

A message says what is wrong, which value, and what to do. Views catch the base class only;
anything else is a defect and is logged with an id.
"""

import re

from core.display_name import printable

MAX_MESSAGE = 1000  # characters; what a file holds may be quoted in one


class MicroDesignError(Exception):
    """Base of all errors of this project that are meant for the user.

    A message may quote what a stranger's file holds, so it is kept short, and in one line without
    control characters: it goes to pages, terminals and logs.
    """

    def __init__(self, message: object = "") -> None:
        text = printable(re.sub(r"\s+", " ", str(message)[: 2 * MAX_MESSAGE]))
        super().__init__(text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…")


class InputError(MicroDesignError):
    """A file, table, image or query from the user cannot be used as it is."""


class ConfigError(MicroDesignError):
    """A setting is unknown, of the wrong type or out of its range."""


class CheckpointError(MicroDesignError):
    """A saved model, network or latent cache is missing, damaged or of another kind."""


class NotAllowedError(MicroDesignError):
    """Whoever runs this server has turned off what was asked for."""


class TrainingError(MicroDesignError):
    """Training cannot go on (for example a non-finite loss); the last good checkpoint is kept."""


class StorageError(MicroDesignError):
    """Something cannot be written: the disk is full, read-only, or not this user's."""
