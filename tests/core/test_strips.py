"""Claims about decoding in strips: what is decoded is what is trained."""

import pytest
import torch

import core.strips
from core.decoders import TextureDecoder


@pytest.fixture(scope="module")
def decoder() -> TextureDecoder:
    torch.manual_seed(0)
    return TextureDecoder(4, (12, 12, 10, 8, 8)).eval()


def decoded(decoder: TextureDecoder, z: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return decoder(z, height, width, torch.Generator().manual_seed(1), periodic=False)


@pytest.mark.parametrize("strip_bytes", [2 * 2**20, 2**14, 1])  # whole maps, some rows, two rows
@pytest.mark.parametrize("cells", [(), (2, 3), (1, 1)])
def test_strips_give_what_whole_maps_give(
    decoder: TextureDecoder, cells: tuple[int, ...], strip_bytes: int, monkeypatch
) -> None:
    monkeypatch.setattr(core.strips, "STRIP_BYTES", strip_bytes)
    z = torch.randn(2, 4, *cells, generator=torch.Generator().manual_seed(0))
    trained = decoded(decoder, z, 96, 160)
    assert trained.requires_grad
    with torch.no_grad():
        used = decoded(decoder, z, 96, 160)
    assert not used.requires_grad
    torch.testing.assert_close(used, trained.detach(), atol=2e-5, rtol=0)
