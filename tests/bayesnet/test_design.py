"""Claims about designs: they follow from their inputs, are measured again, and know no oracle."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bayesnet.design import design
from bayesnet.network import Network
from bayesnet.pictures import PREDICT_PATCHES, picture, read_back
from bayesnet.query import most_probable
from bayesnet.ranking import WITHIN
from bayesnet.verify import cast_again
from core.checkpoint import LoadedModel, load_model
from core.encode import LatentTable, load_latents
from core.errors import CheckpointError, InputError
from core.field_descriptors import measure_fields
from core.patches import cut_at, spread_patches
from core.properties import PropertyModel
from core.synthesis import encode_patches
from tests.core.stereology.drawn import lamellae

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ("bayesnet.verify", "core.castings")
MAY_KNOW_THE_ORACLE = ("bayesnet.verify", "bayesnet.measure")


@pytest.fixture(scope="module")
def loaded(tiny_model: Path) -> LoadedModel:
    return load_model(tiny_model)


@pytest.fixture(scope="module")
def tiny_network(tiny_model: Path) -> Network:
    return Network.load(tiny_model / "network.json")


@pytest.fixture(scope="module")
def properties(tiny_model: Path) -> PropertyModel:
    return PropertyModel.load(tiny_model / "properties.json")


@pytest.fixture(scope="module")
def table(tiny_model: Path) -> LatentTable:
    return load_latents(tiny_model / "latents")


@pytest.fixture(scope="module")
def targets(table: LatentTable) -> dict[str, float]:
    """Strengths in the middle of the data."""
    return {n: float(table.specimens[n].median()) for n in ("uts_mpa", "ys_mpa")}


@pytest.fixture(scope="module")
def made(loaded, tiny_network, properties, targets):
    """A small design with two samples."""
    return design(
        loaded,
        tiny_network,
        properties,
        targets,
        {"mg_wt": (0.01, None)},
        size_px=160,
        n_samples=2,
        sample_px=128,
        seed=4,
    )


# --- what a design is ---


def test_design_has_the_sizes_asked_for(made) -> None:
    assert made.main.pixels.shape == (160, 160) and made.main.pixels.dtype == np.float32
    assert len(made.samples) + made.dropped == 2
    assert {s.picture.pixels.shape for s in made.samples} <= {(128, 128)}
    assert made.main.pixels.min() >= 0 and made.main.pixels.max() <= 1
    assert set(made.seconds) == {"network", "decode", "read_back", "samples", "total"}
    assert made.um_per_px == 1.0


def test_design_starts_from_the_networks_answer(made, tiny_network: Network, targets) -> None:
    limits = {"mg_wt": (0.01, None)}
    answer = most_probable(tiny_network, targets, limits)
    np.testing.assert_array_equal(made.main.z, answer.latents)
    assert made.answer.feasibility == answer.feasibility
    assert made.answer.process["mg_wt"].value >= 0.01


def test_descriptors_of_any_material_are_measured_in_the_picture(loaded, properties) -> None:
    pixels = lamellae(256, 6, 10, noise=0.02)
    for names in (("spacing_um", "anisotropy"), ("graphite_pct",)):
        found = read_back(loaded, properties, pixels, 1, names).predicted
        kind = "graphite" if "graphite_pct" in names else "phases"
        own = measure_fields([pixels], loaded.um_per_px, kind)
        assert {n: found[n].value for n in names} == {n: own[n] for n in names}
        assert found[names[0]].low is None, "measured, not predicted"


def test_samples_come_nearest_first_and_read_back_within_their_intervals(made) -> None:
    found = [s.residual for s in made.samples]
    assert found == sorted(found) and all(r <= WITHIN for r in found)
    latents = [s.picture.z for s in made.samples]
    for one, other in pairwise(latents):
        assert np.abs(one - other).max() > 1e-3, "samples are different microstructures"


def test_properties_are_predicted_from_the_picture_itself(
    made, loaded: LoadedModel, properties: PropertyModel
) -> None:
    corners = spread_patches(made.main.pixels, 128, PREDICT_PATCHES)
    mean = encode_patches(loaded, cut_at(made.main.pixels, corners, 128))[0].mean(axis=0)
    for name, expected in properties.predict(mean, len(corners)).items():
        found = made.main.predicted[name]
        assert found.value == pytest.approx(expected.value, rel=1e-4), name
    from_latents = properties.predict(made.main.z)["uts_mpa"].value
    assert made.main.predicted["uts_mpa"].value != from_latents, "not read off the latents"


def test_same_seed_gives_the_same_design(
    made, loaded, tiny_network, properties, table, targets
) -> None:
    again = picture(loaded, properties, table, made.main.z, 160, made.main.seed)
    np.testing.assert_array_equal(again.pixels, made.main.pixels)
    assert made.main.seed == 4 and {s.picture.seed for s in made.samples} <= {5, 6}
    other = picture(loaded, properties, table, made.main.z, 160, 5)
    assert not np.array_equal(other.pixels, made.main.pixels)


def test_field_of_several_cells_is_measured_back_too(made, loaded, properties, table) -> None:
    field = picture(loaded, properties, table, made.main.z, 256, 0)
    assert field.pixels.shape == (256, 256)
    assert set(field.predicted) == {"uts_mpa", "ys_mpa"}


def test_design_without_samples_or_limits(loaded, tiny_network, properties, targets) -> None:
    found = design(loaded, tiny_network, properties, targets, size_px=128, n_samples=0)
    assert found.samples == () and found.process == {}


def test_record_is_json_without_pixels(made, targets, loaded: LoadedModel) -> None:
    content = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert content["targets"] == targets and content["model_sha256"] == loaded.hash
    assert content["process_limits"] == {"mg_wt": [0.01, None]}
    assert content["main"]["size_px"] == [160, 160] and content["main"]["seed"] == 4
    assert content["main"]["latents"] == [float(v) for v in made.main.z]
    assert len(content["samples"]) + content["samples_dropped"] == 2
    assert content["feasibility"]["verdict"] in ("feasible", "borderline", "infeasible")
    assert "pixels" not in json.dumps(content)


def test_target_out_of_reach_is_answered_with_the_nearest_feasible_one(
    loaded, tiny_network, properties
) -> None:
    wanted = {"uts_mpa": 5000.0}
    found = design(loaded, tiny_network, properties, wanted, size_px=128, n_samples=0)
    verdict = found.answer.feasibility
    assert verdict.verdict == "infeasible" and verdict.nearest is not None
    assert found.targets == wanted and found.answer.conditioned_on == verdict.nearest
    assert verdict.nearest["uts_mpa"] < 1000


# --- what is refused ---


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_px": 150}, "size_px = 150 px: a multiple of 32 from 128 to 4096 is needed"),
        ({"size_px": 96}, "size_px = 96 px: a multiple of 32 from 128 to 4096"),
        ({"size_px": 8192}, "size_px = 8192 px: a multiple of 32 from 128 to 4096"),
        ({"sample_px": 64}, "sample_px = 64 px: a multiple of 32 from 128 to 4096"),
        ({"n_samples": -1}, "n = -1: at least one sample"),
        ({"targets": {}}, "no target; give at least one of"),
        ({"targets": {"hardness_hv": 200.0}}, "unknown property 'hardness_hv'"),
        ({"targets": {"uts_mpa": float("nan")}}, "uts_mpa = nan is not a finite number"),
        ({"targets": {"uts_mpa": -3.0}}, "must be positive"),
        ({"process": {"si_pct": 2.0}}, "unknown process setting 'si_pct'"),
    ],
)
def test_unusable_wishes_are_refused(
    loaded, tiny_network, properties, targets, changes: dict, message: str
) -> None:
    given = {"targets": targets, "size_px": 128} | changes
    with pytest.raises(InputError) as refused:
        design(loaded, tiny_network, properties, **given)
    assert message in str(refused.value)


def test_parts_of_another_model_are_refused(loaded, tiny_network, properties, targets) -> None:
    with pytest.raises(CheckpointError, match="network was fitted on another model's latents"):
        design(loaded, replace(tiny_network, model_hash="0" * 64), properties, targets)
    with pytest.raises(CheckpointError, match="property models were fitted on another model's"):
        design(loaded, tiny_network, replace(properties, model_hash="0" * 64), targets)


def test_oracle_casts_reference_castings_only() -> None:
    with pytest.raises(InputError, match="it belongs to the synthetic reference castings"):
        cast_again({"mg_wt": 0.04, "radius_mm": 20.0}, seed=0)


# --- who may import what ---


def sources(package: str) -> Iterator[tuple[str, Path]]:
    """Module names and files of a package."""
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


@cache
def imports(path: Path) -> set[str]:
    """Every module a file imports, anywhere in it, with the names imported from it appended.

    `from core import castings` counts as core and core.castings; relative imports are refused,
    since they would hide what is imported; so is importing by a name made at run time.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: a relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rsplit(".", 1)[-1]
            assert called not in ("__import__", "import_module"), f"{path}, line {node.lineno}"
    return found


