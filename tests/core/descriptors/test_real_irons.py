"""Claims about real ductile irons (`../shared/data/README.md`), where they are at hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

from core.castings.real_irons import IRONS
from core.descriptors import describe, segment_graphite
from core.descriptors.particles import label_particles, measure_particles
from core.images import read_image

SEM_UM_PER_PX, OPTICAL_UM_PER_PX = 1.16279, 0.73958

# file, um per px, graphite %, inner particles per mm2, nodularity %, mean diameter um
POLISHED = [
    ("ductile_sem", SEM_UM_PER_PX, 11.3, 129, 86.0, 29.7),
    ("ductile_optical_1", OPTICAL_UM_PER_PX, 9.5, 183, 88.9, 22.7),
    ("ductile_optical_2", OPTICAL_UM_PER_PX, 10.6, 200, 89.0, 22.9),
]


@pytest.mark.parametrize(("name", "um_per_px", "area", "count", "nodularity", "d_um"), POLISHED)
def test_polished_irons_have_the_figures_of_the_plain_routine(
    real_micrographs, name, um_per_px, area, count, nodularity, d_um
):
    found = describe(read_image(real_micrographs / "castiron" / f"{name}.png").pixels, um_per_px)
    assert found.graphite_pct == pytest.approx(area, abs=0.3)
    assert found.inner_particles_per_mm2 == pytest.approx(count, rel=0.03)
    assert found.nodularity_iso_pct == pytest.approx(nodularity, abs=3)
    assert found.diameter_um.mean == pytest.approx(d_um, rel=0.03)
    assert found.grain_intercept_um is None  # not etched
    assert found.notes == ()


@pytest.mark.parametrize("name", ["ductile_etched_a", "ductile_etched_b"])
def test_pearlite_of_etched_irons_is_no_graphite(real_micrographs, name):
    pixels = read_image(real_micrographs / "castiron" / f"{name}.png").pixels
    found = segment_graphite(pixels)
    assert found.pearlite
    assert 6 <= 100 * found.graphite.mean() <= 14
    assert found.dark.mean() > found.graphite.mean() + 0.025


def test_published_mask_gives_its_authors_figures_when_counted_as_they_do(real_micrographs):
    """178 nodules, 167.4 per mm2, mean 25.75 um.

    The authors (ustbTobyMa/adi-graphite-nodule-ai) part touching nodules by a watershed from every
    maximum of the distance transform, and count what has 25 px and more. Without that parting the
    mask holds 138 particles.
    """
    file = real_micrographs / "castiron" / "ductile_sem_mask.png"
    mask = read_image(file).pixels > 0.5
    distance = ndimage.distance_transform_edt(mask)
    parted = watershed(-distance, label(local_maxima(distance)), mask=mask)
    found = measure_particles(parted, SEM_UM_PER_PX, min_feret_um=0.0, min_area_px=25)
    area_mm2 = mask.size * SEM_UM_PER_PX**2 * 1e-6
    assert len(found) == 178
    assert len(found) / area_mm2 == pytest.approx(167.4, abs=0.1)
    assert found.diameter_um.mean() == pytest.approx(25.75, abs=0.05)
    unparted = measure_particles(label_particles(mask), SEM_UM_PER_PX, 0.0, 25)
    assert len(unparted) == 138
    said = {name: value.split("(")[1] for name, value in IRONS[0].published.items()}
    assert f"unparted {len(unparted) / area_mm2:.1f} 1/mm²" in said["authors_per_mm2"]
    assert f"unparted {unparted.diameter_um.mean():.1f} µm" in said["authors_diameter_um"]


def test_our_mask_agrees_with_the_published_one(real_micrographs):
    folder = real_micrographs / "castiron"
    ours = segment_graphite(read_image(folder / "ductile_sem.png").pixels).graphite
    theirs = read_image(folder / "ductile_sem_mask.png").pixels > 0.5
    inside = np.s_[8:-8, 8:-8]  # theirs has no particle at the border
    labels = label_particles(theirs)
    found = [ours[labels == i].mean() for i in range(1, labels.max() + 1)]
    assert np.mean(np.array(found) > 0.5) >= 0.95
    assert 2 * (ours & theirs)[inside].sum() / (ours.sum() + theirs.sum()) >= 0.9
