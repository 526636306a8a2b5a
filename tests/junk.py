"""Files with junk in them, made from good ones: what mails, editors, spreadsheets and disks do to them.

`pytest --hypothesis-profile=deep` tries many more of them than the suite does, and others each time, for as
long as it takes.
"""

import csv
import io

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

DEEP = "deep"
WORDS = st.one_of(
    st.text(max_size=20),
    st.text("0123456789-./;, \"'=+@\t\r\n\x00", max_size=20),
    st.sampled_from(
        [
            "",
            "=1+1",
            "true",
            "\uff19",
            "9" * 400,
            "9" * 5_000,
            "-1",
            "1e999",
            "a@b",
            "\ufeff",
            "\u202e",
            "L",
            "\x00",
        ]
    ),
    st.sampled_from(["x" * 50, "x" * 140_000, "two\nlines", "two\r\nlines", 'half "quoted', "\N{BRICK}"]),
    st.sampled_from(["2026-13-45", "0000-00-00", "24-017", "03-300", "1001", "é", "true", "24\u2011017"]),
)
"""What may stand where something else is meant."""
_ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"]
_BYTES = [
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b'"',
    b",",
    b"\x1a",
    b"\xc3",
    b"=",
    b"'",
    b"{",
    b"\\",
]
_ENDS = ["\n", "\r\n", "\r", "\n\n", "\x00\n", "\u2028", "\x0b"]


def much(examples: int) -> settings:
    """So many examples, or as many as a deep run asks for; the fixtures serve all of them.

    What is found is not made smaller: each try may be a whole command.
    """
    deep = settings.get_current_profile_name() == DEEP
    return settings(
        max_examples=settings.get_profile(DEEP).max_examples if deep else examples,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A file some bytes of which are others, more, or gone."""
    content = good
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        to = draw(st.integers(at, min(len(content), at + 40)))
        strange = draw(st.sampled_from(_BYTES) | st.binary(max_size=8) | WORDS.map(_encoded))
        match draw(st.sampled_from(["put", "in place", "lost", "cut", "again", "moved"])):
            case "put":
                content = content[:at] + strange + content[at:]
            case "in place":
                content = content[:at] + strange + content[at + len(strange) :]
            case "lost":
                content = content[:at] + content[to:]
            case "cut":
                content = content[:at]
            case "again":
                content = content[:to] + content[at:]
            case "moved":
                content = content[:at] + content[to:] + content[at:to]
    return content


@st.composite
def lines_amiss(draw: st.DrawFn, good: str) -> bytes:
    """A text some lines of which are twice, gone, moved or changed, with another encoding or other ends."""
    lines = good.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(["new", "gone", "twice", "end", "word"])):
            case "new":
                lines.insert(at, draw(WORDS))
            case "gone":
                del lines[at : at + 1]
            case "twice":
                lines[at:at] = lines[at : at + 1]
            case "end":
                lines[at : at + 1] = [draw(st.sampled_from(_ENDS)).join([*lines[at : at + 1], ""])]
            case _ if lines:
                line = lines[at % len(lines)]
                cut = draw(st.integers(0, len(line)))
                lines[at % len(lines)] = line[:cut] + draw(WORDS) + line[cut:]
    return _encoded(draw(st.sampled_from(_ENDS)).join([*lines, ""]), draw(st.sampled_from(_ENCODINGS)))


@st.composite
def cells_amiss(draw: st.DrawFn, good: str) -> bytes:
    """A CSV file with cells, columns or rows that nobody wants; each cell is quoted as it has to be."""
    rows = list(csv.reader(io.StringIO(good)))
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.integers(0, len(rows) - 1))
        if rows[row]:
            rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(WORDS)
        match draw(st.sampled_from(["cell", "cell", "longer", "shorter", "twice", "moved"])):
            case "longer":
                rows[row].append(draw(WORDS))
            case "shorter":
                rows[row] = rows[row][:-1]
            case "twice":
                rows.append(rows[row])
            case "moved":
                rows.append(rows.pop(row))
    written = io.StringIO()
    csv.writer(
        written,
        delimiter=draw(st.sampled_from(",,,,;\t")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    ).writerows(rows)
    return _encoded(written.getvalue(), draw(st.sampled_from(_ENCODINGS)))


SPOTS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from([bytes(1), bytes(512), bytes(4096)]) | st.binary(max_size=16)),
    min_size=1,
    max_size=6,
)
"""Where a large file is spoilt, as a part of its length, and by what; nothing: the rest of it is lost."""


def spoilt(good: bytes, spots: list[tuple[float, bytes]]) -> bytes:
    """A large file, of which a disk has not kept all."""
    content = good
    for part, strange in spots:
        at = int(part * len(content))
        content = content[:at] + strange + content[at + len(strange) :] if strange else content[:at]
    return content


def junk_of(good: str) -> st.SearchStrategy[bytes]:
    """Any of these, made from a good file; or nothing that was ever one."""
    return st.one_of(cells_amiss(good), lines_amiss(good), damaged(good.encode()), st.binary(max_size=200))


def _encoded(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding, "replace")
