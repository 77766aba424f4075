"""Draws the screens of a sample catalog as SVG: `python -m tests.tui.screenshot OUT_DIR`."""

import asyncio
import html
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len

from catalog.language import choose_language
from tests.tui.factory import make_catalog
from tui.app import DARK, HaeseolApp

SIZES = ((120, 36), (80, 24))
SCENES: dict[str, Sequence[str]] = {
    "list": ("j", "space", "j", "space", "k"),
    "search": ("slash", "강", "아", "지", "space", "상", "자", "down", "j"),
    "nothing": ("slash", "강", "아", "쥐", "down"),
    "scenes": ("enter", "j", "j"),
    "edit": ("e", "space", "시", "험"),
    "recaption": ("space", "space", "r"),
    "queue": ("2", "j", "j"),
    "help": ("question_mark",),
}
"""The keys that lead to each picture."""

WORDS = re.compile(
    r'(<text class="terminal-[^"]*" )x="([\d.]+)"( y="[^"]*")[^>]*?(clip-path="[^"]*")?>([^<]*)</text>'
)
CELL = 12.2
"""The width of a cell in Textual's pictures."""


async def draw(directory: Path, size: tuple[int, int], keys: Sequence[str]) -> str:
    """One screen of a fresh sample catalog, after some keys."""
    catalog = make_catalog(directory)
    app = HaeseolApp(catalog)
    async with app.run_test(size=size, notifications=True) as pilot:
        app.theme = DARK.name  # there is no terminal whose colours could be asked for
        await pilot.pause(0.3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        await pilot.pause(0.4)
        picture = app.export_screenshot(title="haeseol")
    catalog.close()
    return WORDS.sub(place_words, picture)


def place_words(match: re.Match[str]) -> str:
    """Puts every wide character and every word at its own cell.

    Few fonts are two cells wide for Hangul where they are one for Latin, and few programs stretch text.
    """
    head, start, tail, _, content = match.groups()
    x, pieces = float(start), []
    for piece in re.findall(r"[ -~]+|.", html.unescape(content).replace("\xa0", " ")):
        if piece.strip():
            words = piece.lstrip(" ")
            place = x + (len(piece) - len(words)) * CELL
            size = 'style="font-size:23px"' if cell_len(piece) > len(piece) else ""
            text = html.escape(words).replace(" ", "&#160;")
            pieces.append(f'{head}x="{place:.1f}"{tail} {size}>{text}</text>')
        x += cell_len(piece) * CELL
    return "".join(pieces)


def main(out: Path, language: str = "ko") -> None:
    """Draws every screen in every size."""
    choose_language(language)
    out.mkdir(parents=True, exist_ok=True)
    for name, keys in SCENES.items():
        for size in SIZES:
            with tempfile.TemporaryDirectory() as directory:
                picture = asyncio.run(draw(Path(directory), size, keys))
            (out / f"{name}-{size[0]}x{size[1]}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
