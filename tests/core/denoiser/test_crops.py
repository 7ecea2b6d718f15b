"""Claims about crops: each pixel's cell gives its latents, whatever the turn; steps repeat."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from core.checkpoint import LoadedModel, load_model
from core.dataset import DataSet
from core.denoiser import crops
from core.denoiser.crops import ABOUT, CELLS, CropPool, Micrograph, read_micrographs
from core.denoiser.network import STRIDE
from core.errors import InputError
from core.files import read_json, write_bytes, write_json
from tests.core.textures import make_textures

PX = 32


def micrograph(rows: int, columns: int, specimen: str = "a", first: int = 10) -> Micrograph:
    """Return one whose grey level in each cell is its latent, another in each."""
    cells = (first + 10 * np.arange(rows * columns)).reshape(rows, columns, 1)
    pixels = np.kron(cells[..., 0], np.ones((PX, PX))).astype(np.uint8)
    return Micrograph(specimen, pixels, cells.astype(np.float32))


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (2, 2)])
def test_latents_lie_where_their_cells_do(shape: tuple[int, int]) -> None:
    pool = CropPool([micrograph(*shape)], 2 * PX, seed=0)
    met = set()
    for step in range(12):
        found = pool.batch(step, 4)
        grey = torch.nn.functional.avg_pool2d(255 * found.pixels, STRIDE)
        latents = found.shares.spread(found.cells)
        # Well inside a cell: grey levels are the same beyond the ramps, and the crop's edge is far.
        most, least = (s * torch.nn.functional.max_pool2d(s * grey, 5, 1, 2) for s in (1, -1))
        flat = torch.zeros_like(grey, dtype=torch.bool)
        flat[..., 2:-2, 2:-2] = (most == least)[..., 2:-2, 2:-2]
        assert flat.any()
        worst = float((grey - latents)[flat].abs().max())
        assert worst < 0.5, f"{worst} grey levels off in step {step}"
        met |= set(grey[flat].round().int().tolist())
    assert len(met) == shape[0] * shape[1], "every cell is shown"


def test_shares_sum_to_one_and_do_not_wrap_around() -> None:
    found = CropPool([micrograph(4, 4)], 2 * PX, seed=1).batch(0, 16)
    for shares in (found.shares.rows, found.shares.columns):
        assert torch.allclose(shares.sum(dim=2), torch.ones(16, 2 * PX // STRIDE), atol=1e-5)
    one = Micrograph("a", micrograph(4, 4).pixels, micrograph(4, 4).cells)
    rows, _, cells = CropPool([one], 2 * PX, 0)._cells(one, 0, 0)
    at_the_edge = rows[0] @ cells[:, 0, 0]
    assert at_the_edge == pytest.approx(10.0), "the first cell's, not half the last one's"


def test_a_step_is_the_same_again_and_specimens_have_equal_shares() -> None:
    some = [micrograph(2, 2, "a"), micrograph(2, 2, "a"), micrograph(2, 2, "b", first=200)]
    first, again = (CropPool(some, PX, 3).batch(5, 8) for _ in range(2))
    assert torch.equal(first.pixels, again.pixels) and torch.equal(first.cells, again.cells)
    of_b = (first.pixels.amax(dim=(1, 2, 3)) * 255 >= 199).sum()
    assert of_b == 4


def test_materials_with_a_direction_are_not_turned() -> None:
    rows = np.broadcast_to(np.arange(4 * PX, dtype=np.uint8)[:, None], (4 * PX, 4 * PX))
    one = Micrograph("a", rows, micrograph(4, 4).cells)
    for turned in (False, True):
        found = CropPool([one], 2 * PX, 0, turned).batch(0, 24).pixels
        falls = (found[:, 0, 1:] - found[:, 0, :-1] > 0).all(dim=(1, 2))
        assert bool(falls.all()) is not turned, f"turned: {turned}"


def test_crops_are_no_larger_than_the_smallest_micrograph() -> None:
    assert CropPool([micrograph(4, 4), micrograph(1, 2)], 4 * PX, 0).size_px == PX
    with pytest.raises(InputError, match="no micrograph"):
        CropPool([], PX, 0)


def test_latents_of_cells_are_read_once(
    vgg_weights, tiny_model: Path, tiny_castings: DataSet, tmp_path: Path, monkeypatch
) -> None:
    loaded, calls = load_model(tiny_model), []
    plain = crops.encode_patches

    def counted(*arguments: object) -> object:
        calls.append(1)
        return plain(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(crops, "encode_patches", counted)
    first = read_micrographs(loaded, tiny_castings, tmp_path / "kept")
    assert len(calls) == len(tiny_castings) == len(first)
    again = read_micrographs(loaded, tiny_castings, tmp_path / "kept")
    assert len(calls) == len(tiny_castings)
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.cells, other.cells) and one.pixels.shape == (128, 128)
    damages = (lambda p: p.write_bytes(b"cut short"), Path.unlink)
    for times, damage in enumerate(damages, start=2):
        damage(tmp_path / "kept" / CELLS)
        read_micrographs(loaded, tiny_castings, tmp_path / "kept")
        assert len(calls) == times * len(tiny_castings)


def test_latents_of_several_cells_are_kept_as_they_are(loaded: LoadedModel, tmp_path: Path) -> None:
    data = make_textures(tmp_path / "data", 1, 1, 256, 384)
    (first,) = read_micrographs(loaded, data, tmp_path / "kept")
    (again,) = read_micrographs(loaded, data, tmp_path / "kept")
    assert first.cells.shape == (2, 3, 8)
    assert np.array_equal(first.cells, again.cells), np.abs(first.cells - again.cells).max()
    wrong = save({"000000": first.cells + 1})  # as it was kept before, without a format
    about = read_json(tmp_path / "kept" / ABOUT) | {"sha256": hashlib.sha256(wrong).hexdigest()}
    write_json(tmp_path / "kept" / ABOUT, {n: v for n, v in about.items() if n != "format"})
    write_bytes(tmp_path / "kept" / CELLS, wrong)
    (anew,) = read_micrographs(loaded, data, tmp_path / "kept")
    assert np.array_equal(first.cells, anew.cells)
