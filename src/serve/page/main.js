// The beat of the page: asks the server each second, hands what it tells to the panels, and knows
// what to do when it does not answer, wants a token, or comes back.
import {at, say} from "./elements.js";
import {showDatasets, showNoDatasets, listenForFiles} from "./datasets.js";
import {showFlow} from "./flow.js";
import {showAlerts, showGate, showNoGate} from "./gate.js";
import {alarmsOf, showCache, showDrift, showMembers} from "./health.js";
import {showModels} from "./models.js";
import {follow, setLiveModel, showPredictions, unfollow} from "./predictions.js";
import {get, hasToken, isLoss, Refusal, setToken} from "./server.js";
import {clockTime, refreshMoments, showClockTimes} from "./words.js";

const kBeatMs = 1000;
const kSeldomEvery = 10, kDatasetsEvery = 3;  // beats
const kBackOffMs = [1000, 2000, 4000, 8000, 10000];

let beats = 0, lostSince = null, losses = 0, timer = null, stopped = false;
let epochs = [], watch = null, lastKey = "";
const absent = new Set();  // paths that this gateway does not have

// What a path tells; null where it is not there, or cannot tell just now.
async function optional(path) {
  if (absent.has(path)) return null;
  try {
    return await get(path);
  } catch (error) {
    if (isLoss(error) || error.status === 401) throw error;
    if (error.status === 404) absent.add(path);
    return null;
  }
}

async function seldom() {
  const [list, told] = await Promise.all([get("v1/models").catch(passOnLoss), optional("v1/epochs?limit=200")]);
  if (told) epochs = told.epochs;
  if (list) {
    setLiveModel(list.models);
    showModels(list, epochs);
  }
  watch = await optional("v1/watch");
  showDrift(watch);
  showCache(await optional("v1/cache"));
}

function passOnLoss(error) {
  if (isLoss(error) || error.status === 401) throw error;
  return null;
}

async function datasets() {
  try {
    showDatasets(await get("v1/datasets"));
  } catch (error) {
    passOnLoss(error);
    showNoDatasets(error.message);
  }
}

async function beat() {
  const [status, flow, alerts] = await Promise.all([
    get("v1/status").catch(error => { passOnLoss(error); return error; }), get("v1/flow"), get("v1/alerts")]);
  const known = !(status instanceof Refusal);
  // A change at the gate is news for all the rest.
  const key = known ? [status.epoch, status.model, status.begun?.epoch, status.gate.open].join() : "";
  const news = key !== lastKey;
  lastKey = key;
  if (known) {
    showGate(status);
    showMembers(status);
  } else {
    showNoGate(status.message);
  }
  if (news || beats % kDatasetsEvery === 0) await datasets();
  if (news || beats % kSeldomEvery === 0) await seldom();
  showFlow(flow, epochs);
  showAlerts(alerts.alerts, alarmsOf(watch));
  void follow();
  ++beats;
}

// ---- the server is away ----

function lost(error) {
  unfollow();
  lostSince ??= Date.now();
  const wait = kBackOffMs[Math.min(losses++, kBackOffMs.length - 1)];
  at("banner").hidden = false;
  const until = Date.now() + wait;
  const tell = () => say(at("banner-words"), `The gateway does not answer (${error.message}). What you see is as it was at ${clockTime(lostSince)}. `
    + (until > Date.now() ? `Trying again in ${Math.ceil((until - Date.now()) / 1000)} s.` : "Trying again …"));
  tell();
  clearInterval(lost.ticking);
  lost.ticking = setInterval(tell, 1000);
  return wait;
}

function back() {
  if (lostSince === null) return;
  lostSince = null;
  losses = 0;
  lastKey = "";
  beats = 0;
  absent.clear();
  clearInterval(lost.ticking);
  at("banner").hidden = true;
}

// ---- the beat ----

async function run() {
  timer = null;
  let wait = kBeatMs;
  try {
    await beat();
    if (lostSince !== null) {
      back();
      wait = 0;
    }
  } catch (error) {
    if (error.status === 401) return askForToken(hasToken() ? error.message : "");
    if (!(error instanceof Refusal)) throw error;
    // Another answer than it should give is a gateway that has not come up, or is going down.
    wait = lost(error);
  } finally {
    if (!stopped) timer = setTimeout(run, document.hidden ? Math.max(wait, 5000) : wait);
  }
}

function runNow() {
  if (timer === null) return;  // on its way
  clearTimeout(timer);
  run();
}

// ---- the token ----

function askForToken(fault) {
  stopped = true;
  unfollow();
  clearTimeout(timer);
  setToken("");
  at("main").hidden = true;
  at("forget").hidden = true;
  at("login").hidden = false;
  at("pipeline").textContent = location.host;
  say(at("token-fault"), fault ? "That token does not open this gateway: " + fault + "." : "");
  at("token").focus();
}

at("token-form").onsubmit = event => {
  event.preventDefault();
  setToken(at("token").value.trim());
  at("token").value = "";
  at("login").hidden = true;
  at("main").hidden = false;
  at("forget").hidden = false;
  stopped = false;
  lastKey = "";
  beats = 0;
  run();
};

at("forget").onclick = () => askForToken("");

// ---- the rest of the page ----

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}
at("theme").value = localStorage.getItem("weir.theme") || "";
setTheme(at("theme").value);
at("theme").onchange = () => {
  localStorage.setItem("weir.theme", at("theme").value);
  setTheme(at("theme").value);
};

at("times").onclick = () => {
  const so = at("times").getAttribute("aria-pressed") !== "true";
  at("times").setAttribute("aria-pressed", String(so));
  showClockTimes(so);
};

at("banner-now").onclick = runNow;
addEventListener("visibilitychange", () => { if (!document.hidden) runNow(); });
setInterval(refreshMoments, 1000);
setInterval(() => { if (!document.hidden) showPredictions(); }, 400);
at("forget").hidden = !hasToken();
listenForFiles();
run();
