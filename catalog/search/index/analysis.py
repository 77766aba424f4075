"""Texts into search tokens, by a morpheme analyser. Only the indexer runs this; a query never does.

A text becomes three strings of tokens with spaces between, one for each column of the index:

lemmas  nouns as they are, predicates in their dictionary form, `3 명ː` for 세 명, in the order of the
        text; `ː` stands between sentences, so that no phrase goes across
also    what a part of the text is besides: 운동 in 운동하다, 선생님 beside 선생, kpop for k-pop; and once
        more each noun of one syllable that is a word of its own: 차, but not the last part of 전기차
words   the words as written

and, of each word as written, its reading: the tokens that stand for it. The lexicon keeps the readings,
and a query asks the lexicon in place of the analyser: https://github.com/bab2min/kiwipiepy.
"""

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from catalog.search.korean.numerals import numbers
from catalog.search.korean.text import (
    COUNTER,
    RUN,
    SENTENCE,
    is_hangul,
    normalise,
    without_particle,
)
from catalog.search.tokens import COMPOUND, LATIN, NOUN, PREDICATE, STEM, WRITTEN, number_tokens

if TYPE_CHECKING:
    from kiwipiepy import Token as Morpheme

logger = logging.getLogger(__name__)

RULES = 1
"""Raised when this module makes other tokens of the same morphemes."""

LONGEST_WORD = 12
"""Syllables. A longer run is a sentence without spaces, whose reading nobody will look up."""

_NOUNS = frozenset(("NNG", "NNP", "NR", "NP", "XR", "MAG", "IC", "UN"))
_PREDICATES = frozenset(("VV", "VA", "VX"))
_SILENT = frozenset("있다 하다 되다 않다 이다 아니다 싶다 못하다 말다".split())
"""Predicates that say nothing of a scene, as main verbs and as auxiliaries."""
_AUXILIARY = frozenset("보다 주다 놓다 두다 버리다 내다 대다 지다 가지다 드리다 나다 있다".split())
_LOOSE_SUFFIXES = frozenset("들 쯤 씩 째 끼리 가량 당 여 뿐 네 께 별".split())
_NOMINAL = frozenset(("NNG", "NNP", "NNB", "NR", "NP", "XR", "XPN", "XSN", "MM", "UN", "SN"))
_NOTHING = (0, "", "")
_CONNECTORS = frozenset("-_.'&+/")


class Entry(NamedTuple):
    """One thing that a text teaches the lexicon."""

    word: str
    kind: str
    reading: str


@dataclass(slots=True)
class Analysis:
    """What the index and the lexicon keep of one text."""

    lemmas: str
    also: str
    words: str
    entries: list[Entry]


@dataclass(slots=True)
class _Piece:
    """A part of the text and what it stands for. `core` joins compounds; `reading` answers queries."""

    start: int
    end: int
    kind: str
    lemma: str
    reading: str = ""
    also: list[str] = field(default_factory=list)
    core: str = ""
    root: bool = False
    """Whether it is no word by itself: the first part of 부산하다, which is no city."""
    sentence: int = 0


class Analyser:
    """The analyser, loaded: a second of processor time and about 330 MB."""

    def __init__(self) -> None:
        from kiwipiepy import Kiwi

        self.version = analyser_version()
        # The dictionary of expressions with spaces takes 180 MB and gives tokens with spaces in them.
        self._kiwi: Kiwi = Kiwi(num_workers=1, load_multi_dict=False)

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        """The tokens of each text, in order. The same text gives the same tokens, whatever is beside it."""
        normal = [normalise(text).text for text in texts]
        return [
            _safely_analysed(text, morphemes)
            for text, morphemes in zip(normal, self._kiwi.tokenize(normal), strict=True)
        ]


def _safely_analysed(text: str, morphemes: Iterable["Morpheme"]) -> Analysis:
    """The analysis of a text; of one that is beyond the rules, its words. None must hold up the others."""
    try:
        return _analysis(text, morphemes)
    except Exception:
        logger.exception(
            "a text is searched by its words only, since it cannot be analysed: %r", text
        )
        words = " ".join(RUN.findall(text))
        return Analysis(lemmas=words, also="", words=words, entries=[])


def analyser_version() -> str:
    """Names the analyser and the rules after it, without loading either."""
    return f"kiwi {version('kiwipiepy')} {version('kiwipiepy-model')}, rules {RULES}"


