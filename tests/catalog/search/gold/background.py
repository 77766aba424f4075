"""Background notes by rule: captions and scene notes that answer none of the gold questions.

The words and the frames of the sentences lie beside this file; particles and endings follow `inflect`,
no analyser. A part of the notes is as people write: unspaced, decomposed, full-width, with Latin words.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.catalog.search.gold.absence import Absence
from tests.catalog.search.gold.inflect import Predicate, attach

FOLDER = Path(__file__).parent
SENTENCES = (60, 22, 8, 4, 2.5, 1.5, 1, 0.6, 0.4)
"""How often a note has 1, 2 … 9 sentences, in percent."""
_LAST = ("present",) * 8 + ("progressive",) * 3 + ("past", "scene", "start", "cannot", "formal")
_JOINED = ("and", "and", "while", "during", "because", "upon", "until", "in order")
_NATIVE = "한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 열한 열두 열다섯 스무 스물두 서른".split()
_SINO = "이 삼 사 오 육 칠 팔 구 십 십이 이십 삼십".split()
_COUNTERS = {
    "person": "명",
    "animal": "마리",
    "vehicle": "대",
    "thing": "개",
    "food": "그릇",
}
_ASIDES = (
    "화면 {side}에 {shown} 보인다.",
    "카메라가 {site} 쪽으로 천천히 움직인다.",
    "배경에는 {adjective} {thing} {counted} 있다.",
    "{side}에서 누군가 {person} 쪽을 가리킨다.",
    "자막에는 {latin} {topic} {aspect}라고 적혀 있다.",
    "{name} {title} {topic} {aspect} 편 {ordinal} 강의다.",
    "{place} {building} {floor}층 {head} 앞이다.",
    "{month}월 {day}일 {hour}시에 찍은 {site} 영상이다.",
    "{latin} {thing}로 찍은 {place} {event} 장면이다.",
    "값이 {ratio} 배로 올랐다는 {topic} 도표가 나온다.",
    "{name} 씨와 {name} 씨가 {site}에서 만났다.",
    "{latin}{topic} {title}라고 쓴 명찰을 달고 있다.",
    "{event} 안내 방송이 {site}까지 들린다.",
    "점수판은 {points}점, 남은 시간은 {minute}분이다.",
)
_CHOICES = {
    "side": ("왼쪽", "오른쪽", "가운데", "구석", "아래쪽", "위쪽"),
    "title": ("교수", "선수", "팀장", "작가", "감독", "과장"),
    "ratio": _NATIVE[1:6],
}
_LIMITS = {"month": 12, "day": 28, "hour": 12, "minute": 59, "points": 99}


@dataclass(frozen=True, slots=True)
class Frame:
    """Subject, place and object classes of a kind of sentence, and the forms of its verbs."""

    subject: str
    place: str
    thing: str
    verbs: tuple[dict[str, str], ...]


class Vocabulary:
    """Words by class, and frames; words that `absence` refuses are left out."""

    def __init__(self, absence: Absence) -> None:
        self.words: dict[str, tuple[str, ...]] = {}
        name = ""
        for line in _lines(FOLDER / "background_words.txt"):
            if line.startswith("["):
                name = line.strip("[]")
                continue
            words = (word.replace("_", " ") for word in line.split())
            allowed = [word for word in words if absence.allows(word)]
            self.words[name] = (*self.words.get(name, ()), *allowed)
        self.frames = tuple(
            _frame(line, absence) for line in _lines(FOLDER / "background_frames.txt")
        )


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def _frame(line: str, absence: Absence) -> Frame:
    subject, place, thing, verbs = (part.strip() for part in line.split("|"))
    predicates = [
        Predicate(stem.replace("_", " "), irregular)
        for stem, _, irregular in (verb.partition("/") for verb in verbs.split())
    ]
    allowed = (verb.forms() for verb in predicates if absence.allows(verb.present()))
    return Frame(subject, place, thing, tuple(allowed))


class Writer:
    """Writes notes. The same seed and the same absence give the same notes."""

    def __init__(self, seed: int, absence: Absence) -> None:
        self.random = random.Random(seed)
        self.absence = absence
        vocabulary = Vocabulary(absence)
        self.words, self.frames = vocabulary.words, vocabulary.frames
        self._attached: dict[tuple[str, str], str] = {}
        self._special = self._specials()

    def note(self) -> str:
        """One note, in NFC."""
        count = self.random.choices(range(1, 10), SENTENCES)[0]
        sentences = [self._sentence() for _ in range(count)]
        if self.random.random() < 0.2:
            sentences.append(self._aside())
        return " ".join(sentences)

    def title(self) -> str:
        """The title of a video, as its file is called."""
        day = f"2{self._up_to(26):03d}{self._up_to(12):02d}{self._up_to(28):02d}"
        return f"{day} {self._pick('place')} {self._pick('event')} {self._up_to(999)}"

    def _pick(self, name: str) -> str:
        # Squaring makes the first words of a class common and the last ones rare.
        words = self.words[name]
        return words[int(self.random.random() ** 2 * len(words))]

    def _up_to(self, most: int) -> int:
        return 1 + int(self.random.random() * most)

    def _attach(self, noun: str, particle: str) -> str:
        known = self._attached.get((noun, particle))
        if known is None:
            known = self._attached[noun, particle] = attach(noun, particle)
        return known

    def _sentence(self) -> str:
        chance = self.random.random
        frame = self.frames[int(chance() * len(self.frames))]
        parts = [self._pick("time")] if chance() < 0.2 else []
        subject = self._subject(frame.subject)
        place = self._place(frame.place)
        parts += [place, subject] if chance() < 0.6 else [subject, place]
        if chance() < 0.3:
            parts.append(self._pick("adverb"))
        if frame.thing != "-":
            parts.append(self._object(frame.thing))
        verbs = frame.verbs
        if chance() < 0.25:
            parts.append(verbs[int(chance() * len(verbs))][_JOINED[int(chance() * 8)]])
            if frame.thing != "-" and chance() < 0.5:
                parts.append(self._object(frame.thing))
        last = "casual" if chance() < 0.02 else _LAST[int(chance() * len(_LAST))]
        parts.append(verbs[int(chance() * len(verbs))][last] + ".")
        return " ".join(parts)

    def _subject(self, name: str) -> str:
        chance = self.random.random()
        noun = self._noun(name)
        if name == "person" and chance < 0.12:
            noun = f"{self._name()} {noun}"
        if chance > 0.8:
            noun = f"{self._pick('adjective')} {noun}"
        if 0.6 < chance < 0.68 and name in _COUNTERS:
            return self._attach(f"{noun} {self._number()}{_COUNTERS[name]}", "이/가")
        if 0.5 < chance < 0.6 and name == "person":
            noun += "들"
        return self._attach(noun, "은/는" if chance < 0.2 else "이/가")

    def _noun(self, name: str) -> str:
        """A word of a class, at times as the first part of a longer one."""
        noun = self._pick(name)
        chance = self.random.random()
        if name == "event" and chance < 0.3:
            return noun + ("장", " 현장", "실", " 행사")[int(chance * 13)]
        if name == "topic" and chance < 0.3:
            return noun + (" 강의", "개론", " 특강", "실습")[int(chance * 13)]
        if name == "food" and chance < 0.08:
            return noun + "집 " + self._pick("food")
        if name == "thing" and chance < 0.06:
            return f"{self._pick('latin')} {noun}"
        return noun

    def _place(self, name: str) -> str:
        noun = self._pick(name)
        chance = self.random.random()
        if chance < 0.12:
            noun = self._pick("place") + noun
        elif chance < 0.24:
            noun = f"{self._pick('place')} {noun}"
        elif chance < 0.4 and name == "building":
            noun += self._pick("head") if chance < 0.32 else " " + self._pick("head")
        particle = ("에서", "에서", "에서는", "에서도", " 앞에서", " 옆에서")[
            int(self.random.random() * 6)
        ]
        return noun + particle

    def _object(self, name: str) -> str:
        chance = self.random.random()
        noun = self._noun(name)
        if chance < 0.2:
            noun = f"{self._pick('adjective')} {noun}"
        if 0.3 < chance < 0.4 and name in _COUNTERS:
            return self._attach(f"{noun} {self._number()}{_COUNTERS[name]}", "을/를")
        return self._attach(noun, "도" if 0.2 < chance < 0.24 else "을/를")

    def _name(self) -> str:
        return self._pick("surname") + self._pick("given")

    def _number(self) -> str:
        chance = self.random.random()
        if chance < 0.5:
            return _NATIVE[int(chance * 2 * len(_NATIVE))] + " "
        return str(int((chance - 0.5) * 80) + 2)

    def _aside(self) -> str:
        template = _ASIDES[int(self.random.random() * len(_ASIDES))]
        return template.format_map(_Filling(self._filler))

    def _filler(self, name: str) -> str:
        """What stands for a name in a template."""
        if name in self.words:
            return self._pick(name)
        if name in _CHOICES:
            return _CHOICES[name][self._up_to(len(_CHOICES[name])) - 1]
        if name in _LIMITS:
            return str(self._up_to(_LIMITS[name]))
        return self._special[name]()

    def _specials(self) -> dict[str, Callable[[], str]]:
        chance = self.random.random
        return {
            "name": self._name,
            "site": lambda: self._pick("building" if chance() < 0.5 else "outdoors"),
            "shown": lambda: self._attach(self._pick("thing"), "이/가"),
            "counted": lambda: attach(self._number() + "개장대병줄점"[self._up_to(6) - 1], "이/가"),
            "ordinal": lambda: (
                f"{self._up_to(30)}번째" if chance() < 0.5 else f"제{self._up_to(60)}회"
            ),
            "floor": lambda: (
                str(self._up_to(30)) if chance() < 0.7 else _SINO[self._up_to(len(_SINO)) - 1]
            ),
        }

    def dressed(self, note: str) -> str:
        """The note as somebody might type it: some unspaced, full-width or decomposed."""
        chance = self.random.random()
        if chance < 0.02:
            return note.replace(" ", "")
        if chance < 0.04:
            return note.translate(_FULL_WIDTH)
        return unicodedata.normalize("NFD", note) if chance < 0.07 else note


class _Filling(dict[str, str]):
    """Fills a template; a name that stands there twice is filled twice."""

    def __init__(self, filler: Callable[[str], str]) -> None:
        super().__init__()
        self._filler = filler

    def __missing__(self, name: str) -> str:
        return self._filler(name)


_FULL_WIDTH = {
    code: code + 0xFEE0 for code in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))
}


def notes(count: int, seed: int, absence: Absence) -> Iterator[str]:
    """`count` notes, none of which `absence` refuses."""
    writer = Writer(seed, absence)
    left = count
    while left:
        note = writer.note()
        if absence.allows(note):
            left -= 1
            yield writer.dressed(note)


def titles(seed: int, absence: Absence) -> Iterator[str]:
    """Titles of videos without end, none of which `absence` refuses."""
    writer = Writer(seed, absence)
    while True:
        title = writer.title()
        if absence.allows(title):
            yield title
