"""Who acts: passed to every service that writes, so that the audit log and permissions have one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.models import Role

if TYPE_CHECKING:
    from accounts.models import Team

RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, a token or the system, in one team. `address` is the remote IP address where there is one."""

    team: Team
    name: str
    role: Role
    address: str | None = None

    @property
    def person(self) -> str:
        """Who is behind it: the same for somebody's session and for every token of theirs."""
        return self.name.partition(":")[2].partition("/")[0]

    def may(self, role: Role) -> bool:
        """Whether this actor's role includes `role`."""
        return RANK[self.role] >= RANK[role]


def system(team: Team, part: str) -> Actor:
    """SolFlow itself: `part` is worker, listener, command or the like."""
    return Actor(team=team, name=f"system:{part}", role=Role.ADMIN)
