"""Claims about the picture of what a model can do."""

from pathlib import Path

import numpy as np
import pytest

from core import contact_sheet as module
from core.checkpoint import LoadedModel
from core.contact_sheet import MARGIN_PX, column, contact_sheet, main, samples
from core.errors import InputError
from core.examples import Example
from core.images import Micrograph
from tests.core.textures import texture


def example(look: str, seed: int) -> Example:
    return Example(look, "s0", Micrograph(texture(512, 512, 2.0, seed), look, 1.0, ()), {})


def test_column_is_the_middle_of_the_micrograph_its_reconstruction_and_a_field(
    loaded: LoadedModel, monkeypatch
):
    monkeypatch.setattr(module, "FIELD_PX", 256)
    pixels = texture(512, 512)
    original, remade, field, whole = column(loaded, pixels, seed=0)
    np.testing.assert_array_equal(original, pixels[128:384, 128:384])
    assert remade.shape == field.shape == whole.shape == (256, 256)
    np.testing.assert_array_equal(field, whole, err_msg="a field of 256 px is its own middle")
    assert not np.array_equal(remade, original)


def test_the_whole_field_is_shown_smaller(loaded: LoadedModel, monkeypatch):
    monkeypatch.setattr(module, "FIELD_PX", 512)
    _, _, middle, whole = column(loaded, texture(512, 512), seed=0)
    assert whole.shape == (256, 256)
    halved = middle.reshape(128, 2, 128, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(whole[64:192, 64:192], halved, atol=1e-6)


def test_samples_come_from_the_prior_and_from_the_data(loaded: LoadedModel):
    prior, known = samples(loaded, 3, seed=0)
    assert len(prior) == len(known) == 3
    assert {picture.shape for picture in (*prior, *known)} == {(128, 128)}
    assert not np.array_equal(prior[0], known[0])


def test_sheet_holds_a_column_a_look_and_two_rows_of_samples(loaded: LoadedModel, monkeypatch):
    monkeypatch.setattr(module, "FIELD_PX", 256)
    examples = (example("fine", 0), example("coarse", 1))
    monkeypatch.setattr(module, "load_examples", lambda folder: examples)
    sheet = contact_sheet(loaded)
    assert sheet.size == (2 * 256, 4 * 256 + 2 * 128 + 6 * MARGIN_PX)
    pixels = np.asarray(sheet)
    assert pixels[:MARGIN_PX].max() == 255 and pixels[:MARGIN_PX].min() < 255, "titles"
    assert pixels[MARGIN_PX : MARGIN_PX + 256].std() > 5


def test_small_examples_are_refused(loaded: LoadedModel, tiny_model: Path, tmp_path: Path, capsys):
    with pytest.raises(InputError, match="512 px are needed"):
        column(loaded, texture(160, 160), seed=0)
    out = tmp_path / "sheet.png"
    with pytest.raises(SystemExit) as stopped:
        main(["--model", str(tiny_model), "--out", str(out)])
    assert stopped.value.code == 2 and "too small" in capsys.readouterr().err
    assert not out.exists()


def test_a_name_that_is_no_picture_s_is_refused_before_any_work(tmp_path: Path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--model", str(tmp_path), "--out", str(tmp_path / "sheet.bmpx")])
    assert stopped.value.code == 2 and "must end in .png" in capsys.readouterr().err
