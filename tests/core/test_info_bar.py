"""Claims about finding the information bar of an electron microscope."""

import numpy as np
import pytest
import skimage.data

from core.castings import ProcessSettings, make_casting
from core.errors import InputError
from core.images import Micrograph
from core.info_bar import InfoBar, find_info_bar, without_info_bar
from tests.core.info_bars import with_bar
from tests.core.textures import texture


@pytest.fixture(scope="module")
def casting() -> np.ndarray:
    settings = ProcessSettings(mg_wt=0.03, radius_mm=20.0, ce_pct=4.2)
    field = make_casting(settings, 7, n_fields=1, height_px=400, width_px=512).fields[0]
    return field.pixels.astype(float) / 255


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [
        (40, {}),
        (60, {"back": 255, "fore": 0}),
        (60, {"frame": 255}),
        (100, {"back": 60, "fore": 230}),
        (50, {"jpeg_quality": 60}),
        (50, {"back": 255, "fore": 0, "frame": 0, "jpeg_quality": 75}),
        (50, {"top": True}),
        (12, {}),
    ],
)
def test_a_drawn_bar_is_found_to_the_row(casting: np.ndarray, rows: int, drawn: dict) -> None:
    wanted = InfoBar(top=rows) if drawn.get("top") else InfoBar(bottom=rows)
    assert find_info_bar(with_bar(casting, rows, **drawn)) == wanted


def test_bars_at_both_edges_are_found(casting: np.ndarray) -> None:
    pixels = with_bar(with_bar(casting, 30), 24, top=True, back=255, fore=0)
    assert find_info_bar(pixels) == InfoBar(top=24, bottom=30)


def test_a_bar_beside_a_bare_matrix_is_found_to_the_row() -> None:
    rng = np.random.default_rng(0)
    matrix = (0.6 + 0.01 * rng.standard_normal((200, 200))).clip(0, 1)
    matrix[20:60, 20:60] = 0.15
    assert find_info_bar(with_bar(matrix, 40)) == InfoBar(bottom=40)


@pytest.mark.parametrize("mg_wt", [0.0, 0.02, 0.05])
def test_castings_have_none(mg_wt: float) -> None:
    settings = ProcessSettings(mg_wt=mg_wt, radius_mm=40.0, ce_pct=4.2)
    for field in make_casting(settings, 3, n_fields=2, height_px=320, width_px=320).fields:
        assert not find_info_bar(field.pixels.astype(float) / 255)


def test_pictures_that_are_flat_themselves_have_none() -> None:
    assert not find_info_bar(np.full((200, 200), 0.5))
    drawn = np.ones((200, 200))
    drawn[80:120, 80:120] = 0.0
    assert not find_info_bar(drawn), "a mask on white"
    assert not find_info_bar(texture(200, 200, 3.0))
    void = texture(200, 200, 2.0).astype(float)
    rng = np.random.default_rng(0)
    void[170:] = np.clip(0.1 + 0.01 * rng.standard_normal((30, 200)), 0, 1)
    assert not find_info_bar(void), "a dark void with noise is no drawn bar"


@pytest.mark.parametrize("name", ["astronaut", "camera", "coins", "rocket", "moon", "page"])
def test_photographs_have_none(name: str) -> None:
    pixels = getattr(skimage.data, name)().astype(float) / 255
    assert not find_info_bar(pixels if pixels.ndim == 2 else pixels.mean(axis=2))


def test_a_bar_of_a_third_and_more_or_of_a_few_rows_is_none(casting: np.ndarray) -> None:
    assert not find_info_bar(with_bar(casting[:100], 60))
    thin = np.concatenate([casting, np.zeros((5, casting.shape[1]))])
    assert not find_info_bar(thin)


def test_rows_are_left_out_with_a_note(casting: np.ndarray) -> None:
    given = Micrograph(casting.astype(np.float32), "a.png", 0.5, ("read",))
    found = without_info_bar(given, InfoBar(top=10, bottom=20))
    np.testing.assert_array_equal(found.pixels, given.pixels[10:-20])
    assert found.um_per_px == 0.5
    note = "10 rows at the top and 20 rows at the bottom left out (information bar)"
    assert found.notes == ("read", note)
    assert without_info_bar(given, InfoBar()) is given
    top = without_info_bar(given, InfoBar(top=10))
    np.testing.assert_array_equal(top.pixels, given.pixels[10:])


@pytest.mark.parametrize("bar", [InfoBar(200, 200), InfoBar(bottom=400), InfoBar(top=-1)])
def test_rows_that_cannot_be_left_out_are_refused(casting: np.ndarray, bar: InfoBar) -> None:
    given = Micrograph(casting.astype(np.float32), "a.png", None, ())
    with pytest.raises(InputError, match=r"a\.png has 400 rows: .* give fewer"):
        without_info_bar(given, bar)
