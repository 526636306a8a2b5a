"""The closed lists of costbot's words: states, outcomes, audit events, refusals.

Owns every value that is stored, exported or counted by name. Words for people are elsewhere.
"""

from enum import StrEnum


class State(StrEnum):
    """The state of a requested update (the arrows are the functions of `workflow/`)."""

    READY = "ready"
    ACCEPTED = "accepted"
    EXPORTED = "exported"
    SYNCED = "synced"
    FAILED = "failed"
    REJECTED = "rejected"
    EXPIRED = "expired"


TURNED_DOWN = (State.REJECTED, State.EXPIRED)
"""The states in which nothing went to Sage, and whose lines may be asked for again."""


class Standing(StrEnum):
    """How an assignment compares with what Sage holds for the job."""

    NEW_CODE = "new_code"
    NEW_CATEGORY = "new_category"
    IN_SAGE = "in_sage"


class Outcome(StrEnum):
    """What became of an assignment in Sage, as read back."""

    CREATED = "created"
    TIED = "tied"
    ALREADY_THERE = "already_there"
    FAILED = "failed"


class Severity(StrEnum):
    """What a finding of the checks does to the Update: stops it, or is only said."""

    REFUSE = "refuse"
    WARN = "warn"


class Rule(StrEnum):
    """The checks before Update, by name (`workflow/checks.py` has the rules)."""

    JOB_LENGTH = "job_length"
    JOB_FORMAT = "job_format"
    JOB_UNKNOWN = "job_unknown"
    EXTRA_LENGTH = "extra_length"
    EXTRA_UNKNOWN = "extra_unknown"
    CODE_LENGTH = "code_length"
    CODE_FORMAT = "code_format"
    CODE_NOT_STANDARD = "code_not_standard"
    CODE_TWIN = "code_twin"
    PARENT_MISSING = "parent_missing"
    DESCRIPTION_LENGTH = "description_length"
    DESCRIPTION_DIFFERS = "description_differs"
    CATEGORY_LENGTH = "category_length"
    CATEGORY_UNKNOWN = "category_unknown"
    ENCODING = "encoding"


class Difference(StrEnum):
    """How Sage differs from what was asked for, seen after the fact."""

    MISSING = "missing"
    CATEGORY_MISSING = "category_missing"
    OTHER_DESCRIPTION = "other_description"


class Verdict(StrEnum):
    """How an assignment differs between Procore, costbot and Sage (`workflow/comparison.py`)."""

    WAITS_FOR_APPROVER = "waits_for_approver"
    WAITS_FOR_DATA_SYNC = "waits_for_data_sync"
    WAITS_FOR_IMPORT = "waits_for_import"
    FAILED = "failed"
    WAITS_FOR_READ_BACK = "waits_for_read_back"
    CANNOT_BE_ASKED_FOR = "cannot_be_asked_for"
    REJECTED = "rejected"
    EXPIRED = "expired"
    NOT_ASKED_FOR = "not_asked_for"
    MISSING_IN_SAGE = "missing_in_sage"
    REMOVED_IN_PROCORE = "removed_in_procore"
    NOT_IN_PROCORE = "not_in_procore"
    OTHER_DESCRIPTION = "other_description"
    PROCORE_REFUSED = "procore_refused"
    PROCORE_NOT_TOLD = "procore_not_told"
    NO_ERP_ID = "no_erp_id"


class SyncState(StrEnum):
    """The state of one data sync: claimed, planned, sent to Sage, read back."""

    CLAIMED = "claimed"
    PLANNED = "planned"
    SENT = "sent"
    FINISHED = "finished"


class HoldKind(StrEnum):
    """What may wait for a job's cost codes.

    The first four are Procore's rule (contracts and contract change orders); newer manuals widen
    it to every export, which `COSTBOT_HOLD_EVERY_EXPORT` follows.
    """

    COMMITMENT = "commitment"
    COMMITMENT_CHANGE_ORDER = "commitment_change_order"
    PRIME_CONTRACT = "prime_contract"
    PRIME_CONTRACT_CHANGE_ORDER = "prime_contract_change_order"
    BUDGET = "budget"
    DIRECT_COST = "direct_cost"
    INVOICE = "invoice"

    @property
    def is_contract(self) -> bool:
        return self not in (HoldKind.BUDGET, HoldKind.DIRECT_COST, HoldKind.INVOICE)

    @property
    def is_change_order(self) -> bool:
        return self in (HoldKind.COMMITMENT_CHANGE_ORDER, HoldKind.PRIME_CONTRACT_CHANGE_ORDER)


class ErpPermission(StrEnum):
    """A person's permission level on Procore's company ERP Integrations tool."""

    NONE = "none"
    READ_ONLY = "read_only"
    STANDARD = "standard"
    ADMIN = "admin"


class ErpAnswer(StrEnum):
    """How an ERP request of Procore is closed: the states of an ERP Request Detail, in Procore's words.

    `stale`: a newer request of the same job is answered in its place.
    """

    SUCCESS = "success"
    FAILED = "failed"
    REJECTED = "rejected"
    STALE = "stale"


class Place(StrEnum):
    """Where an act came from."""

    SLACK = "Slack"
    COMMAND_LINE = "command line"
    SCHEDULE = "schedule"
    PROCORE = "Procore"


