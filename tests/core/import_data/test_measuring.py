"""Data without tests get the descriptors of their pictures as properties; failures are named."""

from pathlib import Path

import numpy as np
import pytest

from core.dataset import load_dataset
from core.errors import InputError
from core.images import encode_png
from core.import_data import measuring
from core.import_data.__main__ import main
from core.import_data.examine import Crop, examine_all
from core.import_data.fields import guess_fields
from core.import_data.findings import has_errors
from core.import_data.matching import MatchRule, match
from core.import_data.measuring import LOOKED_AT, measure_plan
from core.import_data.plan import Choices, ImportPlan, make_plan
from core.import_data.preflight import preflight
from core.import_data.sheet import read_sheet
from core.measured_columns import measure_picture
from core.stereology import half_width
from core.turns import Turns
from tests.core.import_data.pictures import source
from tests.core.stereology.drawn import lamellae, one_phase

WIDTHS = (4, 5, 6, 7, 8, 9)  # of the dark lamellae, px; light ones have 10


def drawn(scale: float | None = 0.5) -> dict[str, bytes]:
    """Two pictures of each of six specimens, lamellae of a width of their own."""
    return {
        f"K{i}_{j}.png": encode_png(lamellae(256, width, 10, 0.02, 10 * i + j), scale)
        for i, width in enumerate(WIDTHS)
        for j in range(2)
    }


def plan_of(pictures: dict[str, bytes], text: str = "", **choices) -> ImportPlan:
    files = [source(name, data) for name, data in pictures.items()]
    text = text or "s,temp_c,cooling\n" + "".join(f"K{i},{700 + i},Q\n" for i in range(6))
    sheet = read_sheet(text.encode(), "t.csv")
    rule = MatchRule(by="specimen", column="s", pattern="{specimen}_*")
    fields = tuple(guess_fields(sheet, rule))
    matching = match([file.path for file in files], sheet, rule)
    wanted = Choices(name="x", fields=fields, **choices)
    return make_plan(files, examine_all(files), sheet, matching, wanted)


def test_descriptors_become_properties_of_the_specimens():
    plan = measure_plan(plan_of(drawn())).plan
    names = [column.name for column in plan.columns if column.derived]
    assert names == [
        "dark_phase_pct",
        "dark_chord_um",
        "spacing_um",
        "texture_length_um",
        "anisotropy",
    ]
    table = plan.table.groupby("specimen").first()
    true = [100 * (lamellae(256, width, 10) < 0.45).mean() for width in WIDTHS]
    np.testing.assert_allclose(table["dark_phase_pct"], true, atol=0.3)
    assert (np.diff(table["spacing_um"]) > 0).all()
    assert plan.table.groupby("specimen")["spacing_um"].nunique().eq(1).all()


class Gate(Turns):
    """Counts the turns; what is asked inside one finds `held`."""

    count, held = 0, False

    def __enter__(self) -> None:
        super().__enter__()
        self.count, self.held = self.count + 1, True

    def __exit__(self, *error: object) -> None:
        self.held = False
        super().__exit__(*error)


def test_each_picture_has_a_turn_of_its_own(monkeypatch):
    """A set of a thousand pictures must not keep everybody else waiting until it is done."""
    plan, gate, known, held = plan_of(drawn()), Gate(), {}, []
    for name in ("read_source", "guess_kind", "measure_picture"):
        plain = getattr(measuring, name)
        monkeypatch.setattr(
            measuring, name, lambda *given, plain=plain: held.append(gate.held) or plain(*given)
        )
    between = []
    measure_plan(plan, "auto", known, lambda _: between.append(gate.held), gate)
    assert gate.count == LOOKED_AT + 12 and all(held) and len(held) == 2 * gate.count
    assert between == 12 * [False]
    measure_plan(plan, "phases", known, turn=gate)
    assert gate.count == LOOKED_AT + 12, "what is known needs no turn"


def test_each_picture_is_looked_at_in_a_turn_of_its_own():
    gate, between = Gate(), []
    files = [source(name, data) for name, data in drawn().items()]
    found = examine_all(files, lambda _: between.append(gate.held), gate)
    assert len(found) == gate.count == 12 and between == 12 * [False]


def test_a_specimens_half_width_is_of_the_fields_of_all_its_pictures():
    pictures = drawn()
    table = measure_plan(plan_of(pictures)).plan.table.set_index("path")
    both = [
        measure_picture(lamellae(256, 4, 10, 0.02, j), 0.5, "phases").fields["spacing_um"]
        for j in range(2)
    ]
    found = float(table.loc["K0_0.png", "spacing_um_half_width_95"])
    assert found == pytest.approx(half_width([v for some in both for v in some]), rel=0.1)


