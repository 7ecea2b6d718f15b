"""Claims about cells: how regions are cut and latents laid out for the decoder."""

import torch

from core.objective import cut_cells, lay_cells


def test_cells_are_cut_row_by_row() -> None:
    images = torch.arange(2 * 4 * 6.0).view(2, 1, 4, 6)
    cells = cut_cells(images, 2)
    assert cells.shape == (8, 1, 2, 3)
    assert torch.equal(cells[1, 0], images[0, 0, :2, 3:])
    assert torch.equal(cells[6, 0], images[1, 0, 2:, :3])


def test_latents_of_cells_lie_where_the_cells_were() -> None:
    images = torch.arange(2 * 4 * 4.0).view(2, 1, 4, 4)
    z = lay_cells(cut_cells(images, 2).flatten(1), 2)  # a "latent" that is the cell's pixels
    assert z.shape == (2, 4, 2, 2)
    assert torch.equal(z[1, :, 0, 1], images[1, 0, :2, 2:].flatten())
    assert torch.equal(lay_cells(images.flatten(1), 1), images.flatten(1))
