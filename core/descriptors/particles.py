"""Graphite particles, measured one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import pdist
from skimage.measure import label, regionprops

from core.descriptors.inputs import check_scale
from core.errors import InputError

MIN_FERET_UM = 10.0  # ISO 945-4, JIS G5502, ASTM E2567

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Particles:
    """P particles of one field, or of several fields together.

    Attributes:
        area_um2: (P,) area, holes included where the mask has them filled.
        feret_um: (P,) maximum Feret diameter: the longest distance between two outline points.
        touches_border: (P,) bool, cut by the picture's border.
        centre_um: (P, 2) centroids as (y, x) from the picture's upper left corner.
        field: (P,) int, which field it lies in.
        labels: (P,) int, its number in the label image of its field.
    """

    area_um2: Values
    feret_um: Values
    touches_border: Mask
    centre_um: Values
    field: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.area_um2)

    @property
    def diameter_um(self) -> Values:
        """Equivalent diameters (P,): of the circles of the same areas, um."""
        return np.sqrt(4 / np.pi * self.area_um2)

    @property
    def roundness(self) -> Values:
        """Areas over those of the circles on the maximum Feret diameters, (P,) in (0, 1].

        ISO 945-4, JIS G5502 and ASTM E2567 (Vander Voort) alike.
        """
        return self.area_um2 / (np.pi / 4 * self.feret_um**2)

    def inner(self) -> "Particles":
        """Return those that no border cuts: the standards' choice for shapes and sizes."""
        return self.select(~self.touches_border)

    def select(self, chosen: Mask) -> "Particles":
        """Return the particles where ``chosen`` (P,) holds."""
        return Particles(*(getattr(self, name)[chosen] for name in Particles.__slots__))


def label_particles(mask: Mask) -> NDArray[np.int32]:
    """Number the particles of a mask (H, W), 8-connected; 0 is no particle."""
    return label(mask, connectivity=2)


def measure_particles(
    labels: NDArray[np.int32],
    um_per_px: float,
    min_feret_um: float = MIN_FERET_UM,
    min_area_px: int = 1,
) -> Particles:
    """Measure the particles of one field.

    Args:
        labels: (H, W) from `label_particles`.
        um_per_px: scale.
        min_feret_um: particles with a smaller maximum Feret diameter are left out.
        min_area_px: and those with fewer pixels.

    Returns:
        The particles, those cut by the border marked; field 0.

    Raises:
        InputError: an implausible scale or a label image that is not (H, W).

    Example:
        >>> mask = np.zeros((80, 80), dtype=bool)
        >>> mask[20:30, 20:60] = True
        >>> found = measure_particles(label_particles(mask), um_per_px=0.5)
        >>> float(found.area_um2[0]), bool(found.touches_border[0])
        (100.0, False)
    """
    um_per_px = check_scale(um_per_px)
    if labels.ndim != 2:
        raise InputError(f"a label image (H, W) is needed, not {labels.shape}")
    rows = []
    for region in regionprops(_without_small(labels, min_feret_um / um_per_px, min_area_px)):
        feret = max_feret_px(region.image) * um_per_px
        if feret < min_feret_um:
            continue
        top, left, bottom, right = region.bbox
        cut = top == 0 or left == 0 or bottom == labels.shape[0] or right == labels.shape[1]
        y, x = region.centroid
        area = region.area * um_per_px**2
        rows.append((area, feret, cut, (y + 0.5) * um_per_px, (x + 0.5) * um_per_px, region.label))
    table = np.array(rows, dtype=float).reshape(-1, 6)
    return Particles(
        area_um2=table[:, 0],
        feret_um=table[:, 1],
        touches_border=table[:, 2] > 0,
        centre_um=table[:, 3:5],
        field=np.zeros(len(table), dtype=np.int64),
        labels=table[:, 5].astype(np.int64),
    )


def max_feret_px(particle: Mask) -> float:
    """Return the maximum Feret diameter of one particle (H, W) bool, px.

    Between the middles of outer pixel edges: without bias for discs of 10 px and more. (The
    ``feret_diameter_max`` of scikit-image 0.26 is 1.4 px too long, which takes 14 points off the
    roundness of a disc of 20 px.)

    Example:
        >>> round(max_feret_px(np.ones((3, 40), dtype=bool)), 1)
        40.0
    """
    ends = []
    for axis in (0, 1):
        lines = particle if axis == 0 else particle.T
        index = np.flatnonzero(lines.any(axis=1))
        first = lines[index].argmax(axis=1) - 0.5
        last = lines.shape[1] - 0.5 - lines[index, ::-1].argmax(axis=1)
        for end in (first, last):
            ends.append(np.stack((index, end) if axis == 0 else (end, index), axis=1))
    points = np.concatenate(ends)
    return float(pdist(points[ConvexHull(points).vertices]).max())


def _without_small(
    labels: NDArray[np.int32], min_feret_px: float, min_area_px: int
) -> NDArray[np.int32]:
    """Blank what is surely too small: by pixels, or by the diagonal of its bounding box."""
    keep = np.bincount(labels.ravel()) >= min_area_px
    keep[0] = False
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None and np.hypot(*(side.stop - side.start for side in box)) < min_feret_px:
            keep[index] = False
    return np.where(keep[labels], labels, 0)


def pool(fields: Sequence[Particles]) -> Particles:
    """Put the particles of several fields together; their ``field`` counts from 0."""
    columns = {
        name: np.concatenate([getattr(found, name) for found in fields])
        for name in Particles.__slots__
    }
    columns["field"] = np.repeat(np.arange(len(fields)), [len(found) for found in fields])
    return Particles(**columns)


def nearest_neighbours_um(particles: Particles) -> Values:
    """Return the centre distance from each inner particle to the nearest particle of its field.

    Border particles count as neighbours. A nearer one may lie outside the picture, so the
    distances come out slightly long in fields with few particles.

    Returns:
        (Q,) um; none from fields with a single particle.
    """
    distances = [np.empty(0)]
    for field in np.unique(particles.field):
        here = particles.select(particles.field == field)
        inner = here.centre_um[~here.touches_border]
        if len(here) >= 2 and len(inner):
            distances.append(cKDTree(here.centre_um).query(inner, k=2)[0][:, 1])
    return np.concatenate(distances)
