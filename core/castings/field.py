"""Place particles in a field and turn them into a picture like an SEM micrograph."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.draw import polygon2mask

from core.castings import particles
from core.castings.process import Structure

MARGIN_UM = 140.0  # particles are placed beyond the border too, so that the border cuts them
SUPERSAMPLE = 3

# Grey levels, measured on the real SEM iron (ductile_sem): matrix 0.555, graphite 0.17 with
# bright specks up to 0.45, matrix noise 0.015 with neighbour correlation 0.35.
MATRIX_LEVEL = 0.555
GRAPHITE_LEVEL = 0.165
NOISE = 0.0135


@dataclass(frozen=True, slots=True)
class Particle:
    """One graphite particle: what it was drawn as and its outline in um from the field's corner."""

    kind: str
    outline: particles.Outline


@dataclass(frozen=True, slots=True)
class Field:
    """A micrograph with its truth.

    Attributes:
        pixels: uint8 (H, W).
        graphite: true graphite mask, bool (H, W).
        particles: every particle that reaches into the field.
        grain_size_um: equivalent diameter of the ferrite grains actually drawn.
        um_per_px: scale.
    """

    pixels: NDArray[np.uint8]
    graphite: NDArray[np.bool_]
    particles: tuple[Particle, ...]
    grain_size_um: float
    um_per_px: float


class _Canvas:
    """An occupancy map in 1 um cells over the field and its margin."""

    def __init__(self, height_um: float, width_um: float) -> None:
        self.size = (height_um + 2 * MARGIN_UM, width_um + 2 * MARGIN_UM)
        self.taken = np.zeros((int(self.size[0]) + 1, int(self.size[1]) + 1), dtype=bool)

    @property
    def area_um2(self) -> float:
        return self.size[0] * self.size[1]

    def place(
        self,
        outline: particles.Outline,
        overlap: float,
        gap: float,
        rng: np.random.Generator,
        near: NDArray[np.float64] | None = None,
    ) -> particles.Outline | None:
        """Find a free place for an outline; at most ``overlap`` of it may cover others.

        ``gap`` enlarges the outline for the test only. ``near`` (2,) asks for a place near it.
        Returns the placed outline, or None after 60 tries.
        """
        low = outline.min(axis=0) * gap
        grown = outline * gap - low
        local = polygon2mask(np.ceil(grown.max(axis=0)).astype(int) + 1, grown)
        rows, columns = np.nonzero(local)
        if len(rows) == 0:
            return None
        for attempt in range(60):
            if near is None:
                centre = rng.uniform((0.0, 0.0), self.size)
            else:
                centre = near + rng.normal(0.0, 4.0 + 2.0 * attempt, 2)
            y = rows + int(centre[0] + low[0])
            x = columns + int(centre[1] + low[1])
            inside = (y >= 0) & (y < self.taken.shape[0]) & (x >= 0) & (x < self.taken.shape[1])
            if not inside.any():
                continue
            y, x = y[inside], x[inside]
            if self.taken[y, x].mean() <= overlap:
                placed = outline + centre
                self._mark(placed)
                return placed
        return None

    def _mark(self, outline: particles.Outline) -> None:
        low = np.floor(outline.min(axis=0)).astype(int)
        rows, columns = np.nonzero(
            polygon2mask(np.ceil(outline.max(axis=0) - low).astype(int) + 1, outline - low)
        )
        y, x = rows + low[0], columns + low[1]
        inside = (y >= 0) & (y < self.taken.shape[0]) & (x >= 0) & (x < self.taken.shape[1])
        self.taken[y[inside], x[inside]] = True


def _rounded(mean: float, rng: np.random.Generator) -> int:
    """Return a count with this mean; particles keep apart, so it scatters less than Poisson."""
    return max(round(mean + 0.5 * np.sqrt(mean) * rng.standard_normal()), 0)


def _nodule_outlines(structure: Structure, area_um2: float, rng: np.random.Generator) -> list:
    count = _rounded(structure.nodule_count_mm2 * structure.nodular_share * area_um2 * 1e-6, rng)
    if count == 0:
        return []
    diameter = np.exp(rng.normal(0.0, 0.36, count))
    wanted = structure.graphite_fraction * structure.nodular_share * area_um2
    diameter *= np.sqrt(wanted / (np.pi / 4 * np.sum(diameter**2)))
    return [particles.nodule(d, rng) for d in np.sort(diameter)[::-1]]


