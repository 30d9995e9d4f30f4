// Lines over time, pairs of values, and who ruled when, as SVG in the width that there is. Each has
// its words for whoever does not see it, and the lines can be read off with pointer and arrow keys.
import {draw, make, say} from "./elements.js";
import {clockTime, duration, number, serverNow} from "./words.js";

const kLeft = 44, kRight = 8, kTop = 14, kBottom = 18;

// The next of 1, 2, 5, 10, … at or above.
export function niceAbove(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(one => one * power).find(one => one >= value * 0.999);
}

// A path with gaps where there is nothing.
function path(values, x, y) {
  let text = "", pen = false;
  values.forEach((value, i) => {
    if (value === null) { pen = false; return; }
    text += (pen ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1);
    pen = true;
  });
  return text;
}

export class TimeChart {
  // `format` tells a value of the axis.
  constructor(home, {height, format, least}) {
    this.format = format;
    this.least = least || 0;
    this.height = height;
    this.at = null;  // the step that is read off
    this.svg = draw("svg", {role: "img", tabindex: 0, height});
    this.readout = make("p", {class: "readout"});
    home.append(make("div", {class: "chart"}, this.svg, this.readout));
    new ResizeObserver(() => this.render()).observe(home);
    this.svg.addEventListener("pointermove", event => this.pointAt(event.clientX - this.svg.getBoundingClientRect().left));
    this.svg.addEventListener("pointerleave", () => this.move(null));
    this.svg.addEventListener("blur", () => { this.readout.removeAttribute("aria-live"); this.move(null); });
    this.svg.addEventListener("keydown", event => this.key(event));
  }

  // {from, step: ms, series: [{key, name, values}], bands: [[from, until]], changes: [{at, name}], newest
  // first, words}
  update(data) {
    this.data = data;
    this.render();
  }

  get width() { return Math.max(200, this.svg.clientWidth || 300); }
  get steps() { return this.data.series[0].values.length; }
  x(i) { return kLeft + ((this.width - kLeft - kRight) * i) / Math.max(1, this.steps - 1); }
  xOf(ms) { return this.x(Math.min(this.steps - 1, Math.max(0, (ms - this.data.from) / this.data.step - 0.5))); }

  render() {
    if (!this.data) return;
    const {series, bands, changes, from, step, words} = this.data;
    const width = this.width, bottom = this.height - kBottom;
    const top = niceAbove(Math.max(this.least, ...series.flatMap(one => one.values.map(value => value || 0))));
    const y = value => bottom - ((bottom - kTop) * value) / top;
    const parts = [];
    for (const [begin, end] of bands) {
      const left = this.xOf(begin);
      parts.push(draw("rect", {class: "band", x: left, y: kTop, width: Math.max(2, this.xOf(end) - left), height: bottom - kTop}));
    }
    for (const value of [0, top / 2, top]) {
      parts.push(draw("line", {class: value ? "grid" : "axis", x1: kLeft, x2: width - kRight, y1: y(value), y2: y(value)}));
      parts.push(draw("text", {x: kLeft - 6, y: y(value) + 4, "text-anchor": "end"}, this.format(value)));
    }
    const minutes = Math.round(((this.steps - 1) * step) / 60000);
    for (const back of (width < 300 ? [minutes, 0] : [minutes, (minutes * 2) / 3, minutes / 3, 0]).map(Math.round)) {
      const at = this.x(this.steps - 1 - (back * 60000) / step);
      const anchor = back === minutes ? "start" : back === 0 ? "end" : "middle";
      parts.push(draw("text", {x: at, y: this.height - 3, "text-anchor": anchor}, back ? "−" + back + " min" : "now"));
    }
    let taken = width;  // names are written from the newest on, as far as there is room
    for (const {at, name} of changes) {
      const x = this.xOf(at), size = 6.5 * name.length;
      parts.push(draw("line", {class: "change", x1: x, x2: x, y1: kTop, y2: bottom}));
      const left = Math.min(x, taken - size);
      if (x - left > size || left < 0) continue;
      parts.push(draw("text", {class: "change-name", x: left, y: 10}, name));
      taken = left - 8;
    }
    const x = i => this.x(i);
    for (const {key, values} of series) {
      parts.push(draw("path", {class: "line " + key, d: path(values, x, y)}));
      values.forEach((value, i) => {  // a value alone has no line
        if (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null) {
          parts.push(draw("circle", {class: "line " + key, cx: x(i), cy: y(value), r: 0.9}));
        }
      });
    }
    if (this.at !== null) parts.push(draw("line", {class: "cross", x1: this.x(this.at), x2: this.x(this.at), y1: kTop, y2: bottom}));
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.svg.setAttribute("aria-label", words + " Arrow keys read it off.");
    this.svg.replaceChildren(...parts);
    this.tell();
  }

  tell() {
    if (this.at === null) return say(this.readout, "");
    const {from, step, series} = this.data;
    const values = series.map(one => one.name + " " + (one.values[this.at] === null ? "–" : this.format(one.values[this.at], true)));
    say(this.readout, [clockTime(from + this.at * step), ...values].join(" · "));
  }