def test_the_check_says_what_is_measured_and_how_sure():
    findings = preflight(measure_plan(plan_of(drawn())).plan)
    (told,) = [one for one in findings if one.check == "measured"]
    assert "12 pictures at 0.5 µm per px, not tested" in told.message
    assert "Mean spacing (from the picture)" in told.message and "±" in told.message
    assert not any(one.check == "no property" for one in findings)
    assert not has_errors(findings)


def test_pictures_that_cannot_be_measured_are_named_with_the_reason():
    pictures = drawn() | {"K2_0.png": encode_png(one_phase(256), 0.5)}
    plan = measure_plan(plan_of(pictures)).plan
    failed = [one for one in plan.findings if one.check == "not measured"]
    assert {one.files for one in failed} == {("K2_0.png",)} and len(failed) == 3
    assert "not on 1 of 12 pictures (its grey levels show no two phases)" in failed[0].message
    assert plan.table["dark_phase_pct"].notna().all()  # the specimen's other picture has it


def test_a_descriptor_of_too_few_specimens_is_not_used():
    pictures = drawn()
    for i in (1, 2):
        for j in range(2):
            pictures[f"K{i}_{j}.png"] = encode_png(one_phase(256, 10 * i + j), 0.5)
    plan = measure_plan(plan_of(pictures)).plan
    assert [c.name for c in plan.columns if c.derived] == ["anisotropy"]
    told = [one.message for one in plan.findings if "only" in one.message]
    assert "measured on 4 specimens only, 5 are needed: not used" in told[0]


def test_alike_specimens_are_told_from_scatter():
    pictures = {
        f"K{i}_0.png": encode_png(lamellae(256, 6, 10, 0.1, i), 0.5) for i in range(len(WIDTHS))
    }
    found = preflight(measure_plan(plan_of(pictures)).plan)
    (told,) = [one for one in found if one.check == "uncertainty" and "area" in one.message]
    assert "designs for it rest on scatter" in told.message


def test_pictures_are_measured_as_the_model_sees_them():
    """Cropped, and at the common scale; a picture at half the scale has the same spacing."""
    pictures = drawn()
    bar = np.vstack([lamellae(256, 4, 10, 0.02), np.zeros((40, 256), np.float32)])
    pictures["K0_0.png"] = encode_png(bar, 0.5)
    fine = np.kron(lamellae(192, 5, 10), np.ones((2, 2))).astype(np.float32)
    pictures["K1_0.png"] = encode_png(fine, 0.25)
    plain = measure_plan(plan_of(drawn())).plan.table.set_index("path")
    odd = measure_plan(plan_of(pictures, crops={"K0_0.png": Crop(bottom=40)})).plan
    table = odd.table.set_index("path")
    for path, off in (("K0_0.png", 0.02), ("K1_0.png", 0.05)):
        assert table.loc[path, "spacing_um"] == pytest.approx(
            plain.loc[path, "spacing_um"], rel=off
        )


def test_without_a_scale_lengths_are_in_px_and_graphite_is_refused():
    plan = measure_plan(plan_of(drawn(None))).plan
    units = {column.name: column.unit for column in plan.columns if column.derived}
    assert units["spacing_um"] == "px"
    refused = measure_plan(plan_of(drawn(None)), "graphite").plan
    assert has_errors(preflight(refused))
    assert "no picture has a scale" in refused.findings[-1].message


def test_a_picture_is_measured_once_while_crop_and_scale_stay(monkeypatch):
    known: dict = {}
    plan = plan_of(drawn())
    first = measure_plan(plan, "phases", known).plan.table
    monkeypatch.setattr("core.import_data.measuring.measure_picture", None)
    assert measure_plan(plan, "phases", known).plan.table.equals(first)
    with pytest.raises(TypeError):  # another crop is measured anew
        measure_plan(plan_of(drawn(), crop=Crop(top=8)), "phases", known)


def test_a_column_of_the_same_name_is_refused():
    text = "s,spacing_um\n" + "".join(f"K{i},{i}\n" for i in range(6))
    with pytest.raises(InputError, match="'spacing_um' already"):
        measure_plan(plan_of(drawn(), text), "phases")


def test_the_command_line_writes_them_marked_as_measured(tmp_path: Path, caplog):
    caplog.set_level("INFO")
    folder = tmp_path / "in"
    folder.mkdir()
    for name, data in drawn().items():
        (folder / name).write_bytes(data)
    lines = "".join(f"K{i},{700 + i},{'AR' if i % 2 else 'Q'}\n" for i in range(6))
    (folder / "t.csv").write_text("specimen,temp_c,cooling\n" + lines)
    out = tmp_path / "out"
    main(["--images", str(folder), "--name", "Steel", "--out", str(out), "--measure"])
    data = load_dataset(out / "Steel")
    assert [c.name for c in data.properties if c.derived] == [c.name for c in data.properties]
    assert data.specimens["dark_phase_pct"].between(25, 50).all()
    assert "spacing_um_half_width_95" in data.table
    assert "not tested" in caplog.text
