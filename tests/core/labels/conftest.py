"""The labels of the decoder with known latents, measured once."""

import pytest

from core.labels import Labels
from tests.core.labels.discs import label_discs


@pytest.fixture(scope="session")
def discs() -> Labels:
    """Labels of the four latents of `tests.core.labels.discs`."""
    return label_discs()