  move(step) {
    this.at = step;
    this.render();
  }

  pointAt(x) {
    if (!this.data) return;
    const share = (x - kLeft) / (this.width - kLeft - kRight);
    this.move(Math.min(this.steps - 1, Math.max(0, Math.round(share * (this.steps - 1)))));
  }

  key(event) {
    const moves = {ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -1e6, End: 1e6};
    if (!(event.key in moves) || !this.data) return;
    event.preventDefault();
    this.readout.setAttribute("aria-live", "polite");
    this.move(Math.min(this.steps - 1, Math.max(0, (this.at ?? this.steps) + moves[event.key])));
  }
}

// Predictions against true values: on the line they are equal.
export class PairChart {
  constructor(home) {
    this.svg = draw("svg", {role: "img", viewBox: "0 0 320 300"});
    home.append(this.svg);
  }

  // pairs: [{actual, prediction, model}], oldest first.
  update(pairs, live, target) {
    const left = 46, right = 312, top = 10, bottom = 262;
    const all = pairs.flatMap(pair => [pair.actual, pair.prediction]);
    let low = Math.min(...all), high = Math.max(...all);
    if (!pairs.length) [low, high] = [0, 1];
    const spare = (high - low || Math.abs(high) || 1) * 0.05;
    low -= spare;
    high += spare;
    const x = value => left + ((right - left) * (value - low)) / (high - low);
    const y = value => bottom - ((bottom - top) * (value - low)) / (high - low);
    const parts = [];
    const unit = niceAbove((high - low) / 5);
    for (let value = Math.ceil(low / unit) * unit; value <= high; value += unit) {
      const text = number(Math.abs(value) < unit / 1e6 ? 0 : value);
      parts.push(draw("line", {class: "grid", x1: x(value), x2: x(value), y1: top, y2: bottom}));
      parts.push(draw("line", {class: "grid", x1: left, x2: right, y1: y(value), y2: y(value)}));
      parts.push(draw("text", {x: x(value), y: bottom + 15, "text-anchor": "middle"}, text));
      parts.push(draw("text", {x: left - 6, y: y(value) + 4, "text-anchor": "end"}, text));
    }
    parts.push(draw("line", {class: "even-line", x1: left, y1: bottom, x2: right, y2: top}));
    parts.push(draw("text", {x: right, y: bottom + 32, "text-anchor": "end"}, "true value of " + target + " →"));
    parts.push(draw("text", {x: left + 4, y: top + 10}, "↑ predicted"));
    pairs.forEach((pair, i) => {
      const kind = pair.model !== live ? "dot old" : i === pairs.length - 1 ? "dot new" : "dot";
      parts.push(draw("circle", {class: kind, cx: x(pair.actual), cy: y(pair.prediction), r: i === pairs.length - 1 ? 4.5 : 3}));
    });
    this.svg.setAttribute("aria-label", pairs.length + " predictions against true values of " + target + ". The list beside it has the last of them.");
    this.svg.replaceChildren(...parts);
  }
}

// reigns: [{version, from, until: ms or null, halts: [from, until] or null}], oldest first.
export function reignStrip(reigns, width) {
  const now = serverNow(), first = Math.min(...reigns.map(one => one.halt ? one.halt[0] : one.from));
  const x = ms => (width * (ms - first)) / Math.max(1, now - first);
  const parts = [];
  for (const reign of reigns) {
    if (reign.halt) {
      const begin = x(reign.halt[0]);
      parts.push(draw("rect", {class: "band", x: begin, y: 0, width: Math.max(2, x(reign.halt[1] ?? now) - begin), height: 26}));
    }
    if (reign.from === null) continue;
    const begin = x(reign.from), size = Math.max(1, x(reign.until ?? now) - begin - 1);
    parts.push(draw("rect", {class: "reign" + (reign.until === null ? " live" : ""), x: begin, y: 0, width: size, height: 26, rx: 2}));
    const name = "model " + reign.version;
    if (size > 7 * name.length + 8) parts.push(draw("text", {class: "reign-name" + (reign.until === null ? " live" : ""), x: begin + 6, y: 17}, name));
    else if (size > 14) parts.push(draw("text", {class: "reign-name" + (reign.until === null ? " live" : ""), x: begin + 4, y: 17}, String(reign.version)));
  }
  parts.push(draw("text", {x: 0, y: 42}, clockTime(first)));
  parts.push(draw("text", {x: width, y: 42, "text-anchor": "end"}, "now"));
  const words = reigns.filter(one => one.from !== null).map(one =>
    `model ${one.version} from ${clockTime(one.from)}${one.until === null ? " on" : " for " + duration((one.until - one.from) / 1000)}`);
  return draw("svg", {role: "img", viewBox: `0 0 ${width} 46`, height: 46, "aria-label": "Who ruled when: " + words.join(", ") + "."}, parts);
}
