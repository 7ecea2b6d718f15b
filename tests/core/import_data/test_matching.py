"""Pictures find their rows and specimens; what does not fit is listed."""

import pytest

from core.columns import Column
from core.errors import InputError
from core.import_data.fields import (
    guess_fields,
    parse_declaration,
    scale_column,
    scale_factor,
    split_unit,
)
from core.import_data.matching import MatchRule, guess_rule, match
from core.import_data.naming import best_pattern, check_name, plain, specimen_of, unique
from core.import_data.sheet import Sheet, read_sheet


def sheet(text: str) -> Sheet:
    return read_sheet(text.encode(), "t.csv")


FILES = ("run/K1_a.png", "run/K1_b.png", "run/K2_a.tif", "K3.png")


@pytest.mark.parametrize(
    "cell", ["run/K1_a.png", "RUN/k1_A.PNG", "run\\K1_a.png", "K1_a", "k1_a.jpg", "./run/K1_a.png"]
)
def test_a_file_is_found_by_name_whatever_its_case_folder_or_ending(cell):
    found = match(FILES, sheet(f"f,x\n{cell},1\n"), MatchRule(by="file", column="f"))
    assert found.rows == {"run/K1_a.png": 0}
    assert found.unmatched_pictures == FILES[1:] and not found.unmatched_rows


def test_rows_without_picture_and_doubled_rows_are_listed():
    table = sheet("f\nK3.png\nK9.png\nk3\n")
    found = match(FILES, table, MatchRule(by="file", column="f"))
    assert found.rows == {"K3.png": 0}
    assert found.unmatched_rows == (1,) and found.several_rows == {"K3.png": (0, 2)}


def test_a_name_in_two_folders_is_not_guessed():
    table = sheet("f\na.png\n2/a.png\n")
    found = match(("1/a.png", "2/a.png"), table, MatchRule(by="file", column="f"))
    assert found.rows == {"2/a.png": 1}
    assert found.several_pictures == {0: ("1/a.png", "2/a.png")}


def test_one_row_serves_all_pictures_of_a_specimen():
    rule = MatchRule(by="specimen", column="s", pattern="{specimen}_*")
    found = match(FILES[:3], sheet("s,x\nk1,1\nK2,2\nK8,3\n"), rule)
    assert found.rows == {"run/K1_a.png": 0, "run/K1_b.png": 0, "run/K2_a.tif": 1}
    assert found.specimens["run/K1_a.png"] == "k1"  # as the table writes it
    assert found.unmatched_rows == (2,)


def test_numbers_as_specimens_match_with_and_without_zeros():
    rule = MatchRule(by="specimen", column="s", pattern="{specimen}_*")
    assert match(("07_1.png", "0_1.png"), sheet("s\n7\n00\n"), rule).rows == {
        "07_1.png": 0,
        "0_1.png": 1,
    }


def test_specimens_come_from_a_column_or_from_the_name():
    table = sheet("f,probe\nK1_a,S1\nK1_b,S1\nK2_a,\n")
    by_column = MatchRule(by="file", column="f", specimen_column="probe")
    assert match(FILES, table, by_column).specimens == {
        "run/K1_a.png": "S1",
        "run/K1_b.png": "S1",
        "run/K2_a.tif": "",
        "K3.png": "",
    }
    by_name = MatchRule(by="file", column="f", pattern="{specimen}_*")
    assert match(FILES, table, by_name).specimens["run/K2_a.tif"] == "K2"


def test_without_a_table_only_names_speak():
    found = match(FILES, None, MatchRule(pattern="{specimen}/*"))
    assert found.specimens["run/K1_a.png"] == "run" and found.specimens["K3.png"] == ""
    assert not found.rows and not found.unmatched_pictures


def test_a_column_that_is_not_there_is_said():
    with pytest.raises(InputError, match="no column 'g'; it has f"):
        match(FILES, sheet("f\nx\n"), MatchRule(by="file", column="g"))


@pytest.mark.parametrize(
    ("files", "text", "rule"),
    [
        (
            ("K1_1.png", "K1_2.png", "K2_1.png"),
            "id,Sample,UTS\n1,K1,5\n2,K2,6\n",
            MatchRule(by="specimen", column="Sample", pattern="{specimen}_*"),
        ),
        (
            ("a.png", "b.png"),
            "Specimen,Image,UTS\nS1,a.tif,5\nS1,b.tif,5\n",
            MatchRule(by="file", column="Image", specimen_column="Specimen", pattern="{specimen}"),
        ),
        (
            ("s1/top.png", "s1/side.png", "s2/top.png"),
            "heat,x\ns1,1\ns2,2\n",
            MatchRule(by="specimen", column="heat", pattern="{specimen}/*"),
        ),
        (("a.png", "b.png"), "x\n1\n", MatchRule(pattern="{specimen}")),
    ],
)
def test_the_rule_is_guessed_from_what_fits_most(files, text, rule):
    assert guess_rule(files, sheet(text)) == rule


