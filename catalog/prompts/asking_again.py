"""Prompts for when an answer was no good: stricter, and by way of English."""

from collections.abc import Iterable

from catalog.prompts.rendering import with_glossary
from catalog.prompts.templates import Template
from catalog.review import Reason

RETRY_KEY = "retry-ko-1"
_RETRY = "{prompt}\n\n앞서 쓴 답은 쓸 수 없었습니다. 다시 쓰되 다음을 꼭 지켜 주세요.\n{demands}"

_DEMANDS: dict[Reason, str] = {
    Reason.EMPTY: "보이는 것을 적어도 한 문장으로 쓰세요.",
    Reason.NOT_KOREAN: "영어를 섞지 말고 처음부터 끝까지 한국어로만 쓰세요.",
    Reason.FOREIGN_SCRIPT: "한자나 일본 글자, 러시아 글자 없이 한글로만 쓰세요.",
    Reason.REPETITION: "같은 말을 되풀이하지 말고, 할 말을 다 했으면 바로 끝내세요.",
    Reason.REFUSAL: "사과나 거절 없이 화면에 보이는 것만 쓰세요.",
    Reason.PROMPT_ECHO: "이 요청을 옮겨 적지 말고 보이는 것을 쓰세요.",
    Reason.BROKEN_TEXT: "깨진 글자 없이 온전한 한글로 쓰세요.",
    Reason.CONTROL_TOKENS: "대화 표시나 꺾쇠 기호 없이 문장만 쓰세요.",
    Reason.UNFINISHED: "짧게 쓰고, 마지막 문장을 마침표로 끝맺으세요.",
    Reason.META_OPENER: "'이 영상은' 같은 머리말 없이 보이는 것부터 바로 쓰세요.",
    Reason.MARKUP: "목록이나 제목 없이 이어지는 문장으로 쓰세요.",
    Reason.MIXED_SPEECH_LEVEL: "모든 문장을 같은 말투로 끝맺으세요.",
    Reason.DOUBLED_WORD: "같은 낱말을 잇달아 두 번 쓰지 마세요.",
    Reason.UNEVEN_SPACING: "띄어쓰기를 바르게 하세요.",
}

TRANSLATE = Template(
    "translate-ko-1",
    "Translate what you just wrote into natural Korean, in Hangul. Write only the translation.\n"
    "방금 쓴 글을 자연스러운 한국어로 옮기세요. 번역한 글만 쓰세요.",
)


def render_retry(prompt: str, reasons: Iterable[str]) -> str:
    """A rendered prompt once more, with what the answer to it lacked."""
    demands = "\n".join(f"- {_DEMANDS[Reason(reason)]}" for reason in reasons)
    return _RETRY.replace("{demands}", demands).replace("{prompt}", prompt)


def render_translate(*, glossary: str = "") -> str:
    """Asks for the Korean of the English answer that stands right before."""
    return with_glossary(TRANSLATE.text, glossary)
