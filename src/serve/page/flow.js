// What flows: three charts over the same quarter of an hour, their figures, and a table of them.
import {at, figure, make, renew, table} from "./elements.js";
import {TimeChart} from "./charts.js";
import {clockTime, count, duration, rate, serverNow} from "./words.js";

const sum = values => values.reduce((a, b) => a + b, 0);
const axisCount = value => (value >= 1000 ? rate(value / 1000).replace(/\.?0+$/, "") + "k" : String(+value.toPrecision(2)));

function panel(home, title, options) {
  const figures = make("div", {class: "figures"});
  home.append(make("h3", {}, title), figures);
  return {figures, chart: new TimeChart(home, options)};
}

const kHeight = 150;
const rates = panel(at("flow-rate"), "Records a second", {height: kHeight, least: 1, format: (value, exact) => exact ? rate(value) + "/s" : axisCount(value)});
const lags = panel(at("flow-lag"), "Records that wait", {height: kHeight, least: 10, format: (value, exact) => exact ? count(value) : axisCount(value)});
const times = panel(at("flow-time"), "Arrival to answer", {height: kHeight, least: 0.1, format: value => duration(value)});

// Halts to shade, and changes of model to mark, of what the charts span.
function marks(epochs, from) {
  const bands = [], changes = [];
  for (const epoch of epochs) {
    const begin = Date.parse(epoch.begun_at), end = epoch.ended_at ? Date.parse(epoch.ended_at) : serverNow();
    if (epoch.halts && end > from) bands.push([Math.max(begin, from), end]);
    if (epoch.ended_at && end > from && ["trained", "rolled_back"].includes(epoch.outcome)) changes.push({at: end, name: "model " + epoch.version});
  }
  return {bands, changes};
}

function minuteRows(steps, from) {
  const perMinute = 60 / steps.seconds, rows = [];
  for (let end = steps.arrived.length; end - perMinute >= 0; end -= perMinute) {
    const part = name => steps[name].slice(end - perMinute, end);
    const last = name => part(name).filter(value => value !== null).pop() ?? null;
    const most = name => { const all = part(name).filter(value => value !== null); return all.length ? Math.max(...all) : null; };
    rows.push({at: from + (end - perMinute) * steps.seconds * 1000, arrived: sum(part("arrived")), predicted: sum(part("predicted")), dead: sum(part("dead")),
      lag: last("lag"), p50: most("p50"), p95: most("p95")});
  }
  return rows;
}

export function showFlow(flow, epochs) {
  const {per_second: now, answer_seconds: answers, steps} = flow;
  const from = Date.parse(steps.from), step = steps.seconds * 1000;
  const base = {from, step, ...marks(epochs, from)};
  // The step under way is not over: as a rate it would always fall.
  const perSecond = name => steps[name].map((value, i) => (i === steps[name].length - 1 ? null : value / steps.seconds));
  const most = Math.max(...perSecond("arrived").slice(0, -1));
  renew(rates.figures, now, () => [figure(rate(now.arrived), "arriving", "b"), figure(rate(now.predicted), "scored", "a"), figure(rate(now.dead), "dead letters", "c")]);
  const series = [{key: "b", name: "arriving", values: perSecond("arrived")}, {key: "a", name: "scored", values: perSecond("predicted")}];
  if (steps.dead.some(value => value > 0)) series.push({key: "c", name: "dead letters", values: perSecond("dead")});
  rates.chart.update({...base, series,
    words: `Records a second over 15 minutes: now ${rate(now.arrived)} arriving, ${rate(now.predicted)} scored, ${rate(now.dead)} dead-lettered; ${rate(most)} at most.`});

  const lag = flow.lag;
  renew(lags.figures, lag, () => figure(lag === null ? "–" : count(lag), lag === 1 ? "record waits to be scored" : "records wait to be scored", "a"));
  lags.chart.update({...base, series: [{key: "a", name: "waiting", values: steps.lag}], words: `Records that wait over 15 minutes: now ${lag ?? "not known"}.`});

  renew(times.figures, answers, () => answers
    ? [figure(duration(answers.p50), "half are faster", "a"), figure(duration(answers.p95), "p95", "b"), figure(duration(answers.p99), "p99")]
    : figure("–", "no answers in the last minute"));
  times.chart.update({...base, series: [{key: "b", name: "p95", values: steps.p95}, {key: "a", name: "median", values: steps.p50}],
    words: answers ? `Time from arrival to answer, of the last minute: median ${duration(answers.p50)}, p95 ${duration(answers.p95)}, p99 ${duration(answers.p99)}.`
      : "Time from arrival to answer: no answers in the last minute."});

  const rows = minuteRows(steps, from);
  const known = value => (value === null ? "–" : count(value));
  renew(at("flow-table"), rows, () => table("The flow by the minute", [
    {title: "Minute from", cell: row => clockTime(row.at)},
    {title: "Arrived", number: true, cell: row => count(row.arrived)},
    {title: "Scored", number: true, cell: row => count(row.predicted)},
    {title: "Dead letters", number: true, cell: row => count(row.dead)},
    {title: "Waiting at its end", number: true, cell: row => known(row.lag)},
    {title: "Median, highest", number: true, cell: row => duration(row.p50)},
    {title: "p95, highest", number: true, cell: row => duration(row.p95)}], rows));
}