class Refusal(StrEnum):
    """Why a rule said no."""

    NO_MATCHING_PERSON = "no_matching_person"
    PERMISSION_TOO_LOW = "permission_too_low"
    PRIVILEGE_MISSING = "privilege_missing"
    DEACTIVATED = "deactivated"
    COULD_NOT_FIND_OUT = "could_not_find_out"
    NOT_KNOWN_NOW = "not_known_now"
    FROM_OUTSIDE = "from_outside"
    OWN_REQUEST = "own_request"
    SECOND_APPROVER_NEEDED = "second_approver_needed"
    NOT_READY = "not_ready"
    NOT_ACCEPTED = "not_accepted"
    NOT_FAILED = "not_failed"
    ALREADY_GOING_OUT = "already_going_out"
    COMMENT_MISSING = "comment_missing"
    SAGE_WOULD_REFUSE = "sage_would_refuse"
    NOT_TURNED_DOWN = "not_turned_down"
    CANNOT_STAND_IN = "cannot_stand_in"
    NOT_ADMINISTRATOR = "not_administrator"
    OWN_PRIVILEGE = "own_privilege"


class PrivilegeAnswer(StrEnum):
    """What an administrator answered who was asked for the privilege.

    `granted`: costbot's directory was changed; `done`: an administrator says that it was done where the
    directory comes from.
    """

    GRANTED = "granted"
    DONE = "done"
    DECLINED = "declined"


class Event(StrEnum):
    """Audit events, `subject:action`; exports and metrics share the names."""

    REQUESTED = "requested_update:requested"
    JOINED = "requested_update:joined"
    FIRST_APPROVED = "requested_update:first_approved"
    FIRST_TAKEN_BACK = "requested_update:first_taken_back"
    UPDATED = "requested_update:updated"
    TAKEN_BACK = "requested_update:taken_back"
    REJECTED = "requested_update:rejected"
    SENT_AGAIN = "requested_update:sent_again"
    ESCALATED = "requested_update:escalated"
    EXPIRED = "requested_update:expired"
    EXPORTED = "requested_update:exported"
    SYNCED = "requested_update:synced"
    FAILED = "requested_update:failed"
    STALE = "requested_update:stale"
    REMOVED = "requested_update:removed"
    GONE_AFTER_UPDATE = "requested_update:gone_after_update"
    REFUSED = "act:refused"
    PRIVILEGE_ASKED = "privilege:asked"
    PRIVILEGE_GRANTED = "privilege:granted"
    PRIVILEGE_DECLINED = "privilege:declined"
    SYNC_ASKED = "data_sync:asked"
    SYNC_STARTED = "data_sync:started"
    SYNC_FINISHED = "data_sync:finished"
    REMINDED = "approvers:reminded"
    SYNC_UNREACHABLE = "data_sync:unreachable"
    SYNC_OVERDUE = "data_sync:overdue"
    HOLD_ADDED = "hold:added"
    HOLD_PLACED = "hold:placed"
    HOLD_RELEASED = "hold:released"
    IMPORTED = "directory:imported"
    CHANNEL_CLOSED = "channel:closed"
    CHANNEL_OPEN = "channel:open"
    SLACK_INSTALLED = "slack:installed"
    SLACK_REMOVED = "slack:removed"
    RESTORED = "database:restored"
    PERSON_LINKED = "person:linked"
    PERSON_UNLINKED = "person:unlinked"
    NOTIFY_CHOSEN = "person:notify_chosen"
    AWAY = "person:away"
    AWAY_ENDED = "person:away_ended"


class Notify(StrEnum):
    """What an accounting approver wants to hear of the jobs that wait; what concerns them always comes."""

    EVERY_REQUEST = "every_request"
    HOURLY = "hourly"
    DAILY = "daily"
    MENTIONS = "mentions"
    DO_NOT_PING = "do_not_ping"


class JobFilter(StrEnum):
    """Which jobs App Home lists; the first four as `queries.FILTERS` has them."""

    READY = "ready"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SYNCED = "synced"
    MINE = "mine"


class NoticeKind(StrEnum):
    """What an outbox row asks delivery to do."""

    CARD = "card"
    THREAD = "thread"
    DIRECT = "direct"
    DIGEST = "digest"
    PRIVILEGE = "privilege"
    REPORT = "report"
    STEP = "step"


class StepKind(StrEnum):
    """The steps that costbot has in Workflow Builder, by their `callback_id` in `bot/manifest.yaml`."""

    ASK = "ask_for_cost_code_update"
    WAIT = "wait_for_the_update"


class Until(StrEnum):
    """What a workflow waits for: an approver's Update, or that Sage holds every line."""

    UPDATE = "update"
    SYNCED = "synced"


class PeriodicWork(StrEnum):
    """What runs by the schedule of `sync`, or at once when it is nudged; the name of its slots."""

    DATA_SYNC = "data_sync"
    DELIVER = "deliver"
    REMIND = "remind"
    REPORT = "report"
    TIDY = "tidy"
    PROCORE = "procore"
    PROCORE_EVENTS = "procore_events"
    PROCORE_PEOPLE = "procore_people"


class Queue(StrEnum):
    """What a worker takes its work from."""

    NOTICES = "notices"
    SYNC = "sync"