def _compacted_outlines(structure: Structure, area_um2: float, rng: np.random.Generator) -> list:
    """Compacted particles hold about 1.3 times the area of a nodule of the same iron."""
    wanted = structure.graphite_fraction * structure.compacted_share * area_um2
    mean_area = 1.3 * structure.graphite_fraction / structure.nodule_count_mm2 * 1e6
    enough = rng.random() * mean_area  # keeps the mean right when less than one is wanted
    outlines = []
    while wanted > enough:
        area = mean_area * np.exp(rng.normal(-0.1, 0.45))
        outlines.append(particles.compacted(area, rng))
        wanted -= particles.polygon_area(outlines[-1])
    return outlines


def _place_flakes(
    canvas: _Canvas, structure: Structure, rng: np.random.Generator
) -> list[Particle]:
    """Flakes grow in loose clusters of about seven (eutectic cells)."""
    wanted = structure.graphite_fraction * structure.flake_share
    mean_area = 0.70 * structure.flake_length_um * structure.flake_thickness_um
    count = int(wanted * canvas.area_um2 / mean_area + rng.random())
    until = canvas.taken.mean() + wanted  # crossing flakes share area, so fill by what is covered
    cells = _spread_points(canvas.size, max(count / 7.0, 1.0), rng)
    placed: list[Particle] = []
    failures = 0
    while count > 0 and failures < 200 and canvas.taken.mean() < until:
        length = structure.flake_length_um * np.exp(rng.normal(-0.06, 0.35))
        thickness = structure.flake_thickness_um * np.exp(rng.normal(0.0, 0.22))
        outline = particles.flake(length, max(thickness, 1.6), rng)
        cell = cells[(len(placed) + failures) % len(cells)]
        near = cell + rng.normal(0.0, 0.45 * structure.flake_length_um, 2)
        found = canvas.place(outline, 0.12, 1.0, rng, near)
        if found is None:
            failures += 1
            continue
        placed.append(Particle("flake", found))
    return placed


