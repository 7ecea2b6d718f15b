"""What visitors may do: said on the pages, and refused by the functions behind them."""

import ast
from pathlib import Path

import pytest

from bayesnet import library
from core.errors import NotAllowedError
from core.workspace import workspace
from dashboard import data_session, fitting, permission, saved_designs, training_actions, uploads
from dashboard import training_form as form
from tests.dashboard.conftest import sound, texts

DASHBOARD = Path(permission.__file__).parent
ACTIONS = tuple(permission.WHAT)
GUARDED = {
    "save": [saved_designs.save],
    "change": [saved_designs.set_note, saved_designs.delete],
    "fit": [fitting.fit_anew, fitting.reset_fit],
    "import": [data_session.make],
    "train": [
        training_actions.submit,
        training_actions.stop,
        training_actions.resume,
        training_actions.remove,
        form.measure,
    ],
}
# What changes something that outlasts the session, by the last part of its name.
WRITERS = {"save_design", "set_note", "delete_design", "write_dataset", "fit_network"}
WRITERS |= {"unlink", "mkdir", "rmdir", "rmtree", "rename", "touch"}
WRITERS |= {"replace_folder", "replace_fit", "remove_folder"}
WRITERS |= {"write_bytes", "write_text", "write_json", "save_latents", "save_model", "Popen"}
QUEUE = {"submit", "stop", "resume", "remove"}


@pytest.fixture(params=["read-only", "reachable"])
def closed(request, monkeypatch) -> str:
    """A server that is read-only, though training is on, or one that others reach."""
    if request.param == "read-only":
        monkeypatch.setenv(permission.READ_ONLY, "on")
        monkeypatch.setenv(permission.VARIABLE, "on")
    else:
        monkeypatch.delenv(permission.VARIABLE)
        monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0")
    return request.param


def kept() -> list[Path]:
    return sorted(workspace().rglob("*"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("", False), ("off", False), ("0", False), ("on", True), ("yess", True), ("read", True)],
)
def test_any_word_but_off_makes_the_server_read_only(given, expected, monkeypatch):
    monkeypatch.setenv(permission.READ_ONLY, given)
    assert permission.read_only() is expected
    assert [permission.may(action) for action in ACTIONS] == [not expected] * len(ACTIONS)


def test_where_others_reach_the_server_they_may_save_and_nothing_else(monkeypatch):
    monkeypatch.delenv(permission.VARIABLE)
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0")
    assert [action for action in ACTIONS if permission.may(action)] == ["save"]
    monkeypatch.setenv(permission.VARIABLE, "on")
    assert all(permission.may(action) for action in ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_functions_behind_the_pages_refuse(action, closed):
    if closed == "reachable" and action == "save":
        assert permission.may("save")
        return
    assert GUARDED[action]
    for function in GUARDED[action]:
        with pytest.raises(NotAllowedError, match="turned off"):
            function(*[None] * function.__wrapped__.__code__.co_argcount)
    assert kept() == []


def writers_in(tree: ast.AST) -> list[tuple[str, bool]]:
    """Return the writing calls of a module, and whether each is inside a guarded function."""
    found = []

    def visit(node: ast.AST, guarded: bool) -> None:
        if isinstance(node, ast.FunctionDef):
            names = [d.func for d in node.decorator_list if isinstance(d, ast.Call)]
            guarded = guarded or any(isinstance(n, ast.Name) and n.id == "needs" for n in names)
        if isinstance(node, ast.Call):
            of = node.func
            name = of.attr if isinstance(of, ast.Attribute) else getattr(of, "id", "")
            on = of.value.id if isinstance(of, ast.Attribute) and hasattr(of.value, "id") else ""
            saves = name == "save" and on in ("network", "fitted", "properties", "table")
            runs = (name, on) == ("run", "subprocess")
            writes = name in WRITERS and on != "saved_designs"  # which is guarded itself
            if writes or saves or runs or (on == "queue" and name in QUEUE):
                found.append((f"{on}.{name}", guarded))
        for child in ast.iter_child_nodes(node):
            visit(child, guarded)

    visit(tree, False)
    return found


def test_nothing_in_the_dashboard_writes_outside_a_guarded_function():
    found = {
        (path.relative_to(DASHBOARD).as_posix(), name): guarded
        for path in DASHBOARD.rglob("*.py")
        for name, guarded in writers_in(ast.parse(path.read_text("utf-8")))
    }
    assert {("fitting.py", ".replace_fit"), ("training_actions.py", "queue.stop")} <= set(found)
    assert [where for where, guarded in found.items() if not guarded] == []


@pytest.mark.parametrize("page", ["data", "training"])
def test_pages_that_only_write_say_why_they_are_off(page, closed, open_page):
    app = sound(open_page(page))
    said = texts(app)
    offered = [b.key for b in app.button if b.key != "guide_open"]
    assert "turned off" in said and not offered and not app.file_uploader
    assert ("read-only" in said) is (closed == "read-only")


def test_fitting_anew_is_not_offered(with_model, closed, open_page):
    app = sound(open_page("network"))
    assert "Fitting the network anew is turned off" in texts(app)
    assert not [b for b in app.button if b.key in ("network_fit", "network_reset")]
    assert kept() == []


def test_an_old_tab_of_the_network_page_cannot_fit(with_model, open_page, monkeypatch):
    app = sound(open_page("network"))
    button = app.button(key="network_fit")
    monkeypatch.setenv(permission.READ_ONLY, "on")
    app = sound(button.click().run())
    assert "turned off" in texts(app) and kept() == []


def test_a_read_only_server_saves_no_design(with_model, open_page, monkeypatch):
    monkeypatch.setenv(permission.READ_ONLY, "on")
    app = sound(open_page(size="256"))
    assert "Saving designs is turned off: this server is read-only" in texts(app)
    assert "design_note" not in [area.key for area in app.text_area]
    assert kept() == []


def test_saved_designs_can_be_seen_and_not_deleted(with_model, open_page, monkeypatch):
    app = sound(open_page(size="256"))
    sound(app.button(key="design_save_submit").click().run())
    before = kept()
    ((saved,), _) = library.list_designs(saved_designs.folder())
    old_tab = open_page("library")
    old_tab.session_state["library_deleting"] = saved.id
    old_tab.run()
    monkeypatch.setenv(permission.READ_ONLY, "on")
    app = sound(open_page("library"))
    assert app.button(key=f"library_delete_{saved.id}").disabled
    assert app.button(key=f"library_keep_{saved.id}").disabled
    assert "read-only" in texts(app) and len(app.get("image")) == 1
    old_tab.button(key=f"library_really_{saved.id}").click().run()
    assert "turned off" in old_tab.error[0].value
    assert kept() == before


def test_a_full_library_takes_no_more(monkeypatch):
    (saved_designs.folder() / "one").mkdir(parents=True)
    monkeypatch.setattr(saved_designs, "MOST", 1)
    with pytest.raises(saved_designs.InputError, match="library is full: it holds 1 designs"):
        saved_designs.save(None, None, "")


def test_uploads_that_are_too_much_together_are_refused(monkeypatch):
    class File:
        size = 2**20

    monkeypatch.setattr(uploads, "MAX_TOTAL_MIB", 2)
    uploads.check_total([File(), File()])
    with pytest.raises(uploads.InputError, match="3 files are 3 MiB together; at most 2 MiB"):
        uploads.check_total([File()] * 3)
