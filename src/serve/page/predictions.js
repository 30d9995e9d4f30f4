// Predictions as they come, held against the true values of held-out rows where they are some.
import {at, figure, make, renew, table} from "./elements.js";
import {PairChart} from "./charts.js";
import {get, stream} from "./server.js";
import {moment, number} from "./words.js";

const kPairsMax = 400, kListed = 14, kPerSecondMax = 50, kVersionsMax = 4;

const scatterHome = at("scatter");
const figures = make("div", {class: "figures"});
const about = make("p", {class: "soft"});
scatterHome.append(make("h3", {}, "Predicted against true"), figures);
const chart = new PairChart(scatterHome);
scatterHome.append(about);

let answers = [];       // newest last
let live = 0, target = "the target", heldOut = null;
let known = new Set();      // versions that there are: an id such as 1001:5 may be anything
const actuals = new Map();  // version -> its held-out rows; null while they are not at hand
let dirty = true;

// The built-in producer's keys are VERSION:ROW of a held-out row.
function actualOf(answer) {
  const [, version, row] = /^(\d{1,10}):(\d+)$/.exec(answer.id || "") || [];
  if (!known.has(version)) return null;
  if (!actuals.has(version)) {
    actuals.set(version, null);
    get(`v1/models/${version}/held-out`).then(told => { actuals.set(version, told.rows); dirty = true; },
      () => setTimeout(() => actuals.delete(version), 10000));
  }
  const rows = actuals.get(version);
  return rows && Object.hasOwn(rows, row) ? rows[row] : null;
}

const key = answer => answer.partition + "@" + answer.offset;

function add(more) {
  const seen = new Set(answers.slice(-200).map(key));
  answers.push(...more.filter(answer => !seen.has(key(answer))));
  answers = answers.slice(-kPairsMax);
  dirty = true;
}

export function setLiveModel(models) {
  const model = models.find(one => one.live);
  known = new Set(models.slice(0, kVersionsMax).map(one => String(one.version)));
  if (model) known.add(String(model.version));
  for (const version of actuals.keys()) if (!known.has(version)) actuals.delete(version);
  live = model ? model.version : 0;
  target = model?.target || "the target";
  heldOut = model?.held_out || null;
  dirty = true;
}

function errorWords(pairs) {
  if (!pairs.length) return figure("–", "no pair with a true value yet");
  const errors = pairs.map(pair => pair.prediction - pair.actual);
  const rmse = Math.sqrt(errors.reduce((a, e) => a + e * e, 0) / errors.length);
  const mae = errors.reduce((a, e) => a + Math.abs(e), 0) / errors.length;
  return [figure(number(rmse), "RMSE, last " + pairs.length), figure(number(mae), "MAE"),
    heldOut ? figure(number(heldOut.rmse), "RMSE in training") : null];
}

export function showPredictions() {
  if (!dirty) return;
  dirty = false;
  const pairs = answers.filter(answer => typeof answer.prediction === "number").map(answer => ({...answer, actual: actualOf(answer)}))
    .filter(answer => answer.actual !== null);
  const own = pairs.filter(pair => pair.model === live);
  renew(figures, [own.length, own.at(-1)?.offset, live, heldOut], () => errorWords(own));
  chart.update(pairs, live, target);
  about.textContent = pairs.length ? "Filled: model " + live + ". Rings: models before it. On the dashed line a prediction is exact."
    : "True values are known of rows that the built-in producer sends; of others, they come as actuals (below).";
  at("predictions-about").textContent = live ? `${target}, by model ${live}; a sample where more than ${kPerSecondMax} come in a second` : "";
  const rows = answers.slice(-kListed).reverse(), places = placesOf(rows);
  renew(at("latest"), rows.map(row => [key(row), actualOf(row)]), () => rows.length ? table("The latest predictions", [
    {title: "Record", cell: row => cut(row.id || key(row))},
    {title: "Predicted", number: true, cell: row => row.state === "dead" ? make("span", {class: "tag bad"}, row.reason || "dead letter") : shortValue(row.prediction, places)},
    {title: "True", number: true, cell: row => number(actualOf(row), places)},
    {title: "Off by", number: true, cell: row => offBy(row, places)},
    {title: "Model", number: true, cell: row => row.model ?? "–"},
    {title: "Answered", cell: row => moment(row.answered_at)}], rows)
    : make("p", {class: "soft"}, "No predictions yet. They are listed here as they come."));
}

const cut = text => (text.length > 24 ? text.slice(0, 23) + "…" : text);
const shortValue = (value, places) => (typeof value === "number" ? number(value, places) : Array.isArray(value) ? value.length + " values" : "–");
function offBy(row, places) {
  const actual = actualOf(row);
  if (actual === null || typeof row.prediction !== "number") return "–";
  const off = row.prediction - actual;
  return (off < 0 ? "−" : "+") + number(Math.abs(off), places);
}

// Of numbers that stand below each other: four digits of the largest.
function placesOf(rows) {
  const sizes = rows.flatMap(row => [row.prediction, actualOf(row)]).filter(value => typeof value === "number").map(Math.abs);
  const most = Math.max(...sizes, 1e-9);
  return most >= 1e7 || most < 1e-3 ? null : Math.max(0, 3 - Math.floor(Math.log10(most)));
}

let following = null;  // ends the stream that is read

// What has come lately, then all that comes, until the stream breaks.
export async function follow() {
  if (following) return;
  const own = following = new AbortController();
  try {
    const watching = stream("v1/predictions/stream?per_second_max=" + kPerSecondMax, answer => add([answer]), own.signal);
    watching.catch(() => {});
    const before = await get("v1/predictions?limit=200");
    const late = answers;
    answers = [];
    add(before.predictions.filter(kept => kept.state !== "waiting").reverse());
    add(late);
    await watching;
  } catch { /* begun again by whoever sees that the server answers */
  } finally {
    own.abort();  // or a stream whose list failed would be read on for ever
    if (following === own) following = null;
  }
}

export function unfollow() {
  following?.abort();
  following = null;
}