def reaches(imported: set[str], module: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in imported)


def test_import_rule_would_notice_every_way_to_import(tmp_path: Path) -> None:
    ways = (
        "import core.castings.design",
        "from core import castings",
        "from core.castings import make_casting",
        "def f():\n    from core.castings.field import Field",
        "if True:\n    import os, core.castings as c",
    )
    for number, text in enumerate(ways):
        path = tmp_path / f"module{number}.py"
        path.write_text(text)
        assert reaches(imports(path), "core.castings"), text
    (tmp_path / "other.py").write_text("import core.castings_of_others")
    assert not reaches(imports(tmp_path / "other.py"), "core.castings")


def test_only_verification_and_measurement_know_the_oracle() -> None:
    modules = dict(sources("bayesnet"))
    assert {"bayesnet.design", "bayesnet.query", "bayesnet.feasibility"} <= set(modules)
    for name, path in modules.items():
        known = [oracle for oracle in ORACLE if reaches(imports(path), oracle)]
        if not any(reaches({name}, allowed) for allowed in MAY_KNOW_THE_ORACLE):
            assert not known, f"{name} imports {known}"
    known = {name for name, path in modules.items() if reaches(imports(path), ORACLE[1])}
    assert "bayesnet.verify.oracle" in known, "the test has lost sight of the oracle"


