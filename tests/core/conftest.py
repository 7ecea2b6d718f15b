"""The tiny model, loaded once, and one thread where sums must come out bit for bit."""

from pathlib import Path

import pytest
import torch

from core.checkpoint import LoadedModel, load_model
from core.reference_file import Reference, load_reference
from core.vgg import VGG19, load_vgg19


@pytest.fixture(scope="session")
def loaded(tiny_model) -> LoadedModel:
    """The tiny model in memory; tests must not change it."""
    return load_model(tiny_model)


@pytest.fixture(scope="session")
def vgg(vgg_weights) -> VGG19:
    """The normalised VGG19 with average pooling; tests must not change it."""
    return load_vgg19()


@pytest.fixture
def one_thread():
    """Compute with one thread: the order of sums is then always the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def reference(tiny_model: Path) -> Reference:
    """What is usual for the tiny model."""
    return load_reference(tiny_model)
