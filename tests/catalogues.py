"""`make words`: takes new words for people into the catalogues of `workflow/locale/` and compiles them.

`python -m tests.catalogues check`, which `make check` runs, changes nothing and names what is stale,
untranslated, or has other placeholders than the English words.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from workflow.language import DOMAIN, LOCALES

_ROOT = Path(__file__).parent.parent
_KEYWORDS = {"say": None, "later": None, "plural": (1, 2)}
# the command line and the sandbox speak English alone
_SPOKEN = [
    ("workflow/**.py", "python"),
    ("bot/*.py", "python"),
    ("bot/blocks/**.py", "python"),
    ("bot/delivery/**.py", "python"),
    ("bot/listeners/**.py", "python"),
]
_NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)
# when a catalogue was made says git, and would only clash in merges
_KEPT_OF_THE_HEAD = (b'"Language:', b'"Plural-Forms:', b'"MIME-Version:', b'"Content-T')


def main(arguments: list[str]) -> int:
    """Bring the catalogues up to date, or with `check` only look; 1 when a person has to do something."""
    words, is_check = _said(), arguments == ["check"]
    found = []
    for path in sorted(LOCALES.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        if not is_check:
            _update(words, path)
        found += [f"{path.relative_to(_ROOT)}: {fault}" for fault in _faults(words, path)]
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    if found and is_check:
        sys.stderr.write("Run `make words`, translate what is empty, and run it again.\n")
    return bool(found)


def _said() -> Catalog:
    words = Catalog(domain=DOMAIN)
    for _, _, message, _, _ in extract_from_dir(_ROOT, _SPOKEN, keywords=_KEYWORDS):
        words.add(message)
    return words


def _update(words: Catalog, path: Path) -> None:
    translated = _catalogue(path)
    translated.update(words, no_fuzzy_matching=True)
    translated.obsolete.clear()
    written = io.BytesIO()
    write_po(written, translated, width=100, sort_output=True)
    head, _, rest = written.getvalue().partition(b"\n\n")
    lines = (
        line
        for line in head.splitlines(True)
        if not line.startswith(b'"') or line.startswith(_KEPT_OF_THE_HEAD)
    )
    path.write_bytes(b"".join(lines).rstrip() + b"\n\n" + rest.lstrip())
    path.with_suffix(".mo").write_bytes(_compiled(_catalogue(path)))


def _faults(words: Catalog, path: Path) -> Iterator[str]:
    translated = _catalogue(path)
    wanted, there = ({_forms(message.id) for message in each if message.id} for each in (words, translated))
    yield from (f"not in the catalogue: {forms[0]}" for forms in sorted(wanted - there))
    yield from (f"said nowhere any more: {forms[0]}" for forms in sorted(there - wanted))
    for message in translated:
        if message.id and _forms(message.id) in wanted:
            yield from _faults_of_one(message)
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or not _says_the_same(compiled, translated):
        yield "is not compiled"


def _says_the_same(compiled: Path, translated: Catalog) -> bool:
    """Whether a compiled catalogue has these words; its bytes name the version of Babel too."""
    with compiled.open("rb") as file:
        spoken = GNUTranslations(file)
    return all(
        _spoken(spoken, _forms(message.id)) == _forms(message.string) for message in translated if message.id
    )


def _spoken(spoken: GNUTranslations, english: tuple[str, ...]) -> tuple[str, ...]:
    if len(english) == 1:
        return (spoken.gettext(english[0]),)
    one, many = english
    # every language of ours has two forms: of 1, and of any other number
    return spoken.ngettext(one, many, 1), spoken.ngettext(one, many, 2)


def _faults_of_one(message: Message) -> Iterator[str]:
    english, texts = _forms(message.id), _forms(message.string)
    if message.fuzzy or not all(texts):
        yield f"not translated: {english[0]}"
        return
    for text in texts:
        if _placeholders(text) != _placeholders(english[-1]):
            yield f"has other placeholders: {text}"


def _catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        words = read_po(file, locale=path.parent.parent.name, domain=DOMAIN)
    # else Babel takes the time of the reading, and the same words were other bytes each minute
    words.creation_date = _NO_DAY
    return words


def _compiled(words: Catalog) -> bytes:
    written = io.BytesIO()
    write_mo(written, words)
    return written.getvalue()


def _placeholders(text: str) -> set[str]:
    return {f"{name}:{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None}


def _forms(words: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words or ("",))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
