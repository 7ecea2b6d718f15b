"""Automated accessibility findings of a page, by axe-core: which are ours, which are Streamlit's.

axe-core comes inside the package axe-playwright-python; nothing is loaded from outside. Whatever is
not in `STREAMLITS_OWN` counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe

from tests.e2e.server import error_boxes

COUNTED = ("serious", "critical")
_INSIDE = """([target, selector]) => {
    const found = document.querySelector(target);
    return found !== null && found.closest(selector) !== null;
}"""


@dataclass(frozen=True, slots=True)
class Own:
    """A finding in what Streamlit or Plotly draws, which no setting of theirs changes.

    Attributes:
        rule: axe's.
        selector: the finding's element is this, or inside it.
        reason: why it stands.
    """

    rule: str
    selector: str
    reason: str


_SECTIONS = (
    "Streamlit draws the sections of its navigation as div inside ul; the links themselves are "
    "named and in order, and no setting of st.navigation changes it"
)
STREAMLITS_OWN = (
    Own("list", "[data-testid=stSidebarNavItems]", _SECTIONS),
    Own("listitem", "[data-testid=stSidebarNavItems]", _SECTIONS),
    Own(
        "color-contrast",
        "[data-testid=stSliderThumbValue]",
        "Streamlit writes a slider's value in primaryColor, which is also under the white text of "
        "buttons: on the dark page no colour reaches 4.5 against both; the aria value says "
        "the same",
    ),
    Own(
        "scrollable-region-focusable",
        "[data-testid=stTable]",
        "Streamlit lets a table that is wider than a phone scroll sideways and gives no setting to "
        "make it a stop of Tab; on screens with a keyboard it is not wider than its place",
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One element that breaks a rule.

    Attributes:
        rule, impact: axe's; target: a selector of the element; html: its beginning.
        told: what axe says.
        own: the entry of `STREAMLITS_OWN` that it falls under, None where it is ours.
    """

    rule: str
    impact: str
    target: str
    html: str
    told: str
    own: Own | None

    def __str__(self) -> str:
        return f"{self.rule} ({self.impact}) at {self.target}: {self.told}\n    {self.html}"


def findings(page, known: Iterable[Own] = STREAMLITS_OWN) -> list[Finding]:
    """Return the serious and critical findings of an open page."""
    found = []
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] not in COUNTED:
            continue
        rule = violation["id"]
        for node in violation["nodes"]:
            target = str(node["target"][0])
            own = next(
                (
                    one
                    for one in known
                    if one.rule == rule and page.evaluate(_INSIDE, [target, one.selector])
                ),
                None,
            )
            told = " ".join(node["failureSummary"].split())
            found.append(
                Finding(rule, violation["impact"], target, node["html"][:200], told[:300], own)
            )
    return found


def sound(page) -> None:
    """Check that a page shows no error and that axe finds nothing serious of ours on it."""
    assert not error_boxes(page)
    ours = [str(finding) for finding in findings(page) if finding.own is None]
    assert not ours, "\n".join(ours)