def test_without_a_table_the_pattern_is_guessed():
    assert guess_rule(("K1-1.png", "K1-2.png", "K2-1.png"), None).pattern == "{specimen}-*"
    assert best_pattern(("a.png", "b.png")) == "{specimen}"


@pytest.mark.parametrize(
    ("path", "pattern", "specimen"),
    [
        ("x/K_1_2.png", "{specimen}_*", "K_1"),
        ("x/SEM_K7 200x.png", "SEM_{specimen} *", "K7"),
        ("a/b/c.png", "{specimen}/*", "b"),
        ("c.png", "{specimen}/*", None),
        ("a.b.png", "{specimen}", "a.b"),
        ("K.png", "{specimen}_*", None),
        ("(1).png", "({specimen})", "1"),
    ],
)
def test_a_pattern_takes_the_specimen_out_of_a_name(path, pattern, specimen):
    assert specimen_of(path, pattern) == specimen


@pytest.mark.parametrize("pattern", ["*", "{specimen}{specimen}", "{specimen}*****", ""])
def test_a_pattern_without_one_specimen_is_refused(pattern):
    with pytest.raises(InputError, match="specimen"):
        specimen_of("a.png", pattern)


def test_names_for_folders_are_plain_and_unique():
    assert plain("../é µ/x") == "e_x" and plain("…") == "data"
    assert check_name("My-Set_1.0") == "My-Set_1.0"
    for wrong in ("../x", "a/b", ".x", "", "a" * 61, "ä"):
        with pytest.raises(InputError, match="cannot be used"):
            check_name(wrong)
    taken: set[str] = set()
    assert [unique(n, taken) for n in ("a.png", "A.png", "a.png")] == [
        "a.png",
        "A_2.png",
        "a_3.png",
    ]


def test_columns_are_guessed_with_units_roles_and_labels():
    table = sheet(
        "file,sample,Anneal temperature [°C],UTS (MPa),Cooling,"
        "Remark,Bruchdehnung (%),pixel size nm\n"
        "a,S1,800,430,air,first,12,50\nb,S2,900,,air,second,13,60\nc,S3,900,400,FC,third,11,70\n"
        "d,S4,900,410,FC,fourth,11,70\n"
    )
    rule = MatchRule(by="file", column="file", specimen_column="sample")
    found = {c.header: c.column for c in guess_fields(table, rule, scale_column(table))}
    assert found == {
        "Anneal temperature [°C]": Column(
            "anneal_temperature_c", "°C", "Anneal temperature", "process", "numeric"
        ),
        "UTS (MPa)": Column("uts_mpa", "MPa", "UTS", "property", "numeric"),
        "Cooling": Column("cooling", "", "Cooling", "process", "categorical"),
        "Remark": None,
        "Bruchdehnung (%)": Column("bruchdehnung_pct", "%", "Bruchdehnung", "process", "numeric"),
    }
    assert scale_column(table) == "pixel size nm" and scale_factor("pixel size nm") == 0.001


def test_a_property_is_told_by_its_unit_whatever_its_name():
    (choice,) = guess_fields(sheet("Festigkeit [MPa]\n430\n"), MatchRule())
    assert choice.column == Column("festigkeit_mpa", "MPa", "Festigkeit", "property", "numeric")


def test_a_declaration_of_the_command_line_goes_before_the_heading():
    table = sheet("K_IC,Route\n30,a\n")
    assert parse_declaration("K_IC:MPa√m:Toughness", "property", table).column == Column(
        "k_ic", "MPa√m", "Toughness", "property", "numeric"
    )
    with pytest.raises(InputError, match="a property must be numeric"):
        parse_declaration("Route", "property", table)
    with pytest.raises(InputError, match="no column 'x'"):
        parse_declaration("x", "process", table)


def test_units_stand_in_brackets_or_at_the_end():
    assert split_unit("Zeit, (h)") == ("Zeit", "h")
    assert split_unit("(x)") == ("(x)", "")
