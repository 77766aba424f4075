"""The reasons for a review: words for people in both languages, and how grave they are."""

from catalog.language import choose_language
from catalog.review import GRAVITY, WORDS, Gravity, Reason, gravest, in_words, weight


def test_every_reason_has_a_gravity_and_words_in_both_languages() -> None:
    assert set(GRAVITY) == set(WORDS) == set(Reason)
    english = {reason: in_words(reason) for reason in Reason}
    choose_language("ko")
    korean = {reason: in_words(reason) for reason in Reason}
    assert len(set(english.values())) == len(set(korean.values())) == len(Reason)
    assert all(any("가" <= letter <= "힣" for letter in text) for text in korean.values())


def test_a_name_of_a_later_version_stays_as_it_is() -> None:
    assert in_words("of_tomorrow") == "of_tomorrow"


def test_many_light_reasons_weigh_less_than_a_grave_one() -> None:
    flags = [reason for reason in Reason if GRAVITY[reason] is Gravity.FLAG]
    assert weight(flags) < weight(["unfinished"]) < weight(["empty"])
    assert gravest(["unfinished", "markup"]) is Gravity.RETRY
    assert gravest([]) is None
    assert weight([]) == 0
