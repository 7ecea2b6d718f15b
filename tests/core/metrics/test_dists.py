"""Claims about DISTS: real weights or a plain word that it cannot be had."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from core.errors import CheckpointError, InputError
from core.metrics import dists as module
from core.metrics.dists import DISTS, dists, main, weights_path, why_not_available
from tests.core.textures import texture


@pytest.fixture
def empty_hub(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(module, "get_dir", lambda: str(tmp_path))
    return tmp_path


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.from_numpy(texture(64, 64, 2.0, seed))[None, None] for seed in (0, 1))


def test_without_weights_dists_is_not_available_and_says_what_to_do(empty_hub):
    assert "python -m core.metrics.dists" in (why_not_available() or "")
    with pytest.raises(CheckpointError, match="not available here"):
        dists(*pictures())


def test_damaged_weights_are_refused(empty_hub):
    weights_path().parent.mkdir(parents=True)
    weights_path().write_bytes(b"not these")
    assert why_not_available() is None
    with pytest.raises(CheckpointError, match="is damaged"):
        DISTS()


def test_fetching_without_a_hub_ends_with_the_reason(empty_hub, monkeypatch, capsys):
    def fail(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(module, "load_state_dict_from_url", fail)
    monkeypatch.setattr(sys, "argv", ["dists"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "no route to host" in capsys.readouterr().err


def test_score_is_one_minus_the_distance_of_three_equal_channels(empty_hub, monkeypatch):
    """With a network of one line in place of VGG16, which is not at hand everywhere."""

    class Network(nn.Module):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            assert x.shape[1] == y.shape[1] == 3
            return (x - y).abs().mean(dim=(1, 2, 3))

    stand_in = ModuleType("torchmetrics.functional.image.dists")
    stand_in.DISTSNetwork = Network
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    monkeypatch.setattr(module, "why_not_available", lambda: None)
    monkeypatch.setattr(module, "check_weights", lambda path: None)
    x, y = pictures()
    torch.testing.assert_close(DISTS()(x, y), 1 - (x - y).abs().mean(dim=(1, 2, 3)))
    with pytest.raises(InputError, match="at least 32 px"):
        DISTS()(x[..., :16, :16], y[..., :16, :16])


def test_dists_of_equal_pictures_is_one_and_of_others_below():
    if reason := why_not_available():
        pytest.skip(reason)
    x, y = pictures()
    assert dists(x, x).item() == pytest.approx(1, abs=1e-5)
    assert dists(x, y).item() < 1
