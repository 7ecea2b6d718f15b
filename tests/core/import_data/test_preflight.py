"""Each check finds its fault, names it, and finds none in good data."""

from dataclasses import replace

import numpy as np
import pytest

from bayesnet.levels import MIN_SPECIMENS
from core.columns import Column
from core.errors import InputError
from core.images import encode_png
from core.import_data.cells import ScaleRule
from core.import_data.examine import Crop, Examined, examine, examine_all, same_looking
from core.import_data.fields import FieldChoice, guess_fields
from core.import_data.findings import Finding, failing_files, has_errors
from core.import_data.matching import guess_rule, match
from core.import_data.plan import Choices, ImportPlan, make_plan
from core.import_data.preflight import NETWORK_SPECIMENS, REFERENCE_SPECIMENS, preflight
from core.import_data.sheet import read_sheet
from core.jobs import presets
from tests.core.import_data.pictures import grey, png, source
from tests.core.textures import texture

N = 12
HEADER = "file,specimen,mg_wt,uts_mpa"
UTS = Column("uts_mpa", "MPa", "uts", "property", "numeric")


def rows(count: int = N) -> list[str]:
    return [f"p{i}.png,S{i},{i / 100},{400 + i}" for i in range(count)]


def plan_of(
    lines: list[str] | None = None, files: dict[str, bytes] | None = None, **choices
) -> ImportPlan:
    """A plan of N good pictures and rows, with changes."""
    lines = rows() if lines is None else lines
    pictures = {f"p{i}.png": PICTURES[i] for i in range(N)} | (files or {})
    given = [source(name, data) for name, data in pictures.items()]
    sheet = read_sheet("\n".join([HEADER, *lines]).encode(), "t.csv")
    rule = guess_rule(list(pictures), sheet)
    wanted: dict = {"name": "x", "fields": tuple(guess_fields(sheet, rule))} | choices
    examined = {file.path: EXAMINED.get(file.load()) or examine(file) for file in given}
    return make_plan(given, examined, sheet, match(list(pictures), sheet, rule), Choices(**wanted))


PICTURES = [png(seed, 256, 1.0) for seed in range(N)]
EXAMINED = {data: examine(source("p", data)) for data in PICTURES}


def found(plan: ImportPlan, check: str) -> Finding:
    """The one finding of a check."""
    (one,) = [finding for finding in preflight(plan) if finding.check == check]
    return one


def test_good_data_pass_without_a_word():
    plan = plan_of()
    assert preflight(plan) == ()
    assert plan.columns == (Column("mg_wt", "wt%", "mg", "process", "numeric"), UTS)
    assert plan.table["specimen"].tolist() == [f"S{i}" for i in range(N)]
    assert plan.table["mg_wt"].tolist() == [i / 100 for i in range(N)]


def test_so_few_that_nothing_can_be_judged_is_said_so():
    assert REFERENCE_SPECIMENS == presets.MIN_HELD_OUT + presets.MIN_SPECIMENS
    told = "cannot tell how unusual an image is"
    assert told in found(plan_of(rows(REFERENCE_SPECIMENS - 1)), "few specimens").message
    assert told not in found(plan_of(rows(REFERENCE_SPECIMENS)), "few specimens").message


def test_the_network_needs_as_many_specimens_as_the_check_says():
    assert NETWORK_SPECIMENS == MIN_SPECIMENS


@pytest.mark.parametrize(("count", "level"), [(4, "error"), (5, "warning"), (11, "warning")])
def test_too_few_specimens(count, level):
    one = found(plan_of(rows(count)), "few specimens")
    assert one.level == level and f"{count} specimens" in one.message


def test_several_pictures_of_one_specimen_count_once():
    plan = plan_of([f"p{i}.png,S{i % 4},1,2" for i in range(N)])
    assert found(plan, "few specimens").message.startswith("4 specimens")


def test_mixed_magnifications_are_resampled_or_refused():
    plan = plan_of(files={"p0.png": png(0, 256, 1.5), "p1.png": png(1, 256, 6.0)})
    errors = [f for f in preflight(plan) if f.level == "error"]
    assert [(f.check, f.files) for f in errors] == [("mixed magnifications", ("p1.png",))]
    assert (
        "1 picture at 6 µm per px, more than a factor of 5 from the median, 1" in errors[0].message
    )
    (warned,) = [f for f in preflight(plan) if f.level == "warning"]
    assert warned.files == ("p0.png",) and "resampled to 1 µm per px" in warned.message


def test_unknown_scales_are_said():
    some = found(plan_of(files={"p3.png": png(3, 256)}), "no scale")
    assert some.files == ("p3.png",) and "taken to have 1 µm per px" in some.message
    none = plan_of(files={f"p{i}.png": png(i, 256) for i in range(N)})
    assert "no picture has a scale" in found(none, "no scale").message
    assert not preflight(plan_of(scale=ScaleRule(by="value", value=0.5)))


