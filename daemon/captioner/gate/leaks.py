"""Finds what leaked out of the machine: control tokens, markup, the prompt, halves of letters."""

import re

from daemon.captioner.gate.sentences import sentences, without_quotations

_CONTROL = re.compile(
    r"</?s>|<(?:unk|pad|bos|eos|video|image|sep|cls|mask)>|<\|[^|>]{0,40}\|?>|\[/?INST\]|<</?SYS>>|</?think>"
    r"|<(?:start|end)_of_turn>|<image_\w+>|(?<![A-Za-z])(?:USER|ASSISTANT|SYSTEM|Human|Assistant|User|System)\s?:"
    r"|###\s?\w|(?:^|\s)(?:사용자|어시스턴트|시스템|질문|답변|인간)\s?:|^(?:assistant|user|system)\b"
)
_MARKUP = re.compile(
    r"\*\*|__|```|^#{1,6}\s|\s#{2,6}\s|^[-*•▶■●◦·]\s|\s[•▶■●◦]\s|(?:^|\s)[-*]\s.{1,300}\s[-*]\s|\|\s?-{3,}"
    r"|(?:^|\s)[가-힣]{2,6}\s?:\s.{1,300}\s[가-힣]{2,6}\s?:\s|(?:^|\s)1[.)]\s.{1,300}\s2[.)]\s|</?(?:p|br|b|i|ul|li|div)\s?/?>|\[[^\]]+\]\(http|\\n"
)
_REQUEST = re.compile(
    r"(?:묘사|설명|번역|답|답변|작성|요약|서술|표현)(?:해|하여)\s?(?:주세요|주십시오|줘|달라|주시기|보세요|라)"
    r"|(?:묘사|설명|번역|요약|답)(?:하세요|하시오|하십시오)|옮기세요|다음 시각\(초\)의|\d+\s?프레임입니다"
    r"|시간 순서대로 적었습니다|바로 앞 장면의 설명|다음 낱말은 이렇게|앞서 쓴 답"
)
_MIN_ECHO = 15
"""So many characters of one line of the prompt in a row are no accident."""

_LONE_JAMO = re.compile(r"[ᄀ-ᇿ㄰-㆏ꥠ-꥿ힰ-퟿]")
_SHAPE = re.compile(r"(?<![㄰-㆏])[ㄱ-ㅎㅏ-ㅣ](?=(?:자|형|\s?모양|\s?글자))")
_BYTES = re.compile(r"<0x[0-9A-Fa-f]{2}>|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|[À-ɏ]{3,}|[ĠĊ]")
_MOST_RARE_SYLLABLES = 1


def has_control_tokens(text: str) -> bool:
    """Whether signs of the conversation's format stand in a text."""
    return bool(_CONTROL.search(without_quotations(text)))


def has_markup(text: str) -> bool:
    """Whether a text is formatted: lists, headings, bold. A caption is running text."""
    return bool(_MARKUP.search(without_quotations(text)))


def repeats_prompt(text: str, prompt: str = "") -> bool:
    """Whether a text asks for a description in place of giving one, or quotes a line of its prompt."""
    if any(_REQUEST.search(part) for part in sentences(without_quotations(text))):
        return True
    lines = (line.strip() for line in prompt.splitlines())
    return any(len(line) >= _MIN_ECHO and line in text for line in lines)


def is_broken(text: str) -> bool:
    """Whether letters are broken: U+FFFD, lone jamo, raw bytes, or syllables that no word has.

    A byte-level vocabulary that goes astray lands on syllables outside the 2,350 of KS X 1001;
    one of them may be a word (`펩시`), two are an accident. `ㄱ자 모양` is a shape.
    """
    if "\ufffd" in text or _BYTES.search(text):
        return True
    own = without_quotations(text)
    if _LONE_JAMO.search(_SHAPE.sub("", own)):
        return True
    rare = {letter for letter in own if "가" <= letter <= "힣" and len(letter.encode("euc_kr")) > 2}
    return len(rare) > _MOST_RARE_SYLLABLES