def _analysis(text: str, morphemes: Iterable["Morpheme"]) -> Analysis:
    runs = [(match.start(), match.end(), match.group()) for match in RUN.finditer(text)]
    pieces = _number_pieces(text)
    counted = [(piece.start, piece.end) for piece in pieces]
    solid = [
        _Piece(start, end, LATIN, run, run, core=run)
        for start, end, run in runs
        if not is_hangul(run) and not _inside(start, counted)
    ]
    covered = sorted([*counted, *((piece.start, piece.end) for piece in solid)])
    pieces += solid
    morphemes = list(morphemes)
    pieces += _morpheme_pieces(morphemes, covered)
    pieces.sort(key=lambda piece: piece.start)
    compounds = _compounds(text, pieces, _sentences_without_spaces(runs))
    also = [word for piece in pieces for word in piece.also]
    also += _syllables_by_themselves(runs, pieces)
    also += [entry.word for entry in compounds if entry.kind == LATIN]
    stems = _stems(text, runs, morphemes, pieces)
    also += stems
    return Analysis(
        lemmas=_with_boundaries(pieces),
        also=" ".join(also),
        words=" ".join(run for _, _, run in runs if is_hangul(run)),
        entries=[
            *_term_entries(pieces),
            *compounds,
            *(Entry(stem, STEM, "") for stem in stems),
            *_written_entries(runs, pieces),
        ],
    )


def _syllables_by_themselves(
    runs: Iterable[tuple[int, int, str]], pieces: Sequence[_Piece]
) -> list[str]:
    """Nouns of one syllable that are no part of a longer word, but for particles."""
    begins = {start: end for start, end, _ in runs}
    return [
        piece.lemma
        for piece, after in zip(pieces, [*pieces, None][1:], strict=True)
        if piece.kind == NOUN
        and len(piece.lemma) == 1
        and piece.start in begins
        and (after is None or after.start >= begins[piece.start])
    ]


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a place lies in one of these spans, which are in order and apart."""
    at = bisect_right(spans, place, key=itemgetter(0)) - 1
    return at >= 0 and place < spans[at][1]


def _number_pieces(text: str) -> list[_Piece]:
    pieces = []
    for number in numbers(text):
        tokens = number_tokens(number.value, number.counter)
        pieces.append(_Piece(number.start, number.end, LATIN, tokens, tokens))
    return pieces


def _morpheme_pieces(
    morphemes: Iterable["Morpheme"], covered: Sequence[tuple[int, int]]
) -> list[_Piece]:
    pieces: list[_Piece] = []
    prefix: Morpheme | None = None
    for morpheme in morphemes:
        start = morpheme.start
        if covered and _inside(start, covered):
            continue
        tag = morpheme.tag.partition("-")[0]
        before = pieces[-1] if pieces and pieces[-1].end == start else None
        piece = None
        if tag in _NOUNS:
            piece = _noun_piece(morpheme, tag)
            if piece and prefix is not None:
                _prepend(piece, prefix)
        elif tag in _PREDICATES:
            piece = _predicate_piece(morpheme, tag)
        elif tag in ("XSV", "XSA", "XSM") and before is not None:
            _verbalise(before, morpheme, tag)
        elif tag == "XSN" and before is not None and morpheme.form not in _LOOSE_SUFFIXES:
            _extend(before, morpheme)
        prefix = morpheme if tag == "XPN" else None
        if piece is not None:
            piece.sentence = morpheme.sent_position
            pieces.append(piece)
    return [piece for piece in pieces if piece.lemma or piece.also]


def _noun_piece(morpheme: "Morpheme", tag: str) -> _Piece | None:
    form = morpheme.form.replace(" ", "")
    if (tag == "NP" and len(form) == 1) or not form or not is_hangul(form):
        return None
    end = morpheme.start + morpheme.len
    piece = _Piece(morpheme.start, end, NOUN, form, form, core=form, root=tag == "XR")
    if morpheme.oov and (stem := without_particle(form)):
        piece.also.append(stem)  # 수달이 taken for a name
    return piece


def _prepend(piece: _Piece, prefix: "Morpheme") -> None:
    piece.start = prefix.start
    piece.also.append(prefix.form + piece.lemma)
    piece.reading = piece.core = prefix.form + piece.core


def _predicate_piece(morpheme: "Morpheme", tag: str) -> _Piece | None:
    lemma = morpheme.lemma
    if lemma in _SILENT or (tag == "VX" and lemma in _AUXILIARY) or not is_hangul(lemma):
        return None
    end = morpheme.start + morpheme.len
    return _Piece(morpheme.start, end, PREDICATE, lemma, lemma)


def _verbalise(noun: _Piece, suffix: "Morpheme", tag: str) -> None:
    """운동 + 하다 is 운동하다, and 운동 besides; 말 + 하다 is no longer what the first part says."""
    adverb = tag == "XSM" and suffix.form != "히"
    predicate = noun.core + (
        suffix.form if adverb else "하다" if tag == "XSM" else suffix.form + "다"
    )
    noun.end = suffix.start + suffix.len
    if len(noun.lemma) > 1 and noun.kind == NOUN and not noun.root:
        noun.also.append(noun.lemma)
    noun.lemma = noun.reading = predicate
    noun.kind, noun.core = PREDICATE, ""


def _extend(noun: _Piece, suffix: "Morpheme") -> None:
    """선생 + 님 is found as both; 손 + 님 is no hand."""
    if not noun.core:
        return
    longer = noun.core + suffix.form
    noun.end = suffix.start + suffix.len
    if len(noun.lemma) == 1:
        noun.lemma = longer
    else:
        noun.also.append(longer)
    noun.reading = noun.core = longer


def _with_boundaries(pieces: Sequence[_Piece]) -> str:
    tokens: list[str] = []
    sentence = 0
    for piece in pieces:
        if piece.sentence > sentence:
            sentence = piece.sentence
            if tokens:
                tokens.append(SENTENCE)
        if piece.lemma:
            tokens.append(piece.lemma)
    return " ".join(tokens)


def _sentences_without_spaces(runs: Iterable[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Runs too long for a word, in which nouns stand side by side by accident."""
    return [(start, end) for start, end, _ in runs if end - start > LONGEST_WORD]