def test_scales_of_a_column_go_before_the_file_s_and_nm_are_nm():
    lines = [f"{line},{'' if i == 2 else 500}" for i, line in enumerate(rows())]
    sheet = read_sheet("\n".join([HEADER + ",pixel size (nm)", *lines]).encode(), "t.csv")
    files = [source(f"p{i}.png", PICTURES[i]) for i in range(N)]
    paths = [file.path for file in files]
    matching = match(paths, sheet, guess_rule(paths, sheet))
    choices = Choices(name="x", scale=ScaleRule(by="column", column="pixel size (nm)"))
    plan = make_plan(files, examine_all(files), sheet, matching, choices)
    assert plan.table["um_per_px"].tolist() == [0.5, 0.5, 1.0, *[0.5] * 9]


def test_the_scale_of_one_picture_goes_before_the_rule_and_none_is_unknown():
    rule = ScaleRule(by="value", value=0.5)
    plan = plan_of(scale=rule, scales={"p1.png": 2.0, "p2.png": None})
    table = plan.table.set_index("path")["um_per_px"]
    assert table["p1.png"] == 2.0 and np.isnan(table["p2.png"])
    assert table.drop(["p1.png", "p2.png"]).eq(0.5).all()


def test_tiny_pictures_after_cropping_and_scaling():
    tiny = found(plan_of(files={"p0.png": png(0, 120, 1.0)}), "tiny pictures")
    assert tiny.level == "error" and tiny.files == ("p0.png",) and "120 px" in tiny.message
    small = found(plan_of(files={"p0.png": png(0, 200, 1.0)}), "tiny pictures")
    assert small.level == "warning"
    cropped = plan_of(crops={"p1.png": Crop(top=100, bottom=30)})
    assert found(cropped, "tiny pictures").files == ("p1.png",)
    scaled = plan_of(files={"p2.png": png(2, 256, 0.4)})
    tiny = [f for f in preflight(scaled) if f.check == "tiny pictures"]
    assert [f.files for f in tiny] == [("p2.png",)] and "102 px" in tiny[0].message


def barred(seed: int) -> bytes:
    """A picture with an information bar of 30 rows below it."""
    pixels = texture(286, 256, 2.0, seed)
    pixels[256:] = 0.0
    pixels[264:276, 20:120:3] = 1.0  # lettering
    return encode_png(pixels, 1.0)


def test_an_information_bar_is_found_and_must_be_cut_off():
    plan = plan_of(files={"p0.png": barred(0)})
    assert plan.examined[0].bar == Crop(bottom=30) and plan.examined[1].bar == Crop()
    one = found(plan, "information bar")
    assert (one.level, one.files) == ("warning", ("p0.png",))
    for crop in (Crop(bottom=30), Crop(top=9, bottom=40)):
        after = preflight(plan_of(files={"p0.png": barred(0)}, crops={"p0.png": crop}))
        assert "information bar" not in {finding.check for finding in after}
    assert Crop(top=5, bottom=40).with_bar(Crop(bottom=30)) == Crop(top=5, bottom=40)
    assert Crop(top=5).with_bar(Crop(bottom=30)) == Crop(top=5, bottom=30)


def test_empty_pictures():
    one = found(plan_of(files={"p0.png": grey(256, 0.5)}), "empty pictures")
    assert one.files == ("p0.png",)


def test_one_picture_in_two_specimens_leaks():
    one = found(plan_of(files={"p1.png": PICTURES[0]}), "leaking specimens")
    assert (one.level, one.files) == ("error", ("p1.png",))
    assert "in the specimens S0, S1" in one.message
    same = rows()
    same[1] = "p1.png,S0,0,400"
    one = found(plan_of(same, {"p1.png": PICTURES[0]}), "duplicates")
    assert one.level == "warning"


def test_one_picture_saved_in_another_way_is_told_by_its_looks():
    pixels = np.clip(texture(256, 256, 2.0, 0) * 0.9 + 0.02, 0, 1)
    shaded = pixels + np.linspace(0, 0.05, 256)
    smaller = np.asarray(shaded[::2, ::2])
    for changed in (pixels, shaded, smaller):
        data = encode_png(changed, 1.0)
        checks = [f for f in preflight(plan_of(files={"p1.png": data})) if "leak" in f.check]
        assert [f.level for f in checks] == ["warning"], changed.shape
        assert "saved in two ways" in checks[0].message


def test_pictures_without_detail_are_not_alike():
    flat = examine(source("a", grey(64, 0.5)))
    assert same_looking([flat, flat, Examined()]) == [] and same_looking([]) == []


def test_looks_are_grouped_beyond_pairs():
    first, other = EXAMINED[PICTURES[0]], EXAMINED[PICTURES[1]]
    assert same_looking([first, other, first, other, first]) == [{0, 2, 4}, {1, 3}]


