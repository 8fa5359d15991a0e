"""Text of a guideline as GitHub Flavored Markdown that shows it as it stands and can be nothing else.

Cards are rendered inside a clinician's record system: no markup, link, picture or HTML of a corpus may come to life
there. Escaped is what GFM gives a meaning (https://github.github.com/gfm/), and nothing more, so that a client which
shows the source still shows a dose that can be read.
"""

from __future__ import annotations

import re

from retrieval import without_hidden

_ANYWHERE = re.compile(r"[\\`*_\[\]|~!#]")
_LINE_START = re.compile(r"^(?:([-+=>])|(\d{1,9})([.)]))")
#: What GFM makes a link of without brackets: schemes, www., and addresses of mail.
_SCHEME = re.compile(r":(?=//)|(?<=mailto):|(?<=xmpp):", re.IGNORECASE)
_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
#: An invisible character that is part of no word: after it stands no mail domain, whatever is unescaped first.
_WORD_JOINER = "\u2060"


def plain(text: str) -> str:
    """Text on one line, without characters that nobody can see."""
    return " ".join(without_hidden(text).split())


def escaped(text: str) -> str:
    """The text as Markdown for one paragraph; its line ends stay, as hard breaks."""
    return "\\\n".join(_line(line) for line in map(plain, text.splitlines()) if line)


def _line(text: str) -> str:
    text = _ANYWHERE.sub(lambda match: f"\\{match[0]}", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = _WWW.sub(r"\\.", _SCHEME.sub(r"\\:", text)).replace("@", f"@{_WORD_JOINER}")
    return _LINE_START.sub(lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", text)