def _compounds(
    text: str, pieces: Sequence[_Piece], sentences: Sequence[tuple[int, int]]
) -> list[Entry]:
    """Nouns written together, and words that a hyphen or the like holds together."""
    found: list[Entry] = []
    together: list[_Piece] = []
    for piece in pieces:
        gap = text[together[-1].end : piece.start] if together else ""
        if _inside(piece.start, sentences):
            continue
        hyphen = gap in _CONNECTORS and together and together[-1].kind == piece.kind == LATIN
        if together and piece.core and (hyphen or not gap):
            together.append(piece)
            continue
        found += _joined(together)
        together = [piece] if piece.core else []
    return found + _joined(together)


def _joined(together: Sequence[_Piece]) -> list[Entry]:
    if len(together) < 2:
        return []
    word = "".join(piece.core for piece in together)
    if len(word) > LONGEST_WORD:
        return []
    latin = all(piece.kind == LATIN for piece in together)
    reading = " ".join(piece.lemma for piece in together)
    return [Entry(word, LATIN if latin else COMPOUND, "" if latin else reading)]


def _stems(
    text: str,
    runs: Iterable[tuple[int, int, str]],
    morphemes: Sequence["Morpheme"],
    pieces: Sequence[_Piece],
) -> list[str]:
    """What stands before the particles of a word, where the pieces do not say it: 누리호, 첫눈.

    So a name is found as a person writes it, however the analyser took it apart.
    """
    spoken = {piece.start: piece for piece in pieces}
    tags = {one.start: (one.start, one.tag.partition("-")[0], one.form) for one in morphemes}
    starts = sorted(tags)
    found = []
    for start, end, run in runs:
        first = spoken.get(start)
        said = (
            first is not None and first.core and (first.end == end or _is_particle(tags, first.end))
        )
        if said or not is_hangul(run) or tags.get(start, _NOTHING)[1] not in _NOMINAL:
            continue
        within = starts[bisect_left(starts, start) : bisect_left(starts, end)]
        stem_end = _stem_end([tags[place] for place in within], end)
        if not 2 <= stem_end - start <= LONGEST_WORD:
            continue
        place = start
        while place < stem_end and place in spoken and spoken[place].core:
            place = spoken[place].end
        if place != stem_end:
            found.append(text[start:stem_end])
    return found


def _is_particle(tags: Mapping[int, tuple[int, str, str]], place: int) -> bool:
    return tags.get(place, _NOTHING)[1].startswith("J")


def _stem_end(tags: Sequence[tuple[int, str, str]], end: int) -> int:
    """Where the nominal part of a word ends; 0 if it has none, or is more than a noun with particles."""
    nominal = [tag in _NOMINAL and form not in _LOOSE_SUFFIXES for _, tag, form in tags]
    count = nominal.index(False) if False in nominal else len(nominal)
    rest = tags[count:]
    if not count or not any(tag in ("NNG", "NNP", "NR", "XR", "UN") for _, tag, _ in tags[:count]):
        return 0
    loose = all(tag[0] == "J" or form in _LOOSE_SUFFIXES for _, tag, form in rest)
    return (rest[0][0] if rest else end) if loose else 0


def _term_entries(pieces: Iterable[_Piece]) -> list[Entry]:
    entries = []
    for piece in pieces:
        if piece.lemma and COUNTER not in piece.lemma:
            entries.append(Entry(piece.lemma, piece.kind, ""))
        for word in piece.also:
            entries.append(Entry(word, NOUN, ""))
    return entries


def _written_entries(runs: Iterable[tuple[int, int, str]], pieces: Sequence[_Piece]) -> list[Entry]:
    """The reading of each word that stands for itself, wherever in the text it stands."""
    entries = []
    rest = iter(pieces)
    piece = next(rest, None)
    reached = 0
    for start, end, run in runs:
        readings = []
        whole = reached <= start
        while piece is not None and piece.start < end:
            reached = max(reached, piece.end)
            whole = whole and start <= piece.start and piece.end <= end
            readings.append(piece.reading or piece.lemma)
            piece = next(rest, None)
        if whole and len(run) <= LONGEST_WORD and is_hangul(run):
            entries.append(Entry(run, WRITTEN, " ".join(readings)))
    return entries
