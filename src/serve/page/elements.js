// Making and renewing elements. Whatever the server tells becomes text nodes: nothing here, and
// nothing that uses it, parses markup.
const kSvg = "http://www.w3.org/2000/svg";

export const at = id => document.getElementById(id);

function build(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(2)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

export const make = (name, attributes, ...children) => build(document.createElement(name), attributes, children);
export const draw = (name, attributes, ...children) => build(document.createElementNS(kSvg, name), attributes, children);

const shown = new WeakMap();

// Renews what is inside an element, where `data` is not what it was made of last. The focus stays
// on the element of the same data-key.
export function renew(element, data, makeChildren) {
  const text = JSON.stringify(data);
  if (shown.get(element) === text) return;
  shown.set(element, text);
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const opened = [...element.querySelectorAll("details[open][data-key]")].map(one => one.dataset.key);
  element.replaceChildren(...[makeChildren()].flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  for (const one of element.querySelectorAll("details[data-key]")) one.open = opened.includes(one.dataset.key);
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
}

export const say = (element, words) => { if (element.textContent !== words) element.textContent = words; };

// `columns`: {title, number, wrap, cell(row)}. Scrolls by itself where the page is narrow; can have the focus, and keeps it when renewed.
export function table(name, columns, rows, rowClass) {
  const side = column => [column.number ? "n" : "", column.wrap ? "wrap" : ""].join(" ").trim() || null;
  return make("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": name, "data-key": "table " + name},
    make("table", {},
      make("thead", {}, make("tr", {}, columns.map(column => make("th", {scope: "col", class: side(column)}, column.title)))),
      make("tbody", {}, rows.map(row => make("tr", {class: rowClass ? rowClass(row) : null},
        columns.map(column => make("td", {class: side(column)}, column.cell(row))))))));
}

export const figure = (value, words, key) =>
  make("div", {class: "figure"}, make("b", {}, value),
    make("span", {}, key ? make("i", {class: "key " + key, "aria-hidden": "true"}) : null, words));
