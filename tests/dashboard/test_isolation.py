"""Nothing of one session shows in another, and no upload becomes a path."""

import ast
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from core.workspace import workspace
from dashboard import caching, permission, places
from tests.dashboard.conftest import sound, texts
from tests.dashboard.test_pages import picture

DASHBOARD = Path(permission.__file__).parent
MODULES = {p.relative_to(DASHBOARD).as_posix(): p for p in sorted(DASHBOARD.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}
# Caches that all sessions share, and what they are keyed by: models, requests, data sets. A new one
# is added here by whoever has made sure that no upload gets into it.
SHARED = {
    "beliefs._ask", "data_found._hash", "data_session._load", "decoding._prior_samples",
    "decoding._reconstruct", "design_map._region", "designs._design", "designs._design_samples",
    "designs._explanation", "designs._next_tests", "designs._propose", "designs._refined",
    "latent_effects._load", "latent_maps._descriptors", "latent_maps._path",
    "latent_maps._projection", "measured_back._measured", "linkage._fitted_again",
    "linkage._of_patches", "linkage._tables", "linkage._unseen", "originals._drawn",
    "originals._measured", "originals._patch", "originals._planned", "state._examples",
    "state._latents", "state._load", "state._network", "saved_designs._thumbnail",
    "specimen_pictures._field", "state._properties", "state._reference", "state.lock",
    "training_form._sizes",
}  # fmt: skip
OF_UPLOADS = {
    "data_report._cropped", "decoding._traverse", "evaluations._evaluate",
    "evaluations._similarity", "measurements._measure",
    "measurements._structure",
}  # fmt: skip
BY_SIZE = {"evaluations.read"}  # on a shelf of the session's own (`caching.kept_by_size`)
CHANGING = {"append", "add", "update", "setdefault", "pop", "clear", "extend", "insert", "remove"}


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def decorated(word: str) -> dict[str, ast.FunctionDef]:
    """Functions with a decorator of this name: module.function -> its code."""
    return {
        f"{name.removesuffix('.py')}.{function.name}": function
        for name, tree in TREES.items()
        for function in functions(tree)
        if any(word in ast.unparse(decorator) for decorator in function.decorator_list)
    }


def test_every_cache_is_known_and_those_of_uploads_belong_to_a_session():
    assert set(decorated("st.cache_")) == SHARED
    assert set(decorated("kept(")) == OF_UPLOADS
    asking = {
        f"{name.removesuffix('.py')}.{function.name}"
        for name, tree in TREES.items()
        for function in functions(tree)
        if "kept_by_size(" in ast.unparse(function.body)
    }
    assert asking == BY_SIZE
    bare = [name for name, tree in TREES.items() if "st.cache_" in ast.unparse(tree)]
    assert {f"{name.removesuffix('.py')}" for name in bare} == {
        *(one.split(".")[0] for one in SHARED), "caching",
    }  # fmt: skip


def test_no_shared_cache_takes_an_upload_or_reads_a_session():
    for name, function in decorated("st.cache_").items():
        taken = {argument.arg.strip("_") for argument in function.args.args}
        assert not taken & {"data", "micrograph", "file", "files", "upload", "job"} or name in (
            "training_form._sizes",  # `_data` is a data set of the workspace
        ), name
        assert "session_state" not in ast.unparse(function), name


def test_no_module_keeps_what_a_session_gives_it():
    for name, tree in TREES.items():
        if not isinstance(tree, ast.Module) or name.startswith("views/") or name == "main.py":
            continue  # pages run anew, with names of their own, for every session
        held = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        for function in functions(tree):
            own = {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
            own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and
                    isinstance(n.ctx, ast.Store)}  # fmt: skip
            for node in ast.walk(function):
                assert not isinstance(node, ast.Global), f"{name}: {function.name}"
                changed = None
                if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
                    changed = node.value
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    changed = node.func.value if node.func.attr in CHANGING else None
                if isinstance(changed, ast.Name):
                    assert changed.id not in held - own, f"{name}: {function.name} {changed.id}"


def test_what_comes_of_an_upload_is_found_by_its_own_session_only(monkeypatch):
    calls, session = [], ["a"]
    monkeypatch.setattr(
        "streamlit.runtime.caching.cache_data_api.get_session_id_or_throw", lambda: session[0]
    )

    @caching.kept(2)
    def measured(key: str, _pixels: object) -> str:
        calls.append((session[0], key))
        return f"{key} of {session[0]}"

    assert measured("same picture", 1, own=True) == "same picture of a"
    assert measured("same picture", 1, own=True) == "same picture of a"
    session[0] = "b"
    assert measured("same picture", 1, own=True) == "same picture of b"
    assert calls == [("a", "same picture"), ("b", "same picture")]
    assert measured("example", 1, own=False) == "example of b"
    session[0] = "c"
    assert measured("example", 1, own=False) == "example of b", "computed once for all"


def test_what_is_kept_by_size_is_found_by_its_own_session_only(monkeypatch):
    sessions = {"a": {}, "b": {}}
    made = []

    def ask(session: str) -> str:
        monkeypatch.setattr(caching.st, "session_state", sessions[session])
        return caching.kept_by_size(
            "same picture", lambda: made.append(session) or f"of {session}", len
        )

    assert [ask("a"), ask("a"), ask("b"), ask("a")] == ["of a", "of a", "of b", "of a"]
    assert made == ["a", "b"]


def everything(app) -> str:
    """All that is sent to the browser, and what the session keeps."""
    sent = [str(getattr(node, "proto", "")) for node in app._tree]
    return "\n".join(sent) + str(app.session_state) + str(dict(app.query_params))


def evaluate(open_page, name: str):
    app = open_page("evaluate")
    app.file_uploader(key="evaluate_files").set_value([(name, PICTURE, "image/png")])
    app.number_input(key="evaluate_um_per_px").set_value(1.0)
    return sound(app.button(key="evaluate_submit").click().run())


def batch(open_page, name: str):
    app = open_page("batch")
    app.file_uploader(key="batch_files").set_value([(name, PICTURE, "image/png")])
    app.selectbox(key="batch_measured_reference").set_value("nothing")
    return sound(app.button(key="batch_submit").click().run())


def import_data(open_page, name: str):
    app = open_page("data")
    app.file_uploader(key="data_files_0").upload(name, PICTURE, "image/png")
    return app.run()


PICTURE = picture(160, 7)


@pytest.mark.parametrize("send", [evaluate, batch, import_data])
def test_a_session_sees_nothing_of_another(send, with_model, open_page):
    first = send(open_page, "alpha_alloy.png")
    assert "alpha_alloy" in everything(first)
    for page in ("evaluate", "batch", "data", "library", "models"):
        assert "alpha" not in everything(sound(open_page(page))), page
    second = send(open_page, "beta_alloy.png")
    assert "beta_alloy" in everything(second) and "alpha" not in everything(second)
    assert "beta" not in everything(first.run())


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Names of all files opened meanwhile; temporary ones go into an empty folder."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    names, watching = [], [True]

    def watch(event, arguments):
        if watching and event == "open":
            names.append(str(arguments[0]))

    sys.addaudithook(watch)  # for as long as the process lives, idle after the test
    yield names
    watching.clear()


@pytest.mark.parametrize("send", [evaluate, batch, import_data])
@pytest.mark.parametrize("name", ["../../marker_q7.png", "/etc/marker_q7.png", "C:\\marker_q7.png"])
def test_no_name_of_an_upload_is_opened_and_nothing_is_left(
    send, name, with_model, open_page, opened, tmp_path
):
    send(open_page, name)
    assert opened, "the watch works"
    assert [path for path in opened if "marker_q7" in path] == []
    assert list((tmp_path / "temporary").rglob("*")) == []
    assert not workspace().exists() or [p for p in workspace().rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("page", ["evaluate", "batch", "network", "structure_property", "data"])
def test_pages_do_not_say_where_the_server_keeps_its_files(
    page, tiny_model, tmp_path, open_page, monkeypatch
):
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    for part in ("network.json", "properties.json", "reference.json"):
        (folder / part).write_text("{") if part == "network.json" else (folder / part).unlink()
    monkeypatch.setattr(places, "ROOT", tmp_path)
    said = texts(open_page(page))
    assert str(tmp_path) not in said and str(Path.home()) not in said.replace("~", "")
    if page in ("evaluate", "structure_property"):
        assert "--model assets/reference" in said


def test_folders_are_shown_by_short_names(monkeypatch, tmp_path):
    monkeypatch.setattr(places, "ROOT", Path("/srv/micro"))
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", "/data/lab")
    assert places.shown("/srv/micro/assets/reference") == "assets/reference"
    assert (
        places.shown("/data/lab/models/x is damaged")
        == "$MICRODESIGN_WORKSPACE/models/x is damaged"
    )
    assert places.shown("in /home/somebody/.cache/w") == "in ~/.cache/w"
    assert places.shown("at /srv/micro") == "at ."
    assert places.shown("not in '/data/lab'. Make it") == "not in '$MICRODESIGN_WORKSPACE'. Make it"
    assert places.shown("file:///srv/micro/a:/data/lab/b") == "file://a:$MICRODESIGN_WORKSPACE/b"
    assert places.shown("my/data/lab and /data/labour") == "my/data/lab and /data/labour"
    monkeypatch.delenv("MICRODESIGN_WORKSPACE")
    monkeypatch.setattr(places, "workspace", lambda: Path("/srv/micro/workspace"))
    assert places.shown(Path("/srv/micro/workspace/latents/NAME")) == "workspace/latents/NAME"
    assert places.shown("0.5 mm/s and a/b") == "0.5 mm/s and a/b"
