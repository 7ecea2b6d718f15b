"""Claims about telling graphite irons from other pictures."""

import numpy as np
import pytest

from core.castings import ProcessSettings, make_casting
from core.descriptors.graphite_iron import looks_like_graphite_iron
from core.images import read_image
from tests.core.textures import texture


@pytest.mark.parametrize("mg_wt", [0.0, 0.02, 0.045])
def test_castings_of_every_kind_of_graphite_do(mg_wt: float) -> None:
    settings = ProcessSettings(mg_wt=mg_wt, radius_mm=20.0, ce_pct=4.2)
    field = make_casting(settings, 3, n_fields=1, height_px=320, width_px=320).fields[0]
    pixels = field.pixels.astype(np.float32) / 255
    assert looks_like_graphite_iron(pixels)
    assert not looks_like_graphite_iron(1 - pixels), "light particles are no graphite"


@pytest.mark.parametrize("grain_px", [0.5, 2.0, 8.0])
def test_noise_does_not(grain_px: float) -> None:
    assert not looks_like_graphite_iron(texture(256, 256, grain_px))


def test_a_blank_picture_and_one_all_dark_do_not() -> None:
    assert not looks_like_graphite_iron(np.full((128, 128), 0.5, dtype=np.float32))
    split = np.full((128, 128), 0.6, dtype=np.float32)
    split[:, :64] = 0.1
    assert not looks_like_graphite_iron(split), "half of it is dark"


def test_real_irons_do_and_other_alloys_do_not(real_micrographs) -> None:
    for name in ("ductile_sem", "ductile_etched_b", "ductile_optical_1"):
        pixels = read_image(real_micrographs / "castiron" / f"{name}.png").pixels
        assert looks_like_graphite_iron(pixels), name
    for folder in ("uhcs", "superalloy"):
        for path in sorted((real_micrographs / folder).glob("*.png"))[::6]:
            assert not looks_like_graphite_iron(read_image(path).pixels), path.name
