"""From a question to the text that a checkpoint reads, by the checkpoint's own chat template."""

from typing import Any

from daemon.captioner.base import Question

Message = dict[str, Any]

_TURN_MARKS = ("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>")
"""What Mistral and Llama 2 end a turn with, though their tokenizers see plain text in it."""


class Conversation:
    """Writes questions for one checkpoint."""

    def __init__(self, processor: Any, system: str) -> None:
        self._processor = processor
        self._system = system
        tokenizer = processor.tokenizer
        tokens = {
            *tokenizer.all_special_tokens,
            *tokenizer.get_added_vocab(),
            *_TURN_MARKS,
            *(getattr(processor, name, None) or "" for name in ("image_token", "video_token")),
        }
        # Longest first: a token inside of another would break that one before it is found.
        self._control = sorted((it for it in tokens if _plain(it) != it), key=len, reverse=True)

    def text(self, question: Question, stills: int, *, video: bool) -> str:
        """The whole prompt, with one placeholder a still picture and one for the video."""
        messages = self._messages(question, stills, video=video)
        text = self._rendered(messages)
        if self._system and self._system not in text:
            content = [{"type": "text", "text": self._system}]
            text = self._rendered([{"role": "system", "content": content}, *messages])
        return text

    def adds_special_tokens(self, text: str) -> bool:
        """Whether the tokenizer should write the first token, which some templates have written."""
        first = self._processor.tokenizer.bos_token
        return not (first and text.startswith(first))

    def without_control_tokens(self, text: str) -> str:
        """A prompt may quote a file name that spells `<video>`; as a token it would count as frames."""
        before = None
        while text != before:  # taking one out can put another together: <<video>>
            before = text
            for token in self._control:
                text = text.replace(token, _plain(token))
        return text

    def _messages(self, question: Question, stills: int, *, video: bool) -> list[Message]:
        pictures: list[dict[str, str]] = [{"type": "image"}] * stills
        if video:
            pictures.append({"type": "video"})
        messages: list[Message] = []
        for turn in question.earlier:
            messages += [self._said("user", turn.prompt), self._said("assistant", turn.answer)]
        messages.append(self._said("user", question.prompt))
        messages[0]["content"] = [*pictures, *messages[0]["content"]]
        return messages

    def _said(self, role: str, text: str) -> Message:
        plain = self.without_control_tokens(text)
        return {"role": role, "content": [{"type": "text", "text": plain}]}

    def _rendered(self, messages: list[Message]) -> str:
        text: str = self._processor.apply_chat_template(messages, add_generation_prompt=True)
        return text


def _plain(token: str) -> str:
    return token.strip("<>|[]")