def test_constant_and_missing_columns():
    constant = [f"p{i}.png,S{i},0.04,{400 + i}" for i in range(N)]
    assert "mg is 0.04 throughout" in found(plan_of(constant), "constant column").message
    for gone, level, said in (
        (2, "note", "still learned from"),
        (4, "warning", "no intervals"),
        (8, "warning", "cannot be predicted"),
    ):
        lines = [line if i >= gone else f"p{i}.png,S{i},{i},-" for i, line in enumerate(rows())]
        (one,) = [f for f in preflight(plan_of(lines)) if f.check == "missing values"]
        assert one.level == level and said in one.message, one
    fields = tuple(FieldChoice(c.name, c) for c in plan_of().columns)
    one = found(plan_of([f"p{i}.png,S{i},{i}," for i in range(N)], fields=fields), "missing values")
    assert one.level == "error" and "uts: nothing is known" in one.message
    for gone, said in ((1, "does without these"), (3, "too many, it is not used")):
        lines = [line if i >= gone else f"p{i}.png,S{i},,4{i}" for i, line in enumerate(rows())]
        assert said in found(plan_of(lines), "missing values").message


def test_what_is_not_a_number_is_named_with_its_row():
    lines = rows()
    lines[3] = "p3.png,S3,0.O4,403"
    one = found(plan_of(lines), "not a number")
    assert one.level == "error" and "mg_wt: row 5 '0.O4'" in one.message


def test_a_value_that_differs_within_a_specimen():
    lines = rows()
    lines[1] = "p1.png,S0,0,999"
    one = found(plan_of(lines), "differs in a specimen")
    assert one.level == "error" and "uts of specimen S0 is 400.0 and 999.0" in one.message


def test_no_property_and_words_are_said():
    sheet_fields = tuple(
        FieldChoice(name, column)
        for name, column in (
            ("mg_wt", Column("mg_wt", "", "Mg", "process", "categorical")),
            ("uts_mpa", None),
        )
    )
    plan = plan_of(fields=sheet_fields)
    assert {f.check for f in preflight(plan)} == {"no property", "words"}
    assert "Mg is in words and steers no design: " in found(plan, "words").message
    assert plan.table["uts_mpa_2" if "uts_mpa_2" in plan.table else "uts_mpa"].iloc[0] == "400"


def test_unreadable_pictures_are_errors_that_leaving_them_out_settles():
    plan = plan_of(files={"p5.png": b"this is no picture"})
    one = found(plan, "unreadable")
    assert one.level == "error" and "not an image" in one.message
    failing = failing_files(preflight(plan))
    assert failing == {"p5.png"}
    after = preflight(plan_of(files={"p5.png": b"this is no picture"}, left_out=failing))
    assert not has_errors(after)
    assert [f.message for f in after if f.check == "left out"] == ["1 picture left out: p5.png"]


def test_pictures_without_row_and_rows_without_picture():
    plan = plan_of([*rows(), "gone.png,S99,1,1"], {"extra.png": png(77, 256, 1.0)})
    assert "extra.png" in found(plan, "no row").message
    assert found(plan, "no picture").message.endswith("row 14")
    assert "extra.png" not in plan.table["path"].tolist()


def test_doubled_rows_are_an_error_where_they_differ():
    same = found(plan_of([*rows(), rows()[0]]), "several rows")
    assert same.level == "note"
    other = found(plan_of([*rows(), "p0.png,S0,9,400"]), "several rows")
    assert other.level == "error" and "rows 2, 14" in other.message and "mg_wt" in other.message


def test_a_specimen_can_be_named_by_hand_and_must_have_a_name():
    plan = plan_of(by_hand={"p0.png": " New "})
    assert plan.table["specimen"].iloc[0] == "New"
    lines = rows()
    lines[2] = "p2.png,,0.02,402"
    assert found(plan_of(lines), "no specimen").files == ("p2.png",)


def test_with_nothing_left_the_check_says_so():
    (one, *_) = preflight(plan_of(left_out=frozenset(f"p{i}.png" for i in range(N))))
    assert (one.level, one.check) == ("error", "no picture")


def test_what_was_done_on_reading_is_said_once():
    plan = plan_of()
    noted = replace(plan, examined=tuple(replace(e, notes=("16 bit",)) for e in plan.examined))
    assert found(noted, "on reading").message.startswith("16 bit: p0.png")


def test_wrong_scales_and_crops_are_refused():
    with pytest.raises(InputError, match="the scale is 0"):
        ScaleRule(by="value", value=0)
    for scale in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(InputError, match=r"the scale of p1.png is"):
            Choices(name="x", scales={"p1.png": scale})
    with pytest.raises(InputError, match="crop at the top is -1"):
        Crop(top=-1)
    with pytest.raises(InputError, match="leaves nothing of 10 px"):
        Crop(top=6, bottom=4).cut(np.zeros((10, 10), np.float32))
    assert Crop(top=2, bottom=3).cut(np.zeros((10, 4), np.float32)).shape == (5, 4)
    twice = tuple(FieldChoice(header, UTS) for header in ("mg_wt", "uts_mpa"))
    with pytest.raises(InputError, match="two columns are named 'uts_mpa'"):
        plan_of(fields=twice)
