"""The papers that go with a release agree with the code and with each other."""

import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

import core
from dashboard.gate import HEADERS
from dashboard.password import SHORTEST
from dashboard.permission import READ_ONLY, VARIABLE
from dashboard.uploads import MAX_TOTAL_MIB, MOST_OF_ALL_MIB, SHARE
from dashboard.uploads import VARIABLE as UPLOADS
from tests.release import licences

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
DOCS = ("architecture.md", "deployment.md", "licences.md")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_every_paper_names_the_same_version_and_licence():
    assert PROJECT["version"] == core.__version__ == str(CITATION["version"])
    assert re.search(
        rf"^## {re.escape(core.__version__)}, \d+ \w+ \d{{4}}$", read("CHANGELOG.md"), re.M
    )
    assert PROJECT["license"] == CITATION["license"] == "MIT"
    assert read("LICENSE").startswith("MIT License\n\nCopyright (c) ")
    assert CITATION["authors"][0]["name"] in read("LICENSE")


def test_the_paper_is_cited():
    (paper,) = CITATION["references"]
    assert paper["volume"] == 2964 and paper["section"] == "article 59" and paper["year"] == 2021
    assert [one["family-names"] for one in paper["authors"]] == [
        "Sardeshmukh", "Reddy", "Gautham", "Bhattacharyya",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [*PAGES, *(f"docs/{name}" for name in DOCS)])
def test_links_lead_to_files_that_are_there(name):
    folder = (ROOT / name).parent
    links = LINK.findall(read(name))
    assert name != "README.md" or len(links) > 10
    assert [link for link in links if not (folder / link).exists()] == []


def test_every_pinned_package_has_its_licence_on_the_page():
    page = read("docs/licences.md")
    listed = page.split(licences.BEGIN)[1].split(licences.END)[0]
    found = set(re.findall(r"[ ,]([a-z0-9][a-z0-9.-]*) (\d[\w.]*)(?=,| \|)", listed))
    assert found == set(licences.pins())


def test_the_deployment_page_says_what_the_code_does():
    page = read("docs/deployment.md")
    for word in (
        VARIABLE,
        READ_ONLY,
        UPLOADS,
        f"{SHORTEST} characters",
        *HEADERS,
        "--require-hashes",
    ):
        assert word in page, word
    assert MAX_TOTAL_MIB == 1024 and "1 GiB together" in page
    assert (MOST_OF_ALL_MIB, SHARE) == (4096, 4) and "4 GiB or a quarter of the memory" in page
    config = tomllib.loads(read("dashboard/.streamlit/config.toml"))
    assert f"{config['server']['maxUploadSize']} MB" in page
    assert config["server"]["enableXsrfProtection"] and config["server"]["enableCORS"]
    assert config["client"]["showErrorDetails"] == "none"
    assert read("Procfile").strip().removeprefix("web: ").split(" --")[0] in page


def test_the_picture_is_whole_and_speaks_to_those_who_cannot_see_it():
    path = ROOT / "docs" / "images" / "architecture.svg"
    root = ET.parse(path).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img" and root.find(f"{space}title") is not None
    assert "prefers-color-scheme: dark" in path.read_text("utf-8")
    width, height = (float(x) for x in root.get("viewBox").split()[2:])
    for box in root.iter(f"{space}rect"):
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert x + float(box.get("width")) <= width and y + float(box.get("height")) <= height
