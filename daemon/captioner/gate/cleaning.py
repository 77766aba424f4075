"""Repairs that lose nothing: signs that no reader should see, and a nod before the text itself."""

import re
import unicodedata

from daemon.captioner.gate.endings import is_cut_off

_END_TOKEN = re.compile(r"</s>|<\|(?:im_end|endoftext|eot_id|end)\|>|<end_of_turn>|<eos>")
_SPEAKER = re.compile(
    r"^\s*(?:ASSISTANT\s?:|Assistant\s?:|assistant\s*\n|<s>|<\|im_start\|>\s*assistant)\s*"
)
_BULLET = re.compile(r"^\s*(?:[-*•▶■●◦]|\d{1,2}[.)])\s+")
_MISSING_SPACE = re.compile(r"(?<=[다요]\.)(?=[가-힣])")
_WHOLE_LINE = re.compile(r"[다요죠음함임]\s*[.!?]\s*$")

_MEDIUM = r"(?:동영상|영상|비디오|이미지|클립)"
_THIS = r"(?:이|본|해당|위|제공된|주어진)\s"
_OPENERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(?:네|예|물론입니다|물론이죠|물론이에요|알겠습니다|좋습니다|그럼요|당연하죠)\s?[,.!]+\s*",
        r"^(?:다음은|아래는|여기)\s[^.:!]{0,30}(?:설명|묘사|캡션|요약|번역)(?:입니다|이에요|있습니다)\s?[.:!]\s*",
        rf"^(?:{_MEDIUM}\s?|장면\s?)?(?:설명|묘사|캡션|답변|요약|번역)\s?:\s*",
        rf"^(?:{_THIS})?{_MEDIUM}(?:\s?속)?(?:에서는|에서|에는|에선),?\s+(?=[가-힣A-Z0-9\"'“‘])",
        rf"^(?:{_THIS})?{_MEDIUM}\s?속의?\s+(?=[가-힣])",
        rf"^{_THIS}(?:장면|사진)(?:에서는|에서|에는|에선),?\s+(?=[가-힣])",
    )
)
_MIN_REST = 8
"""So many syllables must be left of a text for its opener to be cut off."""


def cleaned(text: str) -> str:
    """NFC, one space between words, no control characters, no leaked end tokens, no bold, no nod.

    An opener is cut off only where a whole sentence is left without it: `영상에서는 개가 뛴다.`
    """
    spoken = _without_tokens(unicodedata.normalize("NFC", text))
    lines = _without_bullets(spoken.replace("**", "").splitlines())
    return _without_opener(_on_one_line("\n".join(lines)))


def _without_tokens(text: str) -> str:
    """What the model says before it ends its turn; whatever it makes up after that is no answer."""
    spoken = _END_TOKEN.split(text, maxsplit=1)[0]
    spoken = spoken if spoken.strip() else _END_TOKEN.sub("", text)
    return _SPEAKER.sub("", spoken)


def _without_bullets(lines: list[str]) -> list[str]:
    """Takes the bullets off a list whose items are whole sentences: then they read as a text."""
    bulleted = [line for line in lines if _BULLET.match(line)]
    if len(bulleted) < 2 or not all(_WHOLE_LINE.search(line) for line in bulleted):
        return lines
    return [_BULLET.sub("", line) for line in lines]


def _on_one_line(text: str) -> str:
    printable = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    return _MISSING_SPACE.sub(" ", " ".join(printable.split()))


def _without_opener(text: str) -> str:
    for opener in _OPENERS:
        rest = opener.sub("", text, count=1)
        if rest != text and _stands_alone(rest):
            return _without_opener(rest)
    return text


def _stands_alone(rest: str) -> bool:
    syllables = sum("가" <= character <= "힣" for character in rest)
    return syllables >= _MIN_REST and not is_cut_off(rest)
