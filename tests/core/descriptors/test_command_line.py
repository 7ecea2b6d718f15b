"""Claims about ``python -m core.descriptors``."""

import csv

import numpy as np
import pytest

from core.descriptors.__main__ import main
from core.images import encode_png, read_image
from tests.core.descriptors.drawn import disc, ellipse, picture

SIDE = 160


@pytest.fixture
def files(tmp_path):
    shapes = [disc(SIDE, (50, 50), 40), ellipse(SIDE, (110, 100), (70, 20), 0.2)]
    scaled, plain = tmp_path / "scaled.png", tmp_path / "plain.png"
    scaled.write_bytes(encode_png(picture(shapes), um_per_px=0.8))
    plain.write_bytes(encode_png(picture(shapes)))
    return scaled, plain


def test_table_overlay_and_csv_are_written(files, tmp_path, capsys):
    out, table = tmp_path / "overlays", tmp_path / "table.csv"
    main([*map(str, files), "--um-per-px", "0.8", "--overlay", str(out), "--csv", str(table)])
    printed = capsys.readouterr().out
    assert "Nodularity, ISO 945-4 (%)" in printed
    assert "scaled.png" in printed and "plain.png" in printed
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == ["scaled.png", "plain.png"]
    assert float(rows[0]["diameter_um"]) == pytest.approx(0.8 * (40 + np.sqrt(1400)) / 2, rel=0.02)
    assert rows[0]["grain_intercept_um"] == ""
    overlays = sorted(out.iterdir())
    assert [path.name for path in overlays] == ["001_scaled_overlay.png", "002_plain_overlay.png"]
    assert read_image(overlays[0]).pixels.shape == (SIDE, SIDE)


def test_the_files_own_scale_is_taken(files, capsys):
    main([str(files[0])])
    assert "Graphite area" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "states no scale"), (["--um-per-px", "900"], "plausible")],
)
def test_a_missing_or_absurd_scale_is_an_error_for_people(files, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main([str(files[1]), *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
