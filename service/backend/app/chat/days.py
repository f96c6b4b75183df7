"""Days as people name them: `tomorrow`, `Friday`, `in 3 days`, `4 March`, `2026-03-04`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

MOST_OFFSET = 14 * 60  # minutes; no place is farther from UTC
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_NUMBERS = {
    name: count
    for count, name in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1
    )
}
_NUMBERS |= {"a": 1, "an": 1}
_WEEKDAY = "|".join(_WEEKDAYS)
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS)
_COUNT = "|".join(_NUMBERS)
_DAY = (
    rf"the day after tomorrow|today|tonight|tomorrow|next week|(?:this |next |coming )?(?:{_WEEKDAY})"
    rf"|in (?:\d{{1,3}}|{_COUNT}) (?:days?|weeks?)|\d{{4}}-\d{{2}}-\d{{2}}"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?"
)
_CLOCK = r"(?:\d{1,2}(?::\d{2})? ?(?:am|pm)?|noon|midnight)"
_AT_THE_END = re.compile(
    rf"(?P<rest>.*?\S),?\s+(?:(?:due |not later than )?(?:by|on|for|until|before)\s+|due\s+)?(?P<day>{_DAY})"
    rf"(?P<time> at {_CLOCK}| (?:in the )?(?:morning|afternoon|evening))?",
    re.IGNORECASE,
)


def today(offset_minutes: int | None) -> date:
    """The date where clocks are `offset_minutes` ahead of UTC; UTC's own when that is not known."""
    return (datetime.now(UTC) + timedelta(minutes=offset_minutes or 0)).date()


def in_words(day: date) -> str:
    """`Monday, 2026-03-02`."""
    return f"{_WEEKDAYS[day.weekday()].capitalize()}, {day.isoformat()}"


def day_named(words: str, now: date) -> date | None:
    """The day that these words mean when said on the day `now`; None when they mean none.

    A weekday is the next one that comes, never today; "next" moves it into the week after this one. A month's
    day is the next such day.
    """
    text = " ".join(words.lower().split()).removeprefix("the ")
    plain = {"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2, "next week": 7 - now.weekday()}
    if text in plain:
        return now + timedelta(days=plain[text])
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return _date(int(text[:4]), int(text[5:7]), int(text[8:]))
    if found := re.fullmatch(rf"(this |next |coming )?({_WEEKDAY})", text):
        weekday = _WEEKDAYS.index(found[2])
        if found[1] == "next ":
            return now + timedelta(days=7 - now.weekday() + weekday)
        return now + timedelta(days=(weekday - now.weekday()) % 7 or 7)
    if found := re.fullmatch(rf"in (\d{{1,3}}|{_COUNT}) (day|week)s?", text):
        count = _NUMBERS.get(found[1]) or int(found[1])
        return now + timedelta(days=count * (7 if found[2] == "week" else 1))
    return _day_of_month(text, now)


def _day_of_month(text: str, now: date) -> date | None:
    number = r"(\d{1,2})(?:st|nd|rd|th)?"
    found = re.fullmatch(rf"{number}(?: of)? ({_MONTH})|({_MONTH}) {number}", text)
    if not found:
        return None
    name, wanted = found[2] or found[3], int(found[1] or found[4])
    month = next(index for index, full in enumerate(_MONTHS, 1) if full.startswith(name))
    day = _date(now.year, month, wanted)
    return _date(now.year + 1, month, wanted) if day is not None and day < now else day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def split_day(text: str, now: date) -> tuple[str, date | None]:
    """What is to be done, and the day named at the end of it: "call Ines on Friday" → "call Ines", Friday.

    A time of day stays with the words, for tasks have days alone.
    """
    found = _AT_THE_END.fullmatch(text.strip())
    day = day_named(found["day"], now) if found else None
    if not found or not day:
        return text, None
    return found["rest"].rstrip(" ,") + (found["time"] or ""), day
