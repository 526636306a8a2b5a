"""What Sage holds is marked synced in Procore, once, and what Procore refuses is kept with its words."""

import pytest

from bot.sandbox.procore.faults import Fault
from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreError
from sync.procore.write_back import WriteBack, Written
from tests.sync.procore.company import Kestrel
from tests.sync.procore.conftest import Clock
from workflow import procore_write_back
from workflow.tables import ProcoreAssignment

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
