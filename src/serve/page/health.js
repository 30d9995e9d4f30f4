// Drift and live errors, the cache, and who is there. The first two are of parts that a gateway
// may not have.
import {at, draw, figure, make, renew, table} from "./elements.js";
import {count, duration, number} from "./words.js";

const kFeaturesShown = 8;
const kWaitShownMs = 2000;  // shorter waits come and go

// ---- drift ----

function driftMeter(drift) {
  const shown = drift.features.slice(0, kFeaturesShown);
  const most = Math.max(1.2 * (drift.psi_max ?? 0), ...shown.map(one => one.psi)) || 1;
  const others = drift.features_known - shown.length;
  return [make("div", {class: "meter"}, shown.map(one => [
    make("span", {}, one.feature),
    draw("svg", {viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true"},
      draw("rect", {class: "bar" + (one.drifts ? " raised" : ""), width: Math.max(0.5, (100 * one.psi) / most), height: 6, rx: 1}),
      drift.psi_max ? draw("rect", {class: "bound", x: (100 * drift.psi_max) / most, width: 0.4, height: 6}) : null),
    make("span", {}, number(one.psi), one.drifts ? [" ", make("span", {class: "tag bad"}, "drifts")] : null)])),
  make("p", {class: "soft"}, `Population stability index: ${count(drift.rows)} rows that came lately against ${count(drift.model_rows)} of the model's own.`
    + (drift.psi_max ? ` The mark is at the bound, ${number(drift.psi_max)}.` : "") + (others > 0 ? ` ${count(others)} more features are lower.` : ""))];
}

function liveErrors(accuracy) {
  if (!accuracy.pairs) return make("p", {class: "soft"}, "No true values have come for predictions of this model.");
  return make("div", {class: "figures"}, figure(number(accuracy.rmse), "live RMSE, last " + count(accuracy.pairs)), figure(number(accuracy.mae), "live MAE"),
    accuracy.held_out_rmse === null ? null : figure(number(accuracy.held_out_rmse), "RMSE in training"));
}

export function showDrift(watch) {
  const {heard_of_ms: _, ...rest} = watch || {};
  renew(at("drift"), rest, () => {
    if (!watch) return make("p", {class: "soft"}, "This gateway tells nothing of drift.");
    if (!watch.watching) return make("p", {class: "soft"}, "Nobody watches: " + watch.reason + ".");
    return [...watch.alarms.map(alarm => make("p", {class: alarm.on ? "fault" : null}, kAlarmNames[alarm.kind] ?? alarm.kind, ": ", alarm.words, ".")),
      liveErrors(watch.accuracy), watch.drift.features.length ? driftMeter(watch.drift) : null];
  });
}

const kAlarmNames = {drift: "Drift", accuracy: "Errors"};

// What the watcher has raised, in words.
export const alarmsOf = watch => (watch?.alarms || []).filter(alarm => alarm.on).map(alarm => alarm.words);

// ---- cache ----

function redisWords(redis) {
  if (!redis.used) return redis.why_not || "not used";
  const trouble = redis.failures ? ", " + count(redis.failures) + " calls without an answer in time" : "";
  return (redis.bypass ? "passed by: " + redis.bypass_reason : "asked") + trouble;
}

export function showCache(cache) {
  renew(at("cache"), cache, () => {
    if (!cache) return make("p", {class: "soft"}, "This gateway tells nothing of a cache.");
    if (!cache.processes.length) return make("p", {class: "soft"}, "No process here caches predictions.");
    return [make("p", {class: "soft"}, "Predictions of rows that came before, by the process that looks them up."),
      table("The cache, by process", [
        {title: "Process", cell: one => one.member},
        {title: "Found", number: true, cell: one => (one.hits.local + one.hits.redis + one.misses ? Math.round(100 * one.hit_rate) + " %" : "–")},
        {title: "Hits", number: true, cell: one => count(one.hits.local + one.hits.redis)},
        {title: "Misses", number: true, cell: one => count(one.misses)},
        {title: "Entries", number: true, cell: one => count(one.entries)},
        {title: "Saved", number: true, cell: one => (one.saved_seconds < 0 ? "−" + duration(-one.saved_seconds) : duration(one.saved_seconds))},
        {title: "State", wrap: true, cell: one => (one.bypass ? "passed by: " + one.bypass_reason : "asked first") + ". Redis: " + redisWords(one.redis) + "."}],
      cache.processes)];
  });
}

// ---- who is there ----

function stateOf(member) {
  if (member.silent) return [make("span", {class: "tag bad"}, "silent"), " heard of " + duration(member.heard_of_ms / 1000) + " ago"];
  const halted = member.halted_epoch ? make("span", {class: "tag halt"}, "halted") : null;
  if (!member.waiting_for || (!halted && member.waiting_ms < kWaitShownMs)) return [halted, halted ? "" : "at work"];
  return [halted, halted ? " " : "", member.waiting_for + (member.waiting_ms > 0 ? ", for " + duration(member.waiting_ms / 1000) : "")];
}

export function showMembers(status) {
  const coarse = status.members.map(member => ({...member, heard_of_ms: member.silent ? Math.round(member.heard_of_ms / 1000) * 1000 : 0}));
  renew(at("members"), coarse, () => coarse.length ? table("Members", [
    {title: "Member", cell: member => member.member},
    {title: "Role", cell: member => member.role},
    {title: "Model", number: true, cell: member => member.model || "–"},
    {title: "What it does", wrap: true, cell: stateOf}], coarse)
    : make("p", {class: "soft"}, "Nobody has been heard of: start weir run, or the roles one by one."));
  renew(at("partitions"), status.partitions.map(one => ({...one, last_record_age_ms: Math.round((one.last_record_age_ms ?? -1000) / 1000)})), () => table("Partitions of the features topic", [
    {title: "Partition", number: true, cell: one => String(one.partition)},
    {title: "Scored up to", number: true, cell: one => count(one.committed)},
    {title: "End", number: true, cell: one => count(one.end)},
    {title: "Waiting", number: true, cell: one => count(one.lag)},
    {title: "Last record", number: true, cell: one => (one.last_record_age_ms === null ? "–" : duration(one.last_record_age_ms / 1000) + " ago")},
    {title: "Held by", cell: one => one.member || "nobody"}], status.partitions));
}
