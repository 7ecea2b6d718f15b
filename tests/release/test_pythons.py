"""The code reads on every declared Python: nothing newer than 3.11, nothing that 3.13 took out."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for top in ("core", "bayesnet", "dashboard", "tests")
    for path in sorted((ROOT / top).rglob("*.py"))
}
# Removed in 3.12 (PEP 632 and others) and 3.13 (PEP 594).
GONE = {
    "aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils",
    "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes",
    "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib",
}  # fmt: skip
# Deprecated or removed up to 3.13, called as module.name; a warning is an error in our tests.
DEPRECATED = {
    ("datetime", "utcnow"), ("datetime", "utcfromtimestamp"), ("pkgutil", "find_loader"),
    ("locale", "getdefaultlocale"), ("locale", "resetlocale"), ("tarfile", "extractall"),
    ("unittest", "makeSuite"), ("typing", "ByteString"), ("inspect", "getargspec"),
    ("os", "popen2"), ("shutil", "rmtree_onerror"), ("np", "trapz"), ("np", "in1d"),
}  # fmt: skip


def imported(tree: ast.AST) -> set[str]:
    """The top-level modules that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_source_reads_with_the_grammar_of_3_11():
    assert len(SOURCES) > 400
    for name, text in SOURCES.items():
        ast.parse(text, name, feature_version=(3, 11))


def test_nothing_is_imported_that_a_newer_python_took_out():
    assert imported(ast.parse("import imp.x\nfrom distutils import y")) == {"imp", "distutils"}
    used = {name: imported(ast.parse(text)) & GONE for name, text in SOURCES.items()}
    assert {name: gone for name, gone in used.items() if gone} == {}


def test_nothing_is_called_that_a_newer_python_warns_of():
    found = [
        (name, node.value.id, node.attr)
        for name, text in SOURCES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in DEPRECATED
    ]  # fmt: skip
    assert found == []
