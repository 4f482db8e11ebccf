// Charts by Plotly, drawn when their tab opens and again when the colours of the page change.

const drawn = new Map();
const inks = ["--for", "--against", "--third", "--fourth", "--fifth", "--sixth"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly interprets some tags in labels; escaped, there is none to interpret.
const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Plotly is at the end of the page: on a slow machine a tab may open before it is loaded.
const whenLoaded = (draw) => {
  if (window.Plotly) draw();
  else addEventListener("DOMContentLoaded", draw, { once: true });
};

const common = () => ({
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  dragmode: false,
  font: { family: "system-ui, sans-serif", size: 12, color: colour("--ink") },
  colorway: inks.map(colour),
  hoverlabel: { font: { family: "system-ui, sans-serif" } },
});

const axis = (title) => ({
  title: { text: escaped(title) },
  gridcolor: colour("--line"),
  zerolinecolor: colour("--line"),
  linecolor: colour("--line"),
  fixedrange: true,
  automargin: true,
});

// `make` returns { traces, layout } in the current colours.
const chart = (place, make) => {
  const draw = () => {
    const { traces, layout } = make();
    Plotly.react(
      place,
      traces,
      { ...common(), ...layout },
      { displayModeBar: false, responsive: true },
    );
  };
  drawn.set(place, draw);
  whenLoaded(draw);
};

document.addEventListener("theme", () => {
  for (const [place, draw] of drawn) place.isConnected ? whenLoaded(draw) : drawn.delete(place);
});

const dashes = ["solid", "dash", "dot", "dashdot", "longdash"];

// A chart of the page's values as Plotly's arguments.
const plotOf = (lines) => () => ({
  traces: lines.curves.map((curve, place) => ({
    type: "scatter",
    mode: curve.x.length > 30 ? "lines" : "lines+markers",
    x: curve.x,
    y: curve.y,
    name: escaped(curve.name),
    line: { width: 2, dash: dashes[Math.floor(place / inks.length) % dashes.length] },
    marker: { size: 6, symbol: place },
  })),
  layout: {
    height: 320,
    margin: { t: 12, r: 12, b: 48, l: 52 },
    showlegend: lines.curves.length > 1,
    legend: { orientation: "h", y: -0.28 },
    xaxis: axis(lines.x_title),
    yaxis: { ...axis(lines.y_title), rangemode: "tozero" },
  },
});

const numbersOf = (lines) => {
  const steps = [...new Set(lines.curves.flatMap((curve) => curve.x))].sort((a, b) => a - b);
  const rows =
    steps.length > 60
      ? steps.filter((_, place) => place % Math.ceil(steps.length / 60) === 0)
      : steps;
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": `${lines.title}, as numbers` },
    element(
      "table",
      { class: "plain" },
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          [lines.x_title, ...lines.curves.map((curve) => curve.name)].map((head) =>
            element("th", { scope: "col" }, head),
          ),
        ),
      ),
      element(
        "tbody",
        {},
        rows.map((x) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, String(x)),
            lines.curves.map((curve) =>
              element(
                "td",
                { class: "number" },
                curve.x.includes(x) ? number(curve.y[curve.x.indexOf(x)], 4) : "",
              ),
            ),
          ),
        ),
      ),
    ),
  );
};

const lineChart = (lines) => {
  const place = element("div", {
    class: "chart",
    role: "img",
    "aria-label": `${lines.title}. ${lines.meaning}`,
  });
  const numbers = folded("as numbers");
  numbers.addEventListener(
    "toggle",
    () => numbers.childElementCount === 1 && numbers.append(numbersOf(lines)),
  );
  return {
    place,
    figure: element(
      "figure",
      { class: "panel" },
      element(
        "figcaption",
        {},
        element("h3", {}, lines.title),
        element("p", { class: "soft" }, lines.meaning),
      ),
      place,
      numbers,
    ),
  };
};
