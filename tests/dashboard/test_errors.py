"""Ours are shown as they are, all others logged and shown as an id."""

import logging
import re

from streamlit.testing.v1 import AppTest

from dashboard.errors import escape


def ours():
    from core.errors import InputError
    from dashboard import errors

    with errors.shown("a_b.png: "):
        raise InputError("the file is *empty*")


def defect():
    from dashboard import errors

    with errors.shown():
        raise ZeroDivisionError("secret detail")


def stopped():
    import streamlit as st

    from dashboard import errors

    with errors.shown():
        st.stop()


def in_a_callback():
    from core.errors import InputError
    from dashboard import errors

    assert errors.unexpected(ZeroDivisionError("secret detail"))
    assert errors.unexpected(InputError("the file is *empty*"))


def test_what_fails_in_a_callback_is_shown_by_its_number_or_in_our_words(caplog):
    with caplog.at_level(logging.ERROR):
        app = AppTest.from_function(in_a_callback).run()
    defect, ours = (box.value for box in app.error)
    number = re.search(r"error ([0-9a-f]{8})", defect).group(1)
    assert "secret detail" not in defect and "ZeroDivisionError: secret detail" in caplog.text
    assert number in caplog.text and not app.exception
    assert ours == r"the file is \*empty\*"


def test_our_errors_are_shown_literally():
    app = AppTest.from_function(ours).run()
    assert app.error[0].value == r"a\_b.png\: the file is \*empty\*"


def test_a_defect_is_logged_and_shown_as_its_id(caplog):
    with caplog.at_level(logging.ERROR):
        app = AppTest.from_function(defect).run()
    shown = app.error[0].value
    number = re.search(r"error ([0-9a-f]{8})", shown).group(1)
    assert "secret detail" not in shown
    assert number in caplog.text
    assert "ZeroDivisionError: secret detail" in caplog.text


def test_streamlit_can_still_stop_a_page():
    app = AppTest.from_function(stopped).run()
    assert not app.error
    assert not app.exception


def test_markdown_in_messages_is_escaped():
    assert escape("[x](y) $a$ :red[b]") == r"\[x\](y) \$a\$ \:red\[b\]"
