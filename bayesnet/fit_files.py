"""The two files of a fit, network and property models, kept so that they are always of one fit."""

import hashlib
from pathlib import Path

from bayesnet.network import Network
from bayesnet.storage import NETWORK_SHA256, network_bytes
from core.files import storing, write_together
from core.folders import new_folder, replace_folder
from core.properties import PropertyModel

NETWORK, PROPERTIES = "network.json", "properties.json"


def replace_fit(folder: Path, network: Network, fitted: PropertyModel | None) -> None:
    """Put a fit in a folder's place, as a whole.

    Args:
        folder: of nothing but a fit; what is in it goes.
        network: of the fit.
        fitted: its property models, None where no property has labels enough.

    Raises:
        StorageError: it cannot be written; the fit of before is in its place.
    """
    with new_folder(folder.parent) as made:
        network.save(made / NETWORK)
        if fitted is not None:
            fitted.save(made / PROPERTIES)
        replace_folder(made, folder)


def write_fit(folder: Path, network: Network, fitted: PropertyModel | None) -> None:
    """Write a fit into a model's folder: a crash leaves both old files, or both new ones.

    Args:
        folder: of the model, with all its other parts.
        network: of the fit.
        fitted: its property models. Where there are None those of another fit go first, so that a
            crash leaves the old network without any.

    Raises:
        StorageError: it cannot be written.
    """
    if fitted is None:
        with storing(folder):
            (folder / PROPERTIES).unlink(missing_ok=True)
        network.save(folder / NETWORK)
        return
    data = network_bytes(network)
    about = fitted.to_json() | {NETWORK_SHA256: hashlib.sha256(data).hexdigest()}
    write_together(folder, {NETWORK: data}, PROPERTIES, about, compact=True)
