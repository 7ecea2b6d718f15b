"""Questions to the network that no form asks."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from bayesnet.demands import Demand, parse_demand
from bayesnet.evidence import check_evidence
from bayesnet.inference import posterior
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.network import Network
from bayesnet.query import judge, most_probable, sample_latents
from tests.bayesnet.simulator import simulate
from tests.hostile.case import Case, equal

KIND = "queries"


@cache
def network() -> Network:
    """Return a small network, fitted once in the process."""
    table = simulate(specimens=24, dimensions=6, patches=8, dead=1)
    return fit_network(table, NetworkConfig(regimes=(1,), factors=(2,), folds=3))


def _case(name: str, read: Any, says: str, **more: Any) -> Case:
    return Case(
        name=name, category=KIND, make=lambda folder: network(), read=read, says=says, **more
    )


def _demands() -> Iterator[Case]:
    wrong: dict[str, tuple[Any, str]] = {
        "nothing": (None, "not a number"),
        "a word": ("strong", "not a number"),
        "an empty text": ("", "not a number"),
        "a formula": ("=1+1", "not a number"),
        "code": ("__import__('os')", "not a number"),
        "true": (True, "not a number"),
        "numpy's true": (np.True_, "not a number"),
        "bytes": (b"430", "not a number"),
        "a complex number": (1 + 2j, "not a number"),
        "an object": ({"low": 1}, "not a number"),
        "NaN": (float("nan"), "not a finite"),
        "infinity": ("inf", "not a finite"),
        "a number of 400 digits": (10**400, "not a number"),
        "more than anything has": (1e300, "beyond 1e\\+12"),
        "less than anything has": (-1e13, "beyond 1e\\+12"),
        "a pair of words": (("a", "b"), "not a number"),
        "a pair the wrong way round": ((500, 400), "is above upper limit"),
        "a pair of three": ((1, 2, 3), "are a pair"),
        "an empty pair": ((), "are a pair"),
        "a list of a million": ([0] * 10**6, "are a pair"),
        "a pair with NaN": ((float("nan"), None), "not a finite"),
        "a text of a MiB": ("9x" * 2**19, "not a number"),
        "a script": ("<script>alert(1)</script>", "not a number"),
    }
    for what, (wish, says) in wrong.items():
        yield _case(f"asked for {what}", lambda _, w=wish: parse_demand(w, "uts_mpa"), says)
        yield _case(
            f"a network asked for {what}", lambda n, w=wish: most_probable(n, {"uts_mpa": w}), says
        )
    yield _case(
        "a text of digits is a number",
        lambda _: parse_demand("430", "uts_mpa"),
        "",
        right=equal(Demand(430.0, 430.0)),
    )


def _questions() -> Iterator[Case]:
    asked = {"uts_mpa": 400.0}
    wrong: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
        "nothing": ({}, {}, "no target"),
        "an unknown property": ({"x": 1.0}, {}, "unknown property 'x'"),
        "a setting as a property": ({"mg_wt": 0.04}, {}, "unknown property"),
        "a property of a MiB": ({"x" * 2**20: 1.0}, {}, "unknown property"),
        "an unknown setting": (asked, {"x": 1.0}, "unknown process setting"),
        "a property as a setting": (asked, {"uts_mpa": 1.0}, "unknown process setting"),
        "a setting as high as possible": (asked, {"mg_wt": "highest"}, "a number or a pair"),
        "a setting far outside": (asked, {"mg_wt": 1e9}, "outside the range of the data"),
        "limits far outside": (asked, {"mg_wt": (1e9, 1e10)}, "outside the range"),
        "a setting of a word": (asked, {"mg_wt": "much"}, "not a number"),
        "a strength below 0": ({"uts_mpa": -1.0}, {}, "must be positive"),
        "an open pair": ({"uts_mpa": (None, None)}, {}, "neither a lower nor an upper"),
    }
    for what, (targets, process, says) in wrong.items():
        yield _case(
            f"evidence: {what}", lambda n, t=targets, p=process: check_evidence(n, t, p), says
        )
    impossible = {"uts_mpa": 1e12, "ys_mpa": 1e-12}

    def verdict(found: Any) -> None:
        assert found.verdict == "infeasible", found

    def inside(found: Any) -> None:
        values = [*found.latents, *(e.value for e in found.process.values())]
        assert np.isfinite(values).all() and found.feasibility.verdict == "infeasible"

    yield _case(
        "strengths beyond all metals, judged", lambda n: judge(n, impossible), "", right=verdict
    )
    yield _case(
        "strengths beyond all metals, answered",
        lambda n: most_probable(n, impossible),
        "",
        right=inside,
    )
    yield _case(
        "a strength of almost 0", lambda n: judge(n, {"uts_mpa": 1e-300}), "nearer to 0 than"
    )
    yield _case("no sample", lambda n: sample_latents(n, asked, {}, 0, 0), "at least one sample")
    yield _case(
        "less than no sample", lambda n: sample_latents(n, asked, {}, -5, 0), "at least one"
    )
    for what, evidence in {
        "an unknown node": {"z999": 1.0},
        "a node named by a script": {"<script>": 1.0},
        "hidden causes": {"u1": 1.0},
    }.items():
        yield _case(f"belief: {what}", lambda n, e=evidence: posterior(n, e), "unknown quantity")
    yield _case(
        "belief: a latent beyond all",
        lambda n: posterior(n, {"z0": 1e9}),
        "holds this for impossible",
    )
    yield _case(
        "belief: strengths beyond all",
        lambda n: posterior(n, {"uts_mpa": 1e12}),
        "holds this for impossible",
    )
    yield _case(
        "belief: contradicting strengths",
        lambda n: posterior(n, {"uts_mpa": 1.0, "ys_mpa": 900.0}),
        "holds this for impossible",
    )


CASES = (*_demands(), *_questions())