def _spread_points(
    size: tuple[float, float], count: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return about ``count`` points, one in each cell of a square lattice, in random order."""
    pitch = np.sqrt(size[0] * size[1] / count)
    lattice = np.stack(
        np.meshgrid(np.arange(0, size[0], pitch), np.arange(0, size[1], pitch), indexing="ij"), -1
    ).reshape(-1, 2)
    return rng.permutation(lattice + rng.uniform(0, pitch, lattice.shape))


def place_particles(
    structure: Structure, height_um: float, width_um: float, rng: np.random.Generator
) -> tuple[Particle, ...]:
    """Place the graphite of one field; outlines in um from the field's upper left corner."""
    canvas = _Canvas(height_um, width_um)
    placed: list[Particle] = []
    for outline in _nodule_outlines(structure, canvas.area_um2, rng):
        # Nodules compete for carbon, so most keep a distance; some touch.
        gap = 1.0 if rng.random() < 0.15 else 1.75
        found = canvas.place(outline, 0.02, gap, rng)
        if found is None:
            found = canvas.place(outline, 0.02, 1.1, rng)
        if found is not None:
            placed.append(Particle("nodule", found))
    for outline in _compacted_outlines(structure, canvas.area_um2, rng):
        found = canvas.place(outline, 0.02, 1.2, rng)
        if found is not None:
            placed.append(Particle("compacted", found))
    placed += _place_flakes(canvas, structure, rng)
    return tuple(
        Particle(p.kind, moved)
        for p in placed
        if _reaches(moved := p.outline - MARGIN_UM, height_um, width_um)
    )


def _reaches(outline: particles.Outline, height_um: float, width_um: float) -> bool:
    low, high = outline.min(axis=0), outline.max(axis=0)
    return bool(high[0] > 0 and high[1] > 0 and low[0] < height_um and low[1] < width_um)


def _coverage(outlines: list, height: int, width: int, um_per_px: float) -> NDArray[np.float32]:
    """Rasterise outlines with antialiasing; the share of each pixel that they cover, 0..1."""
    s = SUPERSAMPLE
    canvas = Image.new("L", (width * s, height * s), 0)
    draw = ImageDraw.Draw(canvas)
    for outline in outlines:
        points = outline[:, ::-1] * (s / um_per_px)
        draw.polygon([tuple(p) for p in points], fill=255)
    fine = np.asarray(canvas, dtype=np.float32) / 255.0
    return fine.reshape(height, s, width, s).mean(axis=(1, 3))


def _grains(
    structure: Structure, height: int, width: int, um_per_px: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Return boundary darkness 0..1, grain orientation contrast (unit variance), true grain size.

    Voronoi cells of a jittered hexagonal lattice, with curved boundaries.
    """
    size = structure.grain_size_um / um_per_px
    pitch = size * np.sqrt(np.pi / 4 * 2 / np.sqrt(3))
    rows = np.arange(-3 * pitch, height + 3 * pitch, pitch * np.sqrt(3) / 2)
    columns = np.arange(-3 * pitch, width + 3 * pitch, pitch)
    seeds = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    seeds[1::2, :, 1] += 0.5 * pitch
    angle = rng.uniform(0, 2 * np.pi, seeds.shape[:2])
    reach = 0.62 * pitch * np.sqrt(rng.uniform(0, 1, seeds.shape[:2]))
    seeds = (seeds + np.stack([np.sin(angle), np.cos(angle)], -1) * reach[..., None]).reshape(-1, 2)
    bend = ndimage.gaussian_filter(
        rng.standard_normal((2, height, width)).astype(np.float32), (0, 0.15 * size, 0.15 * size)
    )
    bend *= 0.045 * size / bend.std()
    grid = np.indices((height, width), dtype=np.float32) + bend
    distance, index = cKDTree(seeds).query(np.moveaxis(grid, 0, -1), k=2, eps=0.0)
    between = np.linalg.norm(seeds[index[..., 0]] - seeds[index[..., 1]], axis=-1)
    to_boundary = (distance[..., 1] ** 2 - distance[..., 0] ** 2) / (2 * between + 1e-9)
    inside = (seeds >= 0).all(axis=1) & (seeds < (height, width)).all(axis=1)
    true_size = np.sqrt(4 * height * width / (np.pi * max(int(inside.sum()), 1))) * um_per_px
    contrast = rng.standard_normal(len(seeds))[index[..., 0]]
    strength = 0.55 + 0.45 * np.sin(3.0 * contrast + index[..., 1] % 7)  # boundaries differ
    line = np.exp(-((to_boundary * um_per_px / 0.85) ** 2)) * strength
    return line.astype(np.float32), contrast.astype(np.float32), float(true_size)


def _specks(height: int, width: int, um_per_px: float, rng: np.random.Generator) -> list:
    """Return outlines of polishing pits and inclusions, 0.6 to 2.5 um, about 250 per mm2."""
    count = rng.poisson(250e-6 * height * width * um_per_px**2)
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    outlines = []
    for _ in range(count):
        radius = rng.uniform(0.3, 1.25) * (1 + 0.3 * rng.standard_normal(8))
        centre = rng.uniform((0, 0), (height * um_per_px, width * um_per_px))
        outlines.append(np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1) + centre)
    return outlines


def draw_field(
    structure: Structure,
    height_px: int,
    width_px: int,
    um_per_px: float,
    seed: np.random.SeedSequence,
) -> Field:
    """Draw one field of a structure.

    Args:
        structure: what to draw.
        height_px, width_px: size of the picture.
        um_per_px: scale, um per pixel.
        seed: of this field; the same seed gives the same picture.
    """
    rng = np.random.default_rng(seed)
    shape = (height_px, width_px)
    found = place_particles(structure, height_px * um_per_px, width_px * um_per_px, rng)
    cover = _coverage([p.outline for p in found], height_px, width_px, um_per_px)
    line, contrast, grain_size = _grains(structure, height_px, width_px, um_per_px, rng)
    pits = _coverage(_specks(height_px, width_px, um_per_px, rng), height_px, width_px, um_per_px)

    shade = ndimage.gaussian_filter(rng.standard_normal((height_px // 8 + 1, width_px // 8 + 1)), 6)
    shade = ndimage.zoom(shade / (shade.std() + 1e-9), 8, order=1)[:height_px, :width_px]
    matrix = MATRIX_LEVEL + rng.normal(0, 0.006) + 0.007 * contrast - 0.075 * line + 0.004 * shade
    matrix -= 0.28 * np.clip(pits, 0, 1)

    speck = ndimage.gaussian_filter(rng.standard_normal(shape), 0.7)
    speck = np.clip(speck / speck.std() - 1.45, 0, None)  # sparse bright flecks in the graphite
    graphite = GRAPHITE_LEVEL + 0.20 * speck + 0.010 * rng.standard_normal(shape)

    picture = matrix * (1 - cover) + graphite * cover
    rim = ndimage.gaussian_filter(cover, 1.2) * (1 - cover)
    patchy = ndimage.gaussian_filter(rng.standard_normal(shape), 5.0)
    picture += 0.22 * rim * np.clip(patchy / patchy.std() - 0.8, 0, 1.5)  # edge brightening
    picture = ndimage.gaussian_filter(picture, 0.45 / um_per_px)
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), 0.62)
    picture += NOISE * noise / noise.std()
    pixels = np.clip(np.round(picture * 255.0), 0, 255).astype(np.uint8)
    return Field(pixels, cover > 0.5, found, grain_size, um_per_px)
