// Elements and numbers as text. Nothing that comes with a data set is read as HTML.

const byId = (id) => document.getElementById(id);

// An element. Null and false among attributes and children are left out; attributes such as
// `onclick` are listeners.
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false),
  );
  return made;
};

const folded = (summary, ...children) =>
  element("details", {}, element("summary", {}, summary), ...children);

const options = (pairs, selected) =>
  pairs.map(([value, text]) =>
    element("option", { value, selected: String(value) === String(selected) }, text),
  );

// A labelled control in a toolbar.
const field = (label, control) =>
  element("label", { class: "field" }, element("span", {}, label), control);

const minus = (text) => text.replace("-", "−");
const number = (value, digits = 2) =>
  value === null || value === undefined ? "–" : minus(value.toFixed(digits));
const signed = (value, digits = 2) => (value > 0 ? "+" : "") + number(value, digits);
const count = (value, noun, nouns = noun + "s") =>
  `${value.toLocaleString("en")} ${value === 1 ? noun : nouns}`;

// A share as percent that never rounds up to 100 % or down to 0 %.
const percent = (share) => {
  if (share === 0 || share === 1) return `${100 * share} %`;
  if (share < 0.0001) return "< 0.01 %";
  if (share > 0.9999) return "> 99.99 %";
  return `${(100 * share).toFixed(share < 0.001 || share > 0.999 ? 2 : 1)} %`;
};
