"""Tables as spreadsheets write them come out as the same cells, or are refused in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import zips
from core.errors import InputError
from core.import_data import excel
from core.import_data import sheet as module
from core.import_data.sheet import read_sheet
from tests.core.import_data.pictures import workbook

PLAIN = "Sample,Temp [°C],UTS\nK1,800.5,430\nK2,900.25,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_give_the_same_cells(encoding, separator):
    sheet = read_sheet(PLAIN.replace(",", separator).encode(encoding), "t.csv")
    assert sheet.columns == {
        "Sample": ["K1", "K2"],
        "Temp [°C]": ["800.5", "900.25"],
        "UTS": ["430", ""],
    }
    assert len(sheet) == 2 and not sheet.decimal_comma
    said = " ".join(sheet.notes)
    assert ("Windows-1252" in said) == (encoding == "cp1252")
    assert ("semicolons" in said) == (separator == ";") and ("tabs" in said) == (separator == "\t")


def test_decimal_commas_are_read_and_said():
    sheet = read_sheet(b"a;b\n0,035;12\n1,5e2;-,5\n", "t.csv")
    assert sheet.decimal_comma and "numbers are read with decimal commas" in sheet.notes
    assert [sheet.number(cell) for cell in sheet.columns["a"]] == [0.035, 150.0]
    assert [sheet.number(cell) for cell in sheet.columns["b"]] == [12.0, -0.5]


def test_commas_in_a_comma_separated_table_count_where_they_are_quoted():
    sheet = read_sheet(b'a,b\n"0,5",1\n', "t.csv")
    assert sheet.decimal_comma and sheet.number("0,5") == 0.5


def test_a_mixture_of_points_and_commas_is_said_and_not_guessed():
    sheet = read_sheet(b"a;b\n0,5;1.5\n", "t.csv")
    assert not sheet.decimal_comma and np.isnan(sheet.number("0,5"))
    assert "with a decimal point: 1, with a comma: 1" in " ".join(sheet.notes)


@pytest.mark.parametrize("cell", ["n/a", "-", "NaN", "?", "none", "NA"])
def test_what_people_write_for_not_known_is_empty(cell):
    assert read_sheet(f"a,b\n{cell},1\n".encode(), "t.csv").columns["a"] == [""]


def test_numbers_are_told_by_most_of_the_cells():
    sheet = read_sheet(b"a,b,c\n1,x,\n2,1,\nx,y,\n", "t.csv")
    assert [sheet.is_numeric(name) for name in "abc"] == [True, False, False]
    assert np.isnan(sheet.number("1e999")) and np.isnan(sheet.number("12 MPa"))


def test_short_rows_and_empty_rows_are_filled_or_left_out():
    sheet = read_sheet(b"a,b,\n1\n,,\n2,3,\n", "t.csv")
    assert sheet.columns == {"a": ["1", "2"], "b": ["", "3"]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no row below"),
        (b"a,b\n", "no row below"),
        (b"a,a\n1,2\n", "two columns named 'a'"),
        (b"a,b\n1,2,3\n", "row 2: 3 cells under 2 headings"),
        (b"a\0b\n1\n", "not a text file"),
        (b"\xd0\xcf\x11\xe0old", r"old Excel file"),
        (b"PK\x03\x04broken", "not an Excel file"),
        (b"a\n" + b"1\n" * 50_001, "more than 50000 rows"),
        ((",".join(map(str, range(201))) + "\n" + ",".join("1" * 201)).encode(), "201 columns"),
    ],
)
def test_what_is_no_table_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        read_sheet(data, "../t.csv")


def test_a_large_table_is_refused(monkeypatch):
    monkeypatch.setattr(module, "MAX_TABLE_BYTES", 4)
    with pytest.raises(InputError, match="more than 0 MiB"):
        read_sheet(b"a,b\n1,2\n", "t.csv")


def test_a_workbook_is_read_as_its_first_sheet():
    data = workbook([["Sample", "UTS (MPa)"], ["K1", 430.5], ["K2", 7.0]])
    sheet = read_sheet(data, "t.xlsx")
    assert sheet.columns["Sample"] == ["K1", "K2"]
    assert [sheet.number(cell) for cell in sheet.columns["UTS (MPa)"]] == [430.5, 7.0]


def test_a_workbook_that_unpacks_to_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(zips, "MAX_UNPACKED_BYTES", 10)
    with pytest.raises(InputError, match="unpacks to"):
        read_sheet(workbook([["a"], ["b"]]), "t.xlsx")


def test_a_workbook_of_too_many_cells_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(excel, "MAX_TAGS", 10)
    with pytest.raises(InputError, match="more than about 2 cells"):
        read_sheet(workbook([["a"], ["b"]]), "t.xlsx")


def test_columns_without_a_heading_are_numbered_where_the_header_has_room_for_them():
    assert list(read_sheet(b"a,,\n1,2,\n", "t.csv").columns) == ["a", "column 2"]
    assert list(read_sheet(b"a,,,,\n1,,,,\n", "t.csv").columns) == ["a"]
    with pytest.raises(InputError, match="2 cells under 1 headings"):
        read_sheet(b"a\n1,2\n", "t.csv")


def test_a_table_is_read_no_further_than_its_limits(monkeypatch):
    monkeypatch.setattr(module, "MAX_CELLS", 5)
    with pytest.raises(InputError, match="more than 5 cells"):
        read_sheet(b"a,b\n1,2\n3,4\n", "t.csv")
    monkeypatch.setattr(module, "MAX_COLUMNS", 1)
    with pytest.raises(InputError, match="row of 2 columns; at most 1"):
        read_sheet(b"a,b\n1,2\n", "t.csv")


@given(st.binary(max_size=120))
def test_any_bytes_are_a_table_or_refused(data):
    for start in (b"", b"a,b\n", b"a;b\n"):
        try:
            sheet = read_sheet(start + data, "t.csv")
        except InputError:
            continue
        assert {len(cells) for cells in sheet.columns.values()} == {len(sheet)}
