"""Checks of pages in a browser by axe, whose rules are those of WCAG."""

from axe_playwright_python.sync_playwright import Axe

SERIOUS = ("serious", "critical")


def violations(page, known=()):
    """Serious and critical violations, as (rule, selector, HTML).

    Args:
        page: of playwright.
        known: (rule, part of the selector) of violations by a library that cannot be mended here.
    """
    response = Axe().run(page).response
    found = [
        (rule["id"], " ".join(map(str, node["target"])), node["html"][:200])
        for rule in response["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
    return [one for one in found if not any(one[0] == rule and part in one[1] for rule, part in known)]
