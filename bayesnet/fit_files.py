"""The two files of a fit, network and property models, kept so that they are always of one fit."""

from pathlib import Path

from bayesnet.network import Network
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
