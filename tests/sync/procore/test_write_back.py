"""What Sage holds is marked synced in Procore, once, and what Procore refuses is kept with its words."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET
from bot.sandbox.procore.faults import Fault
from sync import worker
from sync.procore import work
from sync.procore.api import ProcoreApi
from sync.procore.client import Account
from sync.procore.errors import ProcoreError
from sync.procore.write_back import WriteBack, Written
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import procore_write_back, slots
from workflow.settings import Settings
from workflow.tables import ProcoreAssignment
from workflow.vocabulary import PeriodicWork

PATH = "rest/v1.0/cost_code_line_item_types/sync"


def _write(kestrel: Kestrel) -> Written:
    back = WriteBack(kestrel.database, ProcoreApi(kestrel.client), kestrel.clock, assignments_path=PATH)
    return back.run()


def test_only_what_sage_was_read_to_hold_is_marked(kestrel: Kestrel) -> None:
    code = kestrel.add("300", "L", "M")
    kestrel.run()
    assert _write(kestrel) == Written()
    kestrel.in_sage({"03-300": ("L",)})
    assert _write(kestrel) == Written(1, 0)
    assert code["origin_id"] == "24-017//03-300"
    assert kestrel.procore.company.synced_assignments == {(code["id"], kestrel.types["L"]["id"])}


def test_repeating_it_makes_no_call_and_reading_procore_again_asks_for_nothing(
    kestrel: Kestrel, clock: Clock
) -> None:
    kestrel.add("300", "L")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    _write(kestrel)
    before = len(kestrel.procore.web_api.calls)
    assert _write(kestrel) == Written()
    assert len(kestrel.procore.web_api.calls) == before
    clock.pause(60)
    assert kestrel.run().requested == 0


def test_a_cost_type_that_is_taken_away_and_added_again_is_marked_again(
    kestrel: Kestrel, clock: Clock
) -> None:
    code, labor = kestrel.add("300", "L"), kestrel.types["L"]
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    _write(kestrel)
    clock.pause(60)
    kestrel.procore.company.unassign(code, labor)
    kestrel.run()
    clock.pause(60)
    kestrel.procore.company.assign(code, labor)
    assert kestrel.run().requested == 0
    assert _write(kestrel) == Written(1, 0)


def test_an_erp_id_that_is_there_is_another_s_and_is_never_changed(kestrel: Kestrel) -> None:
    code = kestrel.add("300", "L", origin_id="hh2-4711")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    kestrel.run()
    assert _write(kestrel) == Written(1, 0)
    assert code["origin_id"] == "hh2-4711"


def test_what_procore_refuses_is_kept_with_its_words_and_told_again(kestrel: Kestrel) -> None:
    code = kestrel.add("300", "L")
    other = kestrel.add("400", "L", "M", origin_id="24-017//03-300")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",), "03-400": ("L", "M")})
    kestrel.run()
    assert _write(kestrel) == Written(2, 1)
    with kestrel.database.reading() as session:
        [row] = procore_write_back.refused(session)
        assert (row.cost_code_id, row.write_error) == (code["id"], "has already been taken")
    other["origin_id"] = "mended"
    assert _write(kestrel) == Written(1, 0)
    with kestrel.database.reading() as session:
        assert procore_write_back.refused(session) == []


def test_killed_between_the_call_and_its_note_it_says_the_same_again(kestrel: Kestrel) -> None:
    code = kestrel.add("300", "L")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    kestrel.procore.faults.expect(Fault(f"/{PATH}", 400, after=True))
    with pytest.raises(ProcoreError):
        _write(kestrel)
    assert [each.written_at for each in kestrel.rows(ProcoreAssignment)] == [None]
    assert _write(kestrel) == Written(1, 0)
    assert code["origin_id"] == "24-017//03-300"


def test_one_process_at_a_time_tells_procore(
    kestrel: Kestrel, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PATIENCE", timedelta(0))
    settings = settings.model_copy(update={"procore_write_back": True})
    code = kestrel.add("300", "L")
    kestrel.run()
    kestrel.in_sage({"03-300": ("L",)})
    with kestrel.database.exclusive("procore_telling"):
        work.tell(settings, kestrel.database, clock=clock)
    assert code["origin_id"] is None
    work.tell(settings, kestrel.database, clock=clock)
    assert code["origin_id"] == "24-017//03-300"


def test_a_data_sync_tells_procore_at_once_where_the_settings_say_so(
    kestrel: Kestrel,
    account: Account,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SOURCE": "procore",
        "PROCORE_CLIENT_ID": CLIENT_ID,
        "PROCORE_CLIENT_SECRET": CLIENT_SECRET,
        "PROCORE_COMPANY_ID": str(account.company_id),
        "PROCORE_API_URL": account.api_url,
        "PROCORE_LOGIN_URL": account.login_url,
    }.items():
        monkeypatch.setenv(f"COSTBOT_{name}", value)

    def sync(hour: int) -> None:
        with kestrel.database.writing() as session:
            slots.take(session, PeriodicWork.DATA_SYNC, kestrel.clock().replace(hour=hour))
        worker.data_sync()

    code = kestrel.add("300", "L")
    kestrel.run()
    kestrel.accept()
    sync(hour=10)
    assert code["origin_id"] is None
    monkeypatch.setenv("COSTBOT_PROCORE_WRITE_BACK", "true")
    sync(hour=11)
    assert code["origin_id"] == "24-017//03-300"
