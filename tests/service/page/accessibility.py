"""axe-core on the page as it stands: what it can find of WCAG 2.2 AA and of good practice."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_AXE = Axe()
#: Everything axe knows: its rules by the letter of WCAG A and AA up to 2.2, and those that are only good practice.
_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def axe_violations(page: Page) -> list[str]:
    """Each violation as "rule (impact): selectors"; the browser itself evaluates it, so the page's CSP stays strict."""
    response = _AXE.run(page, options=_OPTIONS).response
    return [
        f"{found['id']} ({found['impact']}): {', '.join(str(node['target']) for node in found['nodes'])}"
        for found in response["violations"]
    ]
