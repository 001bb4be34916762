"""What a gateway is to be told: shares of a family's requests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from registry.errors import RegistryError

WHOLE = 10_000  # basis points


class Inexpressible(RegistryError):
    """The format has no words for this family's traffic."""

    code = "inexpressible"
    title = "This format cannot say it"
    status = 409


@dataclass(frozen=True, slots=True)
class Share:
    """One version's part of the requests."""

    model_id: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class Desired:
    """One family's traffic as of a revision."""

    family: str
    revision: int
    salt: str
    shares: tuple[Share, ...]  # canaries first
    production: str | None = None  # its model_id
    newest: str | None = None  # whose turn to enter traffic came last, serving or not

    @property
    def rest(self) -> int:
        """Basis points that no version has."""
        return WHOLE - sum(share.basis_points for share in self.shares)


def percents(basis_points: Mapping[str, int]) -> dict[str, int]:
    """Whole percents that sum to 100, by largest remainder; of equal remainders the first.

    Args:
        basis_points: Shares by name, which sum to 10,000.

    Raises:
        Inexpressible: A share would become nothing.
    """
    found = {name: points // 100 for name, points in basis_points.items()}
    missing = 100 - sum(found.values())
    by_remainder = sorted(basis_points, key=lambda name: -(basis_points[name] % 100))
    for name in by_remainder[:missing]:
        found[name] += 1
    for name, points in basis_points.items():
        if points and not found[name]:
            raise Inexpressible(
                f"{points / 100:g} % for {name} is nothing in whole percents; choose a larger share, "
                "or httproute, nginx or seldon, which are exact."
            )
    return found
