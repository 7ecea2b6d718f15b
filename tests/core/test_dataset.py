"""Data sets: manifests and declarations."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.columns import Column, is_property, label_of, unit_of
from core.dataset import DataSet, load_dataset, write_manifest
from core.errors import InputError
from core.images import encode_png
from core.manifest import MAX_ROWS, parse_cells

REPOSITORY = Path(__file__).resolve().parents[2]
REAL_DATA = Path(
    os.environ.get("MICRODESIGN_REAL_DATA", REPOSITORY.parent / "shared" / "data" / "micrographs")
)


def make(root: Path, manifest: str | bytes, declaration: object = None, images: str = "a b c d"):
    """Write a folder with images ``a.png`` and so on, a manifest and, if given, dataset.json."""
    root.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(images.split()):
        pixels = np.full((40, 48), 0.1 * place)
        (root / f"{name}.png").write_bytes(encode_png(pixels, um_per_px=2.0))
    data = manifest.encode() if isinstance(manifest, str) else manifest
    (root / "manifest.csv").write_bytes(data)
    if declaration is not None:
        (root / "dataset.json").write_text(json.dumps(declaration))
    return root


def load(root: Path, manifest: str | bytes, declaration: object = None) -> DataSet:
    return load_dataset(make(root, manifest, declaration))


GOOD = """file,specimen,um_per_px,mg_wt,cooling,uts_mpa,notes
a.png,S1,0.5,0.04,air,450,first
b.png,S1,,0.04,air,,
c.png,S2,1.5,0.01,furnace,,"odd, but kept"
"""


def test_columns_are_told_from_their_names(tmp_path: Path) -> None:
    data = load(tmp_path / "irons", GOOD)
    assert data.columns == (
        Column("mg_wt", "wt%", "mg", "process", "numeric"),
        Column("cooling", "", "cooling", "process", "categorical"),
        Column("uts_mpa", "MPa", "uts", "property", "numeric"),
    )
    assert [c.name for c in data.process] == ["mg_wt", "cooling"]
    assert [c.name for c in data.properties] == ["uts_mpa"]
    assert (data.name, data.synthetic, data.notes, len(data)) == ("irons", False, (), 3)
    assert list(data.table) == [
        "file", "specimen", "um_per_px", "mg_wt", "cooling", "uts_mpa", "notes"
    ]  # fmt: skip
    assert data.table["notes"].tolist()[2] == "odd, but kept"
    assert data.described == (
        "process columns: mg_wt (wt%), cooling (categorical)",
        "property columns: uts_mpa (MPa)",
    )


def test_specimens_have_one_row_each_with_the_values_given(tmp_path: Path) -> None:
    specimens = load(tmp_path, GOOD).specimens
    assert specimens.index.tolist() == ["S1", "S2"]
    assert specimens.loc["S1"].tolist() == [0.04, "air", 450.0]
    assert np.isnan(specimens.loc["S2", "uts_mpa"])


def test_read_prefers_the_manifest_s_scale_to_the_file_s(tmp_path: Path) -> None:
    data = load(tmp_path, GOOD)
    assert (data.read(0).um_per_px, data.read(1).um_per_px) == (0.5, 2.0)
    assert (data.read(1).name, data.read(1).pixels.shape) == ("b.png", (40, 48))
    for index in (-1, 3):
        with pytest.raises(InputError, match=f"image {index} is asked for"):
            data.read(index)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_german_spreadsheet_gives_the_same_table(tmp_path: Path, encoding: str, end: str) -> None:
    german = GOOD.replace('"odd, but kept"', "odd").replace(",", ";").replace(".", ",")
    german = german.replace(",png", ".png").replace("\n", end) + f";;;;;;{end}"
    data = load(tmp_path / "de", german.encode(encoding))
    reference = load(tmp_path / "en", GOOD.replace('"odd, but kept"', "odd"))
    pd.testing.assert_frame_equal(data.table, reference.table)
    assert data.columns == reference.columns


def test_a_declaration_goes_before_the_names(tmp_path: Path) -> None:
    columns = [
        {"name": "uts_mpa", "unit": "MPa", "label": "Tensile strength", "role": "property"},
        {
            "name": "mg_wt",
            "unit": "wt%",
            "label": "Magnesium",
            "role": "process",
            "kind": "numeric",
        },
    ]
    declaration = {
        "name": "Castings", "synthetic": True, "columns": columns, "generator": {"seed": 3}
    }  # fmt: skip
    data = load(tmp_path, GOOD, declaration)
    assert data.columns == (
        Column("uts_mpa", "MPa", "Tensile strength", "property", "numeric"),
        Column("mg_wt", "wt%", "Magnesium", "process", "numeric"),
    )
    assert (data.name, data.synthetic, data.generator) == ("Castings", True, {"seed": 3})
    assert "cooling" in data.table  # kept, not used
    assert list(data.specimens) == ["uts_mpa", "mg_wt"]


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ([], "must hold an object"),
        ({"colums": []}, "unknown key 'colums'"),
        ({"synthetic": "yes"}, "synthetic is 'yes'"),
        ({"columns": ["mg_wt"]}, "an object is needed"),
        ({"columns": [{"name": "mg_wt"}]}, "needs a text 'role'"),
        ({"columns": [{"name": "mg_wt", "role": "input"}]}, "role is 'input'"),
        ({"columns": [{"name": "mg_wt", "role": "process", "units": ""}]}, "unknown key 'units'"),
        ({"columns": [{"name": "mg_wt", "role": "process", "unit": 3}]}, "unit is 3"),
        ({"columns": [{"name": "zn_wt", "role": "process"}]}, "which manifest.csv does not have"),
        ({"columns": [{"name": "file", "role": "process"}]}, "column 'file' is not declared"),
        ({"columns": [{"name": "mg_wt", "role": "process"}] * 2}, "declares the column .* twice"),
        (
            {"columns": [{"name": "cooling", "role": "property", "kind": "categorical"}]},
            "a property must be numeric",
        ),
        ({"columns": [{"name": "cooling", "role": "process"}]}, "row 2: cooling is 'air'"),
    ],
)
def test_a_wrong_declaration_is_refused(tmp_path: Path, declaration: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, GOOD, declaration)


@pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"name": "\udcff"}'])
def test_a_declaration_that_is_not_json_is_refused(tmp_path: Path, content: str) -> None:
    make(tmp_path, GOOD)
    (tmp_path / "dataset.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=r"dataset\.json"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("", "is empty"),
        ("file,specimen\n", "a header but no rows"),
        ("file,mg_wt\na.png,1\n", "no column specimen; it has file, mg_wt"),
        ("name\na.png\n", "no column file and no column specimen"),
        ("file,specimen,mg,mg\na.png,S,1,1\n", "two columns named 'mg'"),
        ("file,specimen,\na.png,S,1\n", "column 3 has cells but no name"),
        ("file,specimen\na.png,S\n\nb.png,S\n", "row 3 is empty"),
        ("file,specimen\na.png,S,1\n", "row 2 has 3 cells, the header 2"),
        ("file,specimen\na.png,S\nb.png, \n", "row 3: specimen is empty"),
        ("file,specimen\n,S\n", "row 2: file is empty"),
        ("file,specimen\na.png,S\na.png,S\n", "row 3: 'a.png' is the same file as in row 2"),
        ("file,specimen\na.png,S\n./a.png,S\n", "row 3: './a.png' is the same file as in row 2"),
        ("file,specimen\nz.png,S\n", "row 2: 'z.png' is not a file"),
        ("file,specimen\n.,S\n", "is not a file"),
        ("file,specimen\n/etc/passwd,S\n", "leaves the data set"),
        ("file,specimen\n../a.png,S\n", "leaves the data set"),
        ("file,specimen\nC:/a.png,S\n", "leaves the data set"),
        ("file,specimen\nsub\\a.png,S\n", "has a backslash"),
        ("file,specimen\na\0.png,S\n", "control characters|not a table"),
        ("file,specimen,um_per_px\na.png,S,0\n", "row 2: um_per_px is 0; it must be above 0"),
        ("file,specimen,um_per_px\na.png,S,-2\n", "um_per_px is -2"),
        ("file,specimen,um_per_px\na.png,S,wide\n", "um_per_px is 'wide', not a finite number"),
        ("file,specimen,mg\na.png,S,1\nb.png,T,inf\n", "row 3: mg is 'inf', not a finite number"),
        ("file,specimen,mg\na.png,S,nan\n", "mg is 'nan'"),
        ("file,specimen,mg\na.png,S,1e999\n", "mg is '1e999'"),
        ("file,specimen,uts_mpa\na.png,S,high\n", "uts_mpa is 'high'"),
        ("file,specimen,mg_wt\na.png,S,0.O4\nb.png,T,0.05\n", "mg_wt is '0.O4'"),
        (
            "file,specimen,uts_mpa\na.png,S,450\nb.png,S,460\n",
            r"uts_mpa of specimen S is 450\.0 and 460\.0 in different rows",
        ),
        (b"file,specimen\n\xff\xfe.png,S\n", "not UTF-8"),
    ],
)
def test_a_wrong_manifest_is_refused(tmp_path: Path, manifest: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, manifest)


def test_a_folder_without_manifest_is_refused(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "gone"):
        with pytest.raises(InputError, match=r"has no manifest\.csv"):
            load_dataset(root)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes(encode_png(np.zeros((40, 40))))
    root = make(tmp_path / "set", "file,specimen\nlink.png,S\n")
    link = root / "link.png"
    link.symlink_to(outside)
    with pytest.raises(InputError, match="is a link out of the data set"):
        load_dataset(root)
    link.unlink()
    link.symlink_to(root / "a.png")
    assert load_dataset(root).read(0).pixels.shape == (40, 48)
    link.unlink()
    link.symlink_to(link)
    with pytest.raises(InputError, match="row 2"):
        load_dataset(root)


def test_a_setting_that_differs_within_a_specimen(tmp_path: Path) -> None:
    """Declared it is an error; undeclared it describes the image, and a note says so."""
    manifest = "file,specimen,days\na.png,S,0\nb.png,S,180\n"
    data = load(tmp_path / "free", manifest)
    assert data.columns == () and data.table["days"].tolist() == [0, 180]
    assert data.notes == (
        "days of specimen S is 0.0 and 180.0: it differs within specimens and is not used as a "
        "process column",
    )
    declaration = {"columns": [{"name": "days", "role": "process"}]}
    with pytest.raises(InputError, match="days of specimen S"):
        load(tmp_path / "declared", manifest, declaration)


def test_too_many_rows_are_refused() -> None:
    text = "file,specimen\n" + "a.png,S\n" * (MAX_ROWS + 1)
    with pytest.raises(InputError, match="more than 100000 rows"):
        parse_cells(text.encode())
    cells, _ = parse_cells(text[: -len("a.png,S\n")].encode())
    assert len(cells["file"]) == MAX_ROWS


@given(st.binary(max_size=120))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    for start in (b"", b"file,specimen\n", b"file;specimen;x\n"):
        try:
            cells, _ = parse_cells(start + data)
        except InputError:
            continue
        assert len({len(column) for column in cells.values()}) == 1


@pytest.mark.parametrize(
    ("name", "unit", "label", "is_prop"),
    [
        ("uts_mpa", "MPa", "uts", True),
        ("UTS", "", "UTS", True),
        ("ys", "", "ys", True),
        ("system", "", "system", False),
        ("ysable", "", "ysable", False),
        ("hardness_hv", "HV", "hardness", True),
        ("modulus_gpa", "GPa", "modulus", True),
        ("a_pct_el", "%", "a", True),
        ("yield_strength", "", "yield strength", True),
        ("anneal_temp_c", "°C", "anneal temp", False),
        ("radius_mm", "mm", "radius", False),
        ("si_wt", "wt%", "si", False),
        ("ageing_days", "days", "ageing", False),
        ("_c", "", "c", False),
    ],
)
def test_units_labels_and_roles_from_names(name: str, unit: str, label: str, is_prop: bool) -> None:
    assert (unit_of(name), label_of(name), is_property(name)) == (unit, label, is_prop)


def test_the_hash_follows_images_and_manifest_only(tmp_path: Path) -> None:
    first, second = load(tmp_path / "1", GOOD), load(tmp_path / "2", GOOD)
    assert first.hash == second.hash and len(first.hash) == 64
    assert load(tmp_path / "3", GOOD, {"name": "other"}).hash == first.hash
    assert load(tmp_path / "4", GOOD.replace("450", "451")).hash != first.hash
    image = tmp_path / "2" / "a.png"
    image.write_bytes(image.read_bytes() + b"x")
    assert second.hash == first.hash  # computed once
    assert load_dataset(tmp_path / "2").hash != first.hash


def test_a_lost_image_is_an_input_error_when_hashing(tmp_path: Path) -> None:
    data = load(tmp_path, GOOD)
    (tmp_path / "b.png").unlink()
    with pytest.raises(InputError, match=r"b\.png cannot be read any more"):
        _ = data.hash


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    columns = (
        Column("mg_wt", "wt%", "Magnesium", "process", "numeric"),
        Column("cooling", "", "Cooling", "process", "categorical"),
        Column("uts_mpa", "MPa", "Tensile strength", "property", "numeric"),
    )
    table = pd.DataFrame(
        {
            "file": ["a.png", "b.png"],
            "specimen": ["S; 1", 'S,"2"'],
            "um_per_px": [1.25, np.nan],
            "mg_wt": [0.1 + 0.2, 1e-17],
            "cooling": ["air", None],
            "uts_mpa": [np.nan, 450.123456789012345],
        }
    )
    make(tmp_path, "")
    write_manifest(tmp_path, table, columns, "Set", True, {"seed": 1})
    data = load_dataset(tmp_path)
    assert (data.name, data.synthetic, data.generator) == ("Set", True, {"seed": 1})
    assert data.columns == columns
    pd.testing.assert_frame_equal(data.table, table, check_dtype=False)


def test_a_table_that_could_not_be_read_back_is_not_written(tmp_path: Path) -> None:
    column = Column("mg_wt", "wt%", "Magnesium", "process", "numeric")
    table = pd.DataFrame({"file": ["a", "b"], "specimen": ["S", "S"], "mg_wt": [1.0, 2.0]})
    with pytest.raises(InputError, match="mg_wt of specimen S"):
        write_manifest(tmp_path, table, (column,), "Set", True)
    with pytest.raises(InputError, match="not plain JSON"):
        write_manifest(tmp_path, table.iloc[:1], (column,), "Set", True, {"seed": np.nan})
    with pytest.raises(InputError, match="mg_wt is 'inf'"):
        write_manifest(tmp_path, table.iloc[:1].assign(mg_wt=np.inf), (column,), "Set", True)
    assert list(tmp_path.iterdir()) == []


def test_the_real_micrographs_load() -> None:
    if not (REAL_DATA / "manifest.csv").is_file():
        pytest.skip(f"no real micrographs in {REAL_DATA}; set MICRODESIGN_REAL_DATA")
    data = load_dataset(REAL_DATA)
    assert (len(data), data.table["specimen"].nunique()) == (66, 41)
    assert [c.name for c in data.process] == ["anneal_temp_c", "anneal_h", "cooling"]
    assert data.properties == () and "ageing_days of specimen spot2" in data.notes[0]
    assert data.specimens.loc["uhcs_18"].tolist() == [800.0, 85.0, "Q"]
    for index in (0, 43, 65):
        micrograph = data.read(index)
        assert micrograph.pixels.shape >= (484, 512) and micrograph.pixels.std() > 0.02
    assert data.read(43).um_per_px == 1.16279
