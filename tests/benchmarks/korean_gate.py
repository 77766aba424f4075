"""Measures the Korean gate on captions written by hand: `python -m tests.benchmarks.korean_gate`.

Good captions should pass and stay as they are; broken ones should be refused, or mended so that
nothing is left to refuse. The first set was there while the rules were written. The second and the
third were written afterwards, and the rules met each of them once before they were mended:

second set: 0 of 63 good captions refused, 36 of 40 broken ones caught (90.0 %)
third set:  0 of 30 good captions refused, 40 of 42 broken ones caught (95.2 %)
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.review import Reason
from daemon.captioner.gate import cleaned, review_reasons

FOLDER = Path(__file__).parent.parent / "daemon" / "captioner" / "captions"
SETS = {
    "first set": ("good.jsonl", "broken.jsonl"),
    "second set": ("good_2.jsonl", "broken_2.jsonl"),
    "third set": ("good_3.jsonl", "broken_3.jsonl"),
}


@dataclass(frozen=True, slots=True)
class Caption:
    """One line of a file. `kind` is what it shows, or the reason that is wrong with it."""

    kind: str
    text: str
    finished: bool = True
    good_once_cleaned: str = ""
    """What cleaning should make of a broken caption that it can mend; empty for the others."""

    def reasons(self) -> tuple[str, ...]:
        """What the gate says of it."""
        return review_reasons(cleaned(self.text), finished=self.finished)

    @property
    def mended(self) -> bool:
        """Whether cleaning made the good caption of it that is expected."""
        return cleaned(self.text) == self.good_once_cleaned and not self.reasons()


def read(name: str) -> list[Caption]:
    """The captions of a file."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [
        Caption(
            it.get("kind") or it["reason"],
            it["text"],
            it.get("finished", True),
            it.get("mended", ""),
        )
        for it in records
    ]


def false_alarms(good: Sequence[Caption]) -> list[Caption]:
    """Good captions that are refused, or that cleaning changes."""
    return [one for one in good if one.reasons() or cleaned(one.text) != one.text]


def missed(broken: Sequence[Caption]) -> list[Caption]:
    """Broken captions that pass as they are."""
    return [one for one in broken if not one.reasons() and not one.mended]


def table(good: Sequence[Caption], broken: Sequence[Caption]) -> str:
    """One line a rule: false alarms on all good captions, and what is caught of its own kind."""
    alarms = Counter(reason for one in good for reason in one.reasons())
    of_kind: dict[str, list[Caption]] = defaultdict(list)
    for one in broken:
        of_kind[one.kind].append(one)
    lines = [f"{'rule':<20}{'false alarms':>14}{'broken':>8}{'named':>7}{'caught':>8}{'mended':>8}"]
    for reason in Reason:
        own = of_kind[reason]
        named = sum(reason in one.reasons() for one in own)
        mended = sum(one.mended for one in own)
        caught = len(own) - len(missed(own)) - mended
        lines.append(
            f"{reason:<20}{alarms[reason]:>14}{len(own):>8}{named:>7}{caught:>8}{mended:>8}"
        )
    wrong, gone = len(false_alarms(good)), len(missed(broken))
    lines.append(
        f"good: {wrong} of {len(good)} refused or changed ({100 * wrong / len(good):.1f} %)"
    )
    handled = len(broken) - gone
    lines.append(f"broken: {handled} of {len(broken)} caught ({100 * handled / len(broken):.1f} %)")
    return "\n".join(lines)


def main() -> None:
    """Prints a table for each set, and every mistake below it."""
    for title, (good_file, broken_file) in SETS.items():
        if not (FOLDER / good_file).exists():
            continue
        good, broken = read(good_file), read(broken_file)
        print(f"{title}\n{table(good, broken)}")
        for one in false_alarms(good):
            print(f"  refused {one.reasons()}: {one.text}")
        for one in missed(broken):
            print(f"  missed {one.kind}: {one.text!r}")
        print()


if __name__ == "__main__":
    main()
