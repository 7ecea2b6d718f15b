"""Training patches: every step's batch follows from the seed and the step alone.

So a resumed run sees what an uninterrupted one would have seen, without any stored state.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.dataset import DataSet
from core.errors import InputError
from core.images import to_uint8
from core.patches import patch_corners
from core.processes import shared
from core.scale import common_scale, read_to_scale

_ORDER, _PATCH, _TURN, _SAMPLE = range(4)  # independent random streams


class PatchPool:
    """The patches of some specimens of a data set; images held in memory in 8 bits.

    Batches mix the specimens and give each the same share: each round visits every specimen once
    in random order, and each specimen's patches come shuffled, all once before any twice.
    """

    def __init__(
        self, data: DataSet, specimens: Sequence[str], size: int, stride: int, seed: int
    ) -> None:
        """Read the images of ``specimens``, bring them to one scale and list their windows.

        Raises:
            InputError: an image is smaller than a patch, or no specimen is given.
        """
        if not specimens:
            raise InputError("no specimen to cut patches from")
        self.size, self.seed, self.specimens = size, seed, tuple(specimens)
        um_per_px = common_scale(data)
        self.images: list[np.ndarray] = []
        corners: dict[str, list[np.ndarray]] = {name: [] for name in specimens}
        for row, (file, specimen) in enumerate(
            zip(data.table["file"], data.table["specimen"], strict=True)
        ):
            if specimen not in corners:
                continue
            pixels = read_to_scale(data, row, um_per_px)
            try:
                found = patch_corners(pixels.shape[0], pixels.shape[1], size, stride)
            except InputError as error:
                raise InputError(f"{file}: {error}") from error
            index = np.full((len(found), 1), len(self.images))
            corners[specimen].append(np.concatenate([index, found], axis=1))
            self.images.append(to_uint8(pixels))
        # specimen -> (N, 3): image, row, column
        self.corners = [np.concatenate(corners[name]) for name in specimens]

    def __len__(self) -> int:
        return sum(len(windows) for windows in self.corners)

    def batch(self, step: int, count: int, augment: bool) -> Tensor:
        """Return the ``count`` patches of ``step``, (count, 1, size, size) float32 in [0, 1].

        Of several processes (`core.processes`) each gets its own part of them.

        Raises:
            ConfigError: the processes cannot share ``count`` patches in equal parts.
        """
        patches = []
        for k in shared(range(step * count, (step + 1) * count)):
            visit, place = divmod(k, len(self.specimens))
            specimen = int(self._permutation(len(self.specimens), _ORDER, visit)[place])
            windows = self.corners[specimen]
            epoch, turn = divmod(visit, len(windows))
            chosen = self._permutation(len(windows), _PATCH, specimen, epoch)[turn]
            patch = self._cut(windows[chosen])
            if augment:
                way = int(np.random.default_rng((self.seed, _TURN, k)).integers(8))
                patch = np.rot90(patch[:, ::-1] if way >= 4 else patch, way % 4)
            patches.append(patch)
        return _to_tensor(patches)

    def sample(self, count: int) -> Tensor:
        """Return ``count`` patches spread evenly over the specimens, always the same ones."""
        patches = []
        for k in range(count):
            visit, specimen = divmod(k, len(self.specimens))
            windows = self.corners[specimen]
            order = self._permutation(len(windows), _SAMPLE, specimen)
            patches.append(self._cut(windows[order[visit % len(windows)]]))
        return _to_tensor(patches)

    def _permutation(self, length: int, *stream: int) -> np.ndarray:
        return np.random.default_rng((self.seed, *stream)).permutation(length)

    def _cut(self, window: np.ndarray) -> np.ndarray:
        image, row, column = window
        return self.images[image][row : row + self.size, column : column + self.size]


def _to_tensor(patches: list[np.ndarray]) -> Tensor:
    stacked = torch.from_numpy(np.stack(patches))  # (B, size, size) uint8
    return stacked.unsqueeze(1).float() / 255
