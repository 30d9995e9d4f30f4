"""A real browser on the gateway's page: Debian's chromium, driven by playwright; axe beside it."""

import contextlib
import os
import re
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import sync_playwright

from support.waiting import PATIENCE

CHROMIUM = "/usr/bin/chromium"
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
# Beside WCAG A and AA what axe calls best practices: landmarks, headings, regions.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextlib.contextmanager
def chromium():
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # chromium has none for root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*sandbox, "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """One tab, and what went wrong in it: errors of scripts, the console, requests elsewhere."""

    def __init__(self, browser, port, width=1280, height=900, scheme="light", **options):
        self.origin = f"http://127.0.0.1:{port}"
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000 * PATIENCE)
        self.faults, self.requests, self.elsewhere = [], [], []
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", self._see)

    def _hear(self, message):
        if message.type not in ("error", "warning"):
            return
        # The browser's own line on an answer that is none: parts that a gateway does not have, and
        # a gateway that is away, are asked for on purpose.
        if re.match(r"Failed to load resource: (net::ERR_|the server responded with a status of)", message.text):
            return
        self.faults.append(f"console: {message.text}")

    def _see(self, request):
        self.requests.append(request.url)
        if not request.url.startswith((self.origin + "/", "data:")):
            self.elsewhere.append(request.url)

    def open(self, path="/"):
        answer = self.page.goto(self.origin + path)
        assert answer.status == 200, answer
        return self

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    def wait_for_text(self, selector, pattern, seconds=60):
        """Until the element's text matches; gives the match."""
        self.page.wait_for_function(
            "([selector, pattern]) => new RegExp(pattern, 's').test(document.querySelector(selector)?.innerText || '')",
            arg=[selector, pattern],
            timeout=seconds * 1000 * PATIENCE,
        )
        return re.search(pattern, self.text(selector), re.S)

    def sees(self, selector, pattern, seconds):
        """Whether the element's text comes to match within so long."""
        try:
            return bool(self.wait_for_text(selector, pattern, seconds))
        except NotInTime:
            return False

    def axe(self):
        """The rules that are broken, in words."""
        self.page.evaluate(AXE)
        found = self.page.evaluate("tags => axe.run(document, {runOnly: tags})", AXE_TAGS)
        assert len(found["passes"]) > 15, "axe has looked at hardly anything"
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found["violations"]
        ]

    def well(self):
        """Nothing went wrong, and nobody else was asked for anything."""
        assert not self.faults and not self.elsewhere, (self.faults, self.elsewhere)
        self.context.close()
