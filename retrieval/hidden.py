"""Characters that a reader cannot see: what is written with them is told to a model and to nobody else.

The set is Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt) with the control characters, less what
writing needs: joiners (Persian, Hindi, emoji), direction marks of right-to-left text, and the two variation selectors
that choose between text and emoji. Directional overrides and isolates are in it: they can show a dose backwards.
"""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)


def without_hidden(text: str) -> str:
    """The text without characters that nobody sees; white space stays as it is."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub("", text)
