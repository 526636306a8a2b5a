"""Records that Sage rejected, and which lines they are said to be."""

from sync.sage.layouts import JobLine
from sync.sage.rejections import Rejections
from workflow.batches import ExportLine
from workflow.merge import Assignment

SLAB = Assignment("01-0001", "L")


def test_a_record_without_a_job_row_is_of_the_line_that_was_sent_and_of_no_other() -> None:
    rejections = Rejections([(JobLine("", SLAB), "rejected/r.jce")], [])
    rejections.fit([ExportLine(1, "24-017", "Riverside", "", SLAB.code, SLAB.category, "Slab")])

    assert rejections.words("24-017", {1: SLAB}) == {1: "Sage rejected this line: see rejected/r.jce."}
    assert rejections.words("24-018", {2: SLAB}) == {}
