"""The page at /, in a real browser, on real pipelines: what it shows, and that it bears what comes."""

import itertools
import re
import signal

import pytest

from support.browser import Watched, chromium
from support.gateway import Gateway
from support.stack import ROOT
from support.tables import BOSTON
from support.waiting import wait_until

READER, ADMIN = "reader-0123456789", "admins-0123456789"


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def boston(make_pipeline):
    return make_pipeline("medv")


def half(keep=0):
    lines = BOSTON.splitlines(True)
    return b"".join(lines[:1] + lines[1 + keep :: 2])


def run_of(pipeline, *options):
    """A pipeline that flows, and its gateway."""
    run = pipeline.start("run", *options, name="run")
    wait_until(lambda: "gateway:" in run.stdout, "the run tells where its gateway is")
    port = int(run.stdout.split("gateway:")[1].split()[0].rstrip("/").rsplit(":", 1)[1])
    pipeline.drop("boston.csv", BOSTON)
    pipeline.wait_for_resume(1)
    gateway = Gateway(port)
    gateway.wait_ready()
    return gateway


def choose(watched, name, data):
    watched.page.locator("#file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def drop(watched, name, text):
    """As a hand would: files of the desktop over the page, let go of."""
    watched.page.evaluate(
        """([name, text]) => {
          const files = new DataTransfer();
          files.items.add(new File([text], name, {type: "text/csv"}));
          for (const kind of ["dragenter", "dragover", "drop"]) {
            document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: files, bubbles: true, cancelable: true}));
          }
        }""",
        [name, text],
    )


def test_the_page_shows_the_live_figures_and_a_new_model_while_it_is_open(boston, browser):
    gateway = run_of(boston)
    watched = Watched(browser, gateway.port).open()
    watched.wait_for_text("#gate-now", r"Open.*model 1, epoch 1")
    assert watched.text("#pipeline") == boston.name
    # 50 rows a second come, and are scored; the table and /v1/flow have the same figures.
    watched.wait_for_text("#flow-rate", r"\b(4\d|5\d)\.\d\s+arriving\s+(4\d|5\d)\.\d\s+scored\s+0\.00\s+dead")
    watched.wait_for_text("#flow-time", r"\d+ ms\s+half are faster")
    shown = gateway.get("/v1/flow")
    assert 40 < shown["per_second"]["predicted"] < 60 and shown["answer_seconds"]["answers"] > 100
    rates = watched.page.locator("#flow-rate svg").get_attribute("aria-label")
    assert re.search(r"now \d+\.\d arriving, \d+\.\d scored, 0\.00 dead-lettered", rates), rates
    # Predictions meet their true values; the figure is that of the pairs.
    watched.wait_for_text("#latest", r"1:\d+\s+[\d.]+\s+[\d.]+\s+[+−][\d.]+\s+1\s")
    rmse = float(watched.wait_for_text("#scatter", r"([\d.]+)\s+RMSE, last \d{2,}")[1])
    held_out = gateway.get("/v1/models")["models"][0]["held_out"]
    assert 0.3 < rmse / held_out["rmse"] < 3, "the error of held-out rows is near the one in training"
    assert watched.page.locator("#scatter circle").count() > 20
    watched.wait_for_text("#members", "scorer.*trainer")
    watched.wait_for_text("#alerts", "Nothing wants your attention")

    drop(watched, "spring.csv", half().decode())
    watched.wait_for_text("#upload", r"Uploaded spring\.csv: 17\.\d kB, whole")
    watched.wait_for_text("#upload", r"Taken up as epoch 2; the stream was halted for")
    said = watched.wait_for_text("#upload", r"Model 2 is in force after .*: RMSE ([\d.]+) on the held-out rows")
    assert abs(float(said[1]) - gateway.get("/v1/models")["models"][0]["held_out"]["rmse"]) < 0.01
    watched.wait_for_text("#gate-now", r"Open.*model 2, epoch 2")
    watched.wait_for_text("#models", r"2\s+in force.*1\s+Roll back")
    watched.wait_for_text("#latest", r"2:\d+\s+[\d.]+\s+[\d.]+\s+[+−][\d.]+\s+2\s")
    watched.wait_for_text("#past", r"Used \(2\).*spring\.2\.csv.*boston\.1\.csv")

    watched.page.get_by_role("button", name="Roll back to model 1").click()
    watched.page.locator("#confirm-yes").click()
    watched.wait_for_text("#rollback-said", "Model 1 is in force since epoch 3")
    watched.wait_for_text("#gate-now", r"Open.*model 1, epoch 3")
    epochs = gateway.get("/v1/epochs")["epochs"]
    assert [(one["epoch"], one["outcome"], one["version"]) for one in epochs] == [
        (3, "rolled_back", 1),
        (2, "trained", 2),
        (1, "trained", 1),
    ]
    watched.well()
    boston.stop_all()


def test_a_data_set_that_is_refused_says_why(boston, browser):
    gateway = run_of(boston)
    watched = Watched(browser, gateway.port).open()
    watched.wait_for_text("#gate-now", "Open")
    choose(watched, "bad.csv", b"crim,medv\n1,x\n2,3\n")
    drop(watched, "worse.csv", "crim,medv\n1,2\n2,y\n")  # while the other one is on its way: it waits its turn
    watched.wait_for_text("#upload", r"No new model: .*not a number: 'y'.*Model 1 goes on")
    watched.wait_for_text("#past", r"Refused \(2\).*worse\.3\.csv.*not a number: 'y'.*bad\.2\.csv.*not a number: 'x'")
    choose(watched, "again.csv", BOSTON)  # the live model's very bytes: no epoch, but a reason
    watched.wait_for_text("#upload", r"Set aside without a training: .+No new model")
    choose(watched, "_hidden.csv", BOSTON)
    watched.wait_for_text("#upload", "Not uploaded: ")
    watched.well()
    boston.stop_all()


def test_an_upload_that_is_damaged_on_its_way_is_refused(boston, browser):
    gateway = run_of(boston)
    damaged = half().replace(b"0", b"1", 1)

    def spoil(route):
        if route.request.method == "PUT":
            route.continue_(post_data=damaged)
        else:
            route.continue_()

    watched = Watched(browser, gateway.port).open()
    watched.page.route("**/v1/datasets/*", spoil)
    watched.wait_for_text("#gate-now", "Open.*model 1")
    choose(watched, "spring.csv", half())
    watched.wait_for_text("#upload", r"Not uploaded: .*Content-Digest is of other bytes than came")
    assert boston.dropped() == []
    watched.well()

    # Where the browser has no digest (http from another machine) the file goes without, and what
    # has become of it is not seen.
    watched = Watched(browser, gateway.port)
    watched.page.route("**/v1/datasets/*", spoil)
    watched.page.add_init_script("Object.defineProperty(window, 'crypto', {value: {}})")
    watched.open().wait_for_text("#gate-now", "Open.*model 1")
    choose(watched, "spring.csv", half())
    watched.wait_for_text("#upload", r"Uploaded spring\.csv: .* whole")
    watched.well()


def test_a_gateway_that_dies_and_comes_back_is_waited_for(boston, browser):
    boston.start("run", "--no-serve", name="run")
    boston.drop("boston.csv", BOSTON)
    boston.wait_for_resume(1)
    process = boston.start("serve", name="gateway")
    gateway = Gateway.of(process)
    boston.set("serve.port", gateway.port)  # the same again for the one to come
    watched = Watched(browser, gateway.port).open()
    watched.wait_for_text("#gate-now", "Open.*model 1")
    watched.wait_for_text("#latest", r"1:\d+")
    process.send(signal.SIGKILL)
    watched.wait_for_text("#banner", r"does not answer.*as it was at \d\d:\d\d:\d\d.*Trying again in \d+ s")
    assert "Open" in watched.text("#gate-now"), "what was known stays to be seen"
    # Each attempt waits longer, and there are few.
    before = len(watched.requests)
    watched.wait_for_text("#banner", "Trying again in [78] s")
    assert len(watched.requests) - before < 20
    boston.drop("spring.csv", half())
    boston.wait_for_resume(2)
    boston.start("serve", name="gateway")
    watched.page.locator("#banner").wait_for(state="hidden")
    watched.wait_for_text("#gate-now", "Open.*model 2")
    watched.wait_for_text("#models", r"2\s+in force")
    watched.wait_for_text("#latest", r"2:\d+\s+[\d.]+\s+[\d.]+\s+[+−][\d.]+\s+2\s")  # the stream, too
    watched.well()
    boston.stop_all()


def test_a_token_is_asked_for_and_kept_in_the_tab_alone(boston, browser):
    tokens = f"read {READER};admin {ADMIN}"
    boston.train_once("boston.csv", BOSTON)
    boston.start("train", name="trainer")
    boston.start("score", name="scorer")
    boston.start("produce", name="producer")
    gateway = Gateway.of(boston.start("serve", name="gateway", WEIR_SERVE_TOKEN_LIST=tokens), ADMIN)
    gateway.wait_ready()
    watched = Watched(browser, gateway.port).open()
    watched.page.locator("#login").wait_for()
    assert not watched.page.locator("#main").is_visible()
    assert watched.axe() == []
    token = watched.page.get_by_label("Token")
    assert token.evaluate("element => element === document.activeElement")
    token.fill("nobody-0123456789")
    token.press("Enter")
    watched.wait_for_text("#token-fault", "does not open this gateway")
    token.fill(READER)
    token.press("Enter")
    watched.wait_for_text("#gate-now", "Open.*model 1")
    watched.wait_for_text("#latest", r"1:\d+")  # the stream has the token, too
    choose(watched, "spring.csv", half())
    watched.wait_for_text("#upload", r"Not uploaded: this token's role is read; this needs admin")
    assert boston.dropped() == []

    watched.page.reload()
    watched.wait_for_text("#gate-now", "Open")
    assert not [url for url in watched.requests if READER in url], "a token belongs in no address"
    assert watched.page.evaluate("JSON.stringify(localStorage) + document.cookie").count(READER) == 0
    other = watched.context.new_page()
    other.goto(watched.origin)
    other.locator("#login").wait_for()
    other.close()
    watched.page.get_by_role("button", name="Forget token").click()
    watched.page.locator("#login").wait_for()
    assert watched.page.evaluate("JSON.stringify(sessionStorage)").count(READER) == 0
    watched.page.get_by_label("Token").fill(ADMIN)
    watched.page.get_by_label("Token").press("Enter")
    watched.wait_for_text("#gate-now", "Open")
    choose(watched, "spring.csv", half())
    watched.wait_for_text("#upload", "Model 2 is in force")
    watched.well()
    boston.stop_all()


HOSTILE = "<img src=x onerror=alert(1)>.csv"


def test_names_that_look_like_markup_are_text(boston, browser):
    gateway = run_of(boston)
    gateway.push({**dict.fromkeys(BOSTON.split(b"\n")[0].decode().split(",")[:-1], 1), "id": "<b>id</b><script>alert(1)</script>"})
    watched = Watched(browser, gateway.port).open()
    watched.page.on("dialog", lambda dialog: watched.faults.append(f"a dialog: {dialog.message}"))
    watched.wait_for_text("#gate-now", "Open")
    choose(watched, HOSTILE, half())
    watched.wait_for_text("#upload", "Model 2 is in force")
    choose(watched, "<i onclick=x>refused.csv", b"crim,medv\n1,<b>x</b>\n")
    watched.wait_for_text("#upload", r"No new model: .*<b>x</b>")
    watched.wait_for_text("#past", r"<i onclick=x>refused\.3\.csv.*<b>x</b>.*<img src=x onerror=alert\(1\)>\.2\.csv")
    watched.wait_for_text("#models", re.escape(HOSTILE))
    # Of many predictions a second the page shows a sample, for a moment: until it is one of these.
    record = dict.fromkeys(BOSTON.split(b"\n")[0].decode().split(",")[:-1], 2)
    pushed = itertools.count()

    def shown():
        gateway.push({**record, "id": f"<b>live {next(pushed)}</b>"})
        return watched.sees("#latest", r"<b>live \d+</b>", seconds=1)

    wait_until(shown, "the page shows a record that was pushed")
    made = watched.page.evaluate("document.querySelectorAll('main img, main i:not([aria-hidden]), main b b, script:not([src])').length")
    assert made == 0, "a name has become an element"
    watched.well()
    boston.stop_all()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(boston, browser, scheme):
    gateway = run_of(boston)
    for width in (360, 1280):
        watched = Watched(browser, gateway.port, width=width, scheme=scheme, reduced_motion="reduce").open()
        watched.wait_for_text("#latest", r"1:\d+")
        watched.wait_for_text("#models", "in force")
        watched.wait_for_text("#scatter", "RMSE, last")
        watched.page.locator("details summary").first.click()
        assert watched.axe() == [], width
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
        moving = "[...document.querySelectorAll('*')].filter(one => getComputedStyle(one).transitionDuration !== '0s').length"
        assert watched.page.evaluate(moving) == 0
        paper = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
        other = "dark" if scheme == "light" else "light"
        watched.page.get_by_label("Colours").select_option(other)
        assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") != paper
        assert watched.axe() == [], f"{width}, {other} by the switch"
        watched.page.reload()
        assert watched.page.get_by_label("Colours").input_value() == other
        watched.well()
    boston.stop_all()


def tab_to(watched, selector, presses=40):
    for _ in range(presses):
        watched.page.keyboard.press("Tab")
        if watched.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by the keyboard")


def test_all_of_it_can_be_done_by_keyboard(boston, browser):
    gateway = run_of(boston)
    watched = Watched(browser, gateway.port).open()
    watched.page.on("filechooser", lambda _: None)  # heard of from the first one on
    watched.wait_for_text("#latest", r"1:\d+")
    watched.wait_for_text("#models", "in force")
    watched.page.keyboard.press("Tab")
    assert watched.page.evaluate("document.activeElement.className") == "skip"
    tab_to(watched, "#flow-rate svg")
    watched.page.keyboard.press("ArrowLeft")
    watched.page.keyboard.press("ArrowLeft")
    assert re.search(r"\d\d:\d\d:\d\d · arriving [\d.]+/s · scored [\d.]+/s", watched.text("#flow-rate .readout"))
    tab_to(watched, "#latest .scroll")
    renewed = watched.page.evaluate_handle("document.activeElement")
    watched.page.wait_for_function("old => !old.isConnected", arg=renewed)
    assert watched.page.evaluate("document.activeElement.matches('#latest .scroll')"), "a table keeps the focus when it is renewed"
    tab_to(watched, "#choose")
    with watched.page.expect_file_chooser() as chooser:
        watched.page.keyboard.press("Enter")
    chooser.value.set_files({"name": "spring.csv", "mimeType": "text/csv", "buffer": half()})
    watched.wait_for_text("#upload", "Model 2 is in force")
    watched.page.locator("[data-key=back1]").wait_for()  # there is one of 2 while 1 is in force
    tab_to(watched, "[data-key=back1]")
    watched.page.keyboard.press("Enter")
    watched.page.keyboard.press("Escape")
    assert gateway.get("/v1/epochs")["epochs"][0]["epoch"] == 2, "to leave the dialog does nothing"
    assert watched.page.evaluate("document.activeElement.dataset.key") == "back1", "the focus came back"
    watched.page.keyboard.press("Enter")
    watched.page.keyboard.press("Enter")
    watched.wait_for_text("#rollback-said", "Model 1 is in force since epoch 3")
    watched.well()
    boston.stop_all()


def test_alerts_say_in_words_what_is_wrong(boston, browser):
    boston.train_once("boston.csv", BOSTON)
    gateway = Gateway.of(boston.start("serve", name="gateway"))
    watched = Watched(browser, gateway.port).open()
    watched.wait_for_text("#alerts", r"Urgent: no scorer is there.*no trainer is there")
    assert [one["name"] for one in gateway.get("/v1/alerts")["alerts"]] == ["no_scorer", "no_trainer"]
    boston.start("train", name="trainer")
    boston.start("score", name="scorer")
    watched.wait_for_text("#alerts", "Nothing wants your attention")
    watched.well()
    boston.stop_all()


PARTS = {
    "v1/watch": {
        "pipeline": "x", "watching": True, "member": "w", "heard_of_ms": 1, "summary": "", "model": 1, "epoch": 1,
        "alarms": [
            {"kind": "drift", "on": True, "since": "2026-01-01T00:00:00.000Z", "words": "1 of 13 features drifts: '<b>crim</b>' (0.81)"},
            {"kind": "accuracy", "on": False, "since": None, "words": "too few true values have come to tell: 3 of 100"},
        ],
        "drift": {
            "rows": 1000, "rows_min": 100, "model_rows": 119, "rows_refused": 0, "psi_max": 0.25, "features_known": 13, "features_drifting": 1,
            "features": [
                {"feature": "<b>crim</b>", "psi": 0.81, "by_chance": 0.1, "drifts": True, "since": "2026-01-01T00:00:00.000Z"},
                {"feature": "zn", "psi": 0.05, "by_chance": 0.1, "drifts": False, "since": None},
            ],
        },
        "accuracy": {
            "rmse": 4.75, "mae": 3.5, "pairs": 3, "pairs_min": 100, "joined": 3, "waiting": 0, "refused": 0, "followed_one_in": 1,
            "rmse_max": None, "held_out_rmse": 4.433,
        },
        "events": [],
    },
    "v1/cache": {
        "pipeline": "x", "enabled": True,
        "processes": [
            {
                "member": "scorer-<i>", "role": "scorer", "model": 1, "entries": 1234, "bytes": 1, "hits": {"local": 80, "redis": 10},
                "misses": 10, "bypassed": 5, "hit_rate": 0.9, "saved_seconds": -1.5, "recomputed": 1, "mismatches": 0, "prediction_ns": 1.0,
                "lookup_ns": 2.0, "bypass": True, "bypass_reason": "a lookup costs more than the prediction",
                "redis": {"used": False, "why_not": "redis.url is not set", "bypass": False, "bypass_reason": None, "asked": 0, "refused": 0,
                          "failures": 0, "written": 0, "not_written": 0},
            }
        ],
    },
}


def answering(told):
    return lambda route: route.fulfill(json=told)


def test_drift_and_cache_are_shown_where_there_are_some_and_missed_in_words(boston, browser):
    gateway = Gateway.of(boston.start("serve", name="gateway"))
    watched = Watched(browser, gateway.port)
    for path, told in PARTS.items():
        watched.page.route(f"**/{path}", answering(told))
    watched.open()
    watched.wait_for_text("#drift", r"Drift: 1 of 13 features drifts: '<b>crim</b>'.*4\.75\s+live RMSE, last 3.*0\.81 drifts.*the bound, 0\.25")
    watched.wait_for_text("#alerts", "1 of 13 features drifts")
    watched.wait_for_text("#cache", r"scorer-<i>\s+90 %\s+90\s+10\s+1,234\s+−1\.5 s\s+passed by: a lookup costs more.*redis\.url is not set")
    assert watched.axe() == []
    watched.well()
    bare = Watched(browser, gateway.port)
    for path in PARTS:
        bare.page.route(f"**/{path}", lambda route: route.fulfill(status=404, json={"detail": "there is nothing"}))
    bare.open()
    bare.wait_for_text("#drift", "tells nothing of drift")
    bare.wait_for_text("#cache", "tells nothing of a cache")
    bare.well()
    boston.stop_all()


def test_the_page_is_light_and_asks_nobody_else():
    files = list((ROOT / "src/serve/page").iterdir())
    assert sum(file.stat().st_size for file in files) < 150_000
    for file in files:
        addresses = re.findall(r"https?://[^\s\"']+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}, (file.name, addresses)
