"""DISTS: similarity of structure and texture in VGG16 features, by torchmetrics.

Ding, Ma, Wang and Simoncelli 2020, "Image quality assessment: unifying structure and texture
similarity", arXiv:2004.07728. The network and its tuned weights are those of the authors' PyTorch
code as torchmetrics keeps them (`torchmetrics.functional.image.dists`); the authors' two official
codes disagree, so the name belongs to the number. As in the paper of this project's model, the
score is 1 - distance.

DISTS needs torchvision's VGG16 weights (528 MB, from a model hub). ``python -m core.metrics.dists``
fetches them; without them DISTS is not available, and is never computed with other weights.
"""

import argparse
from pathlib import Path
from urllib.parse import urlsplit

import torch
from torch import Tensor, nn
from torch.hub import get_dir, load_state_dict_from_url

from core.errors import CheckpointError
from core.files import sha256_file
from core.metrics.inputs import check_pair

LEAST_PX = 32  # its last stage then has two places


def weights_url() -> str:
    """Return where torchvision's VGG16 weights come from."""
    from torchvision.models import VGG16_Weights  # seconds to import

    return str(VGG16_Weights.DEFAULT.url)


def weights_path() -> Path:
    """Return where torch's hub keeps the VGG16 weights."""
    return Path(get_dir()) / "checkpoints" / Path(urlsplit(weights_url()).path).name


def why_not_available() -> str | None:
    """Return why DISTS cannot be computed here and what to do, None where it can."""
    if weights_path().is_file():
        return None
    return (
        "DISTS is not available here: torchvision's VGG16 weights are not installed; "
        "python -m core.metrics.dists fetches them where the model hub can be reached"
    )


class DISTS(nn.Module):
    """The DISTS score, 1 - distance."""

    def __init__(self) -> None:
        """Load the network from the weights on disk; nothing is downloaded.

        Raises:
            CheckpointError: the weights are missing or damaged.
        """
        super().__init__()
        if reason := why_not_available():
            raise CheckpointError(reason)
        check_weights(weights_path())
        # Imported here: torchmetrics takes a second.
        from torchmetrics.functional.image.dists import DISTSNetwork

        self.network = DISTSNetwork().eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Compare pictures with originals, pixel beside pixel.

        Args:
            x: (B, 1, H, W) originals in [0, 1].
            y: the same for the pictures that are judged.

        Returns:
            (B,) at most 1, higher is better; 1 for equal pictures. Its structure term compares
            aligned pixels, so two samples of one texture stay below 1.

        Raises:
            InputError: the pictures cannot be compared.
        """
        check_pair(x, y, LEAST_PX)
        first, second = (images.float().expand(-1, 3, -1, -1) for images in (x, y))
        distance: Tensor = self.network(first, second)
        return 1 - distance.reshape(len(x))


def dists(x: Tensor, y: Tensor) -> Tensor:
    """Compute `DISTS` once; the network is loaded anew at each call.

    Raises:
        CheckpointError: the weights are missing or damaged.
        InputError: the pictures cannot be compared.
    """
    return DISTS()(x, y)


def check_weights(path: Path) -> None:
    """Compare a weights file with the start of its SHA-256 in its name, as torch's hub does.

    Raises:
        CheckpointError: they differ.
    """
    wanted = path.stem.rsplit("-", 1)[-1]
    found = sha256_file(path)
    if not found.startswith(wanted):
        raise CheckpointError(
            f"{path} is damaged: its sha256 begins with {found[:8]}, not {wanted}; delete it and "
            "run python -m core.metrics.dists"
        )


def main() -> None:
    """Fetch the VGG16 weights that DISTS needs, and check them."""
    parser = argparse.ArgumentParser(prog="python -m core.metrics.dists", description=main.__doc__)
    parser.parse_args()
    try:
        if not weights_path().is_file():
            load_state_dict_from_url(weights_url(), progress=True, check_hash=True)
        check_weights(weights_path())
    except (OSError, RuntimeError, CheckpointError) as error:
        parser.exit(2, f"the VGG16 weights cannot be had: {error}\n")
    print(f"{weights_path()} is complete")


if __name__ == "__main__":
    main()