def test_nothing_imported_by_design_leads_to_the_oracle() -> None:
    """Not through other modules either."""
    modules = {name: imports(path) for p in ("core", "bayesnet") for name, path in sources(p)}
    seen, ahead = set(), ["bayesnet.design", "bayesnet.learn", "core.evaluate"]
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += [other for other in modules[name] if other in modules]
    assert {"bayesnet.query", "core.properties", "core.synthesis"} <= seen
    told = sorted(name for name in seen if reaches({name}, ORACLE[0]) or reaches({name}, ORACLE[1]))
    assert not told, told


def test_core_of_the_model_does_not_know_the_castings() -> None:
    for name, path in sources("core"):
        if not reaches({name}, "core.castings"):
            assert not reaches(imports(path), "core.castings"), name


def test_imports_flow_from_dashboard_to_bayesnet_to_core() -> None:
    for package, above in (("core", ("bayesnet", "dashboard")), ("bayesnet", ("dashboard",))):
        for name, path in sources(package):
            found = imports(path)
            for other in (*above, "streamlit", "tests"):
                assert not reaches(found, other), f"{name} imports {other}"


def test_only_the_weights_module_imports_pickle() -> None:
    unsafe = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
    users = {
        name
        for package in ("core", "bayesnet", "dashboard")
        for name, path in sources(package)
        if any(reaches(imports(path), module) for module in unsafe)
    }
    assert users == {"core.weights"}, users


def test_nothing_loads_pickles_through_torch_numpy_or_pandas() -> None:
    for package in ("core", "bayesnet", "dashboard"):
        for name, path in sources(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    where = f"{name}, line {node.lineno}: {called}"
                    assert called not in ("torch.load", "pd.read_pickle", "np.load"), where
                    keys = {keyword.arg for keyword in node.keywords}
                    assert "allow_pickle" not in keys, where
