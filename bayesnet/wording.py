"""What is asked of a quantity, and how far a value is from it, as people read them."""

from bayesnet.demands import Wish, parse_demand
from core.wording import difference, exact, limit


def wished(wish: Wish, unit: str) -> str:
    """Return in words what was asked of a quantity.

    >>> wished(430.0, "MPa"), wished((250.0, None), "MPa"), wished("highest", "MPa")
    ('430 MPa', 'at least 250 MPa', 'as high as possible')
    """
    if isinstance(wish, str):
        return f"as {'high' if wish == 'highest' else 'low'} as possible"
    if isinstance(wish, (tuple, list)):
        low, high = wish
        return exact(low, unit) if low == high and low is not None else limit(low, high, unit)
    return exact(wish, unit)


def shortfall(value: float, wish: Wish, unit: str) -> str:
    """Return how far a value is from what was asked, "within" where it meets a range or limit.

    >>> shortfall(445.0, 430.0, "MPa"), shortfall(240.0, (250.0, None), "MPa")
    ('+15 MPa (+3.5 %)', '−10 MPa (−4.0 %)')
    >>> shortfall(260.0, (250.0, None), "MPa")
    'within'
    """
    demand = parse_demand(wish, "")
    if demand.fixed:
        return difference(value, demand.low, unit)
    if demand.low <= value <= demand.high:
        return "within"
    return difference(value, demand.low if value < demand.low else demand.high, unit)
