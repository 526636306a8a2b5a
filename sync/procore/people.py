"""Reading Procore's Company Directory: all of it by the schedule, or one person before they decide.

The number of calls: one for 2,000 users, one for each permission template that one of them has, one for each
who was in the directory before and is not. For one person: two.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.exc import IntegrityError

from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreError
from sync.procore.models import User
from sync.procore.work import procore_of
from workflow import procore_people
from workflow.database import Database
from workflow.procore_people import Foreseen, ProcoreUser, TakenPeople
from workflow.settings import Settings
from workflow.tables import Person
from workflow.vocabulary import ErpPermission

CLICK_PATIENCE = timedelta(seconds=10)
"""How long a person who has clicked waits for Procore's limits."""

_LEVELS = {2: ErpPermission.READ_ONLY, 3: ErpPermission.STANDARD, 4: ErpPermission.ADMIN}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Directory:
    """Reads a company's directory into costbot's database; `tool` is ERP Integrations in a template."""

    database: Database
    api: ProcoreApi
    tool: str
    clock: Callable[[], datetime]
    _permissions: dict[int, ErpPermission] = field(default_factory=dict)

    def refresh(self) -> TakenPeople:
        """The whole directory.

        Raises:
            ProcoreError: nothing was changed.
        """
        # the age of what is known counts from before it was asked for
        at = self.clock()
        users = self._everybody()
        self._move(users, at=at)
        with self.database.writing() as session:
            return procore_people.take_all(session, users, at=at, now=self.clock())

    def foresee(self) -> Foreseen:
        """What `refresh` would do now; nothing is changed.

        Raises:
            ProcoreError: the directory cannot be read.
        """
        users = self._everybody()
        with self.database.reading() as session:
            return procore_people.foresee(session, users)

    def read_one(self, person_id: int) -> None:
        """What Procore has now of one person.

        Raises:
            ProcoreError: nothing was changed.
        """
        at = self.clock()
        with self.database.reading() as session:
            email = session.get_one(Person, person_id).email
            user_id = procore_people.user_of(session, person_id)
        user = self.api.user(user_id) if user_id is not None else self._by_email(email)
        taken = self._taken(user) if user else None
        if taken is not None:
            self._take_one(taken, at=at)
            return
        with self.database.writing() as session:
            procore_people.gone(session, person_id, at=at, now=self.clock())

    def read_user(self, user_id: int) -> bool:
        """What Procore has now of one of its users; whether anything about them is new.

        Raises:
            ProcoreError: nothing was changed.
        """
        at = self.clock()
        user = self.api.user(user_id)
        taken = self._taken(user) if user else None
        if taken is not None:
            return self._take_one(taken, at=at)
        with self.database.writing() as session:
            person_id = procore_people.person_of(session, user_id)
            return person_id is not None and procore_people.gone(session, person_id, at=at, now=self.clock())

    def _take_one(self, user: ProcoreUser, *, at: datetime) -> bool:
        self._move([user], at=at)
        with self.database.writing() as session:
            return procore_people.take_one(session, user, at=at, now=self.clock())

    def _move(self, users: Sequence[ProcoreUser], *, at: datetime) -> None:
        """Follow changes of e-mail."""
        with self.database.reading() as session:
            moving = procore_people.moving(session, users)
        for user in moving:
            with self.database.writing() as session:
                procore_people.move(session, user, at=at)

    def _everybody(self) -> list[ProcoreUser]:
        found = {user.id: user for user in self.api.users()}
        with self.database.reading() as session:
            missing = procore_people.active_users(session, but=found)
        for user_id in missing:
            # pages shift while they are read, so that one may be missed in them
            user = self.api.user(user_id)
            if user is not None:
                found[user_id] = user
        return [taken for user in found.values() if (taken := self._taken(user)) is not None]

    def _by_email(self, email: str) -> User | None:
        """Who has exactly this e-mail: a search finds names and companies that contain it too."""
        found = self.api.users(search=email)
        return next((user for user in found if (user.email_address or "").lower() == email), None)

    def _taken(self, user: User) -> ProcoreUser | None:
        if user.email_address is None:
            return None
        return ProcoreUser(
            user_id=user.id,
            email=user.email_address,
            name=user.name or user.email_address,
            permission=self._permission(user) if user.is_active else ErpPermission.NONE,
            can_push_to_accounting=bool(user.erp_integrated_accountant),
            active=user.is_active,
        )

    def _permission(self, user: User) -> ErpPermission:
        template = user.company_permission_template
        if template is None:
            return ErpPermission.NONE
        if template.id not in self._permissions:
            levels = self.api.permission_template(template.id).user_access_levels
            self._permissions[template.id] = _LEVELS.get(levels.get(self.tool) or 0, ErpPermission.NONE)
        return self._permissions[template.id]


def refresh_people(settings: Settings, database: Database, *, clock: Callable[[], datetime]) -> bool:
    """Read the whole directory; False when Procore is away, and the next run does it."""
    with procore_of(settings, database, clock=clock) as api:
        try:
            taken = Directory(database, api, settings.procore_erp_tool, clock).refresh()
        except (ProcoreError, IntegrityError) as error:
            _log.warning("Procore's directory cannot be read now; the next run does it", error=str(error))
            return False
    _log.info("Procore's directory was read", people=taken.people, changed=taken.changed, gone=taken.gone)
    return True


def know_person(
    settings: Settings, database: Database, person_id: int, *, clock: Callable[[], datetime] | None = None
) -> None:
    """Read one person anew where what is known is too old to decide by; never raises for Procore's sake.

    Whoever decides sees that it is still too old, and refuses.
    """
    clock = clock or _now
    with database.reading() as session:
        too_old = procore_people.is_too_old(session, person_id, at=clock(), rules=settings.rules)
    if not too_old:
        return
    try:
        with procore_of(settings, database, clock=clock, patience=CLICK_PATIENCE) as api:
            Directory(database, api, settings.procore_erp_tool, clock).read_one(person_id)
    except (ProcoreError, IntegrityError) as error:
        _log.warning("a person cannot be read from Procore now, and cannot decide", error=str(error))


def _now() -> datetime:
    return datetime.now(UTC)
