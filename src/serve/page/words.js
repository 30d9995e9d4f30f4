// Numbers, durations and moments as people read them.
import {make} from "./elements.js";

const kWhole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});

export const count = value => kWhole.format(value);

// Four significant digits at most, and no more than are there; or so many decimal places.
export function number(value, places = null) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (places !== null) return value.toFixed(places);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  return new Intl.NumberFormat("en", {maximumSignificantDigits: size >= 1000 ? 6 : 4}).format(value);
}

export function rate(value) {
  if (value >= 100000) return new Intl.NumberFormat("en", {maximumSignificantDigits: 3}).format(value / 1000) + "k";
  if (value >= 100) return count(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.9995) return Math.round(seconds * 1000) + " ms";
  if (seconds < 9.95) return seconds.toFixed(1) + " s";
  if (seconds < 120) return Math.round(seconds) + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  if (seconds < 172800) return Math.round(seconds / 3600) + " h";
  return Math.round(seconds / 86400) + " days";
}

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; ++unit; }
  return (unit === 0 ? value : value.toFixed(1)) + " " + units[unit];
}

// The last part of a path: what people call the file.
export const fileName = path => path.split("/").filter(part => part).pop() || path;

// ---- moments ----

// The server's clock may differ from this one's: ages are reckoned by the server's.
let ahead = 0;
let byClock = false;
export const setServerTime = date => { const told = Date.parse(date); if (told) ahead = Math.abs(told - Date.now()) > 2000 ? told - Date.now() : 0; };
export const serverNow = () => Date.now() + ahead;

const pad = value => String(value).padStart(2, "0");
export function clockTime(ms, now = serverNow()) {
  const then = new Date(ms);
  const time = [then.getHours(), then.getMinutes(), then.getSeconds()].map(pad).join(":");
  if (new Date(now).toDateString() === then.toDateString()) return time;
  return then.getFullYear() + "-" + pad(then.getMonth() + 1) + "-" + pad(then.getDate()) + " " + time.slice(0, 5);
}

function ago(ms) {
  const seconds = (serverNow() - ms) / 1000;
  return seconds < 5 ? "just now" : duration(seconds) + " ago";
}

const words = ms => (byClock ? clockTime(ms) : ago(ms));

// A moment; the other way to tell it is its title.
export function moment(text) {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return "–";
  return make("time", {datetime: text, title: new Date(ms).toLocaleString() + " (" + text + ")"}, words(ms));
}

export function refreshMoments() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const told = words(Date.parse(time.dateTime));
    if (time.textContent !== told) time.textContent = told;
  }
}

export function showClockTimes(so) {
  byClock = so;
  refreshMoments();
}
