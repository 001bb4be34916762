"""Words ahead of the grammar: what is noise, what is a slip, and what makes a command unsafe. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from rapidfuzz.distance import OSA

LONGEST = 500  # characters of one request
SLIP = 5  # letters from which on one slip is forgiven

QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
POLITE_START = re.compile(
    r"^(?:please|pls|kindly|hey|hi|hello|ok|okay|assay|co-?pilot|(?:can|could|would|will) you"
    r"|i (?:want|need) (?:you )?to|i(?:'d| would) like (?:you )?to|let'?s|go ahead and"
    r"|we (?:need|want) to)[, ]+",
    re.IGNORECASE,
)
POLITE_END = re.compile(
    r"[, ]+(?:please|pls|thanks|thank you|thx|for me|now|right now|asap|immediately)$",
    re.IGNORECASE,
)

VERBS = (
    *("promote", "push", "advance", "deploy", "release", "withdraw", "demote", "archive"),
    *("retire", "retry", "rollback", "revert", "raise", "increase", "lower", "reduce"),
    *("change", "compare", "explain", "describe", "display", "list", "show"),
)
STAGES = {
    "development": "development",
    "dev": "development",
    "sandbox": "sandbox",
    "canary": "canary",
    "production": "production",
    "prod": "production",
    "live": "production",
    "rollback": "rollback",
    "archived": "archived",
    "archive": "archived",
}
LEADS = {"to", "into", "in", "from", "for", "the", "enter", "of"}  # a stage may follow these

NEGATION = re.compile(
    r"\b(?:not|never|don'?t|doesn'?t|didn'?t|won'?t|can'?t|cannot|mustn'?t|shouldn'?t|isn'?t|no"
    r"|without|except|instead|nor|neither|stop|avoid|undo|cancel|prevent|refuse)\b(?![-_])",
    re.IGNORECASE,
)
CONDITION = re.compile(
    r"\b(?:if|unless|when|whenever|once|after|before|until|till|while|provided|assuming|otherwise"
    r"|maybe|perhaps|later|tomorrow|tonight|in case|as soon as)\b(?![-_])",
    re.IGNORECASE,
)
MANY = re.compile(
    r"\b(?:all|every|everything|each|both|any|anything|them|these|those|it|this|that|one)\b(?![-_])",
    re.IGNORECASE,
)
TAIL = re.compile(r"\s(?:to|into|in|--\w+)\b", re.IGNORECASE)  # of a name, where no stage followed
VERB_WORDS = "|".join(
    (*VERBS, "move", "put", "send", "set", "delete", "drop", "roll", "approve", "sign")
)
SEVERAL = re.compile(
    rf"[;&|]|\bthen\b|(?:,|\.|\b(?:and|or|but|also|plus)\b)\s*(?:also\s+|then\s+)?"
    rf"(?:please\s+)?(?:{VERB_WORDS})\b",
    re.IGNORECASE,
)
HEDGED_REASON = re.compile(  # a reason may say "after the deploy", but set no condition
    r"\b(?:unless|provided|otherwise|only if|only when|but only|but not|not really|just kidding)\b"
    r"|, (?:if|when|once)\b",
    re.IGNORECASE,
)


def clean(raw: str) -> str:
    """One line with plain quotes and single blanks, without what is said out of politeness."""
    text = unicodedata.normalize("NFKC", raw).translate(QUOTES)
    text = " ".join(text.split()).rstrip(".!? ")
    while True:
        shorter = POLITE_END.sub("", POLITE_START.sub("", text, count=1)).rstrip(".!?, ")
        if shorter == text or not shorter:
            return text
        text = shorter


def mend(text: str) -> str:
    """The text with single slips in its verb, and in words where a stage may stand, put right."""
    words = text.split(" ")
    words[0] = _mended(words[0], VERBS)
    for place in range(1, len(words)):
        if words[place - 1].lower() in LEADS:
            words[place] = _mended(words[place], STAGES)
    return " ".join(words)


def is_typed(raw: str) -> bool:
    """Whether these are words on one line that a person may have typed."""
    kinds = {unicodedata.category(character) for character in raw}
    return len(raw) <= LONGEST and not kinds & {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def doubt(command: str, reason: str = "") -> str:
    """Why a command is better not taken as one; empty where nothing speaks against it.

    Args:
        command: All but the reason; ``reason`` is free text, so it is looked at less closely.
    """
    if NEGATION.search(command):
        return "it says what not to do"
    if CONDITION.search(command) or HEDGED_REASON.search(reason):
        return "it sets a condition or a time, and I act at once or not at all"
    if SEVERAL.search(command) or SEVERAL.search(reason):
        return "it asks for several things; say one at a time"
    return ""


def _mended(word: str, known: Collection[str]) -> str:
    lowered = word.lower()
    if lowered in known or len(lowered) < SLIP:
        return word
    near = [
        k for k in known if k[0] == lowered[0] and len(k) >= SLIP and OSA.distance(k, lowered) == 1
    ]
    return near[0] if len(near) == 1 else word
