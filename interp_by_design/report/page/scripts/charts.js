// Charts by Plotly, drawn when their tab opens, in the page's colours, and drawn anew when those change.

const drawn = new Map();
const inks = ["--for", "--against", "--third", "--fourth", "--fifth", "--sixth"];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Plotly reads some tags in labels; with these three escaped there is none to read.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Plotly stands at the end of the page: on a slow machine a tab may open before it is there.
const whenThere = (draw) => {
  if (window.Plotly) draw();
  else addEventListener("DOMContentLoaded", draw, { once: true });
};

const common = () => ({
  paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
  font: { family: "system-ui, sans-serif", size: 12, color: colour("--ink") },
  colorway: inks.map(colour), hoverlabel: { font: { family: "system-ui, sans-serif" } },
});

const axis = (title) => ({
  title: { text: plain(title) }, gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"),
  fixedrange: true, automargin: true,
});

// `make` gives { traces, layout } in the colours of the moment.
const chart = (place, make) => {
  const draw = () => {
    const { traces, layout } = make();
    Plotly.react(place, traces, { ...common(), ...layout }, { displayModeBar: false, responsive: true });
  };
  drawn.set(place, draw);
  whenThere(draw);
};

document.addEventListener("theme", () => {
  for (const [place, draw] of drawn) place.isConnected ? whenThere(draw) : drawn.delete(place);
});

const dashes = ["solid", "dash", "dot", "dashdot", "longdash"];

const lines = (told) => () => ({
  traces: told.curves.map((curve, place) => ({
    type: "scatter", mode: curve.x.length > 30 ? "lines" : "lines+markers", x: curve.x, y: curve.y, name: plain(curve.name),
    line: { width: 2, dash: dashes[Math.floor(place / inks.length) % dashes.length] }, marker: { size: 6, symbol: place },
  })),
  layout: {
    height: 320, margin: { t: 12, r: 12, b: 48, l: 52 }, showlegend: told.curves.length > 1,
    legend: { orientation: "h", y: -0.28 }, xaxis: axis(told.x_title),
    yaxis: { ...axis(told.y_title), type: told.logarithmic ? "log" : "linear", rangemode: "tozero" },
  },
});

const numbersOf = (told) => {
  const steps = [...new Set(told.curves.flatMap((curve) => curve.x))].sort((a, b) => a - b);
  const rows = steps.length > 60 ? steps.filter((_, place) => place % Math.ceil(steps.length / 60) === 0) : steps;
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${told.title}, as numbers` },
    element("table", { class: "plain" },
      element("thead", {}, element("tr", {}, [told.x_title, ...told.curves.map((curve) => curve.name)].map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map((x) => element("tr", {}, element("th", { scope: "row" }, String(x)),
        told.curves.map((curve) => element("td", { class: "number" }, curve.x.includes(x) ? number(curve.y[curve.x.indexOf(x)], 4) : "")))))));
};

const lineChart = (told) => {
  const place = element("div", { class: "chart", role: "img", "aria-label": `${told.title}. ${told.meaning}` });
  const numbers = folded("as numbers");
  numbers.addEventListener("toggle", () => numbers.childElementCount === 1 && numbers.append(numbersOf(told)));
  return { place, figure: element("figure", { class: "panel" }, element("figcaption", {}, element("h3", {}, told.title), element("p", { class: "soft" }, told.meaning)), place, numbers) };
};

// Which attribute speaks for which class; a click opens the attribute's sheet.
const relevanceMap = (place) => {
  const attributes = content.attributes.map((page) => page.attribute);
  const rows = decidedClasses;
  chart(place, () => ({
    traces: [{
      type: "heatmap", x: attributes, y: rows.map((_, row) => row), z: rows.map((row) => row.relevance), zmin: -1, zmax: 1,
      colorscale: [[0, colour("--against")], [0.5, colour("--band")], [1, colour("--for")]], xgap: 1, ygap: 1,
      text: rows.map((row) => attributes.map((j) => plain(`${attributeLabel(j)} for ${className(row.index)}: ${signed(row.relevance[j])}`))),
      hovertemplate: "%{text}<extra></extra>", colorbar: { orientation: "h", thickness: 8, len: 0.5, x: 0, xanchor: "left", y: 1, yanchor: "bottom", outlinewidth: 0, tickvals: [-1, 0, 1], ticktext: ["r = −1", "0", "1"] },
    }],
    layout: {
      height: Math.max(260, 110 + 22 * rows.length), margin: { t: 40, r: 8, b: 44, l: 40 },
      xaxis: { ...axis("attribute"), showgrid: false, zeroline: false, tickvals: attributes, ticktext: attributes.map((j) => `φ${j}`) , tickangle: -90, tickfont: { size: 10 } },
      yaxis: { ...axis(""), showgrid: false, zeroline: false, autorange: "reversed", tickvals: rows.map((_, row) => row), ticktext: rows.map((row) => plain(shortened(className(row.index)))) },
    },
  }));
  whenThere(() => place.on("plotly_click", (event) => { location.hash = `attributes/${event.points[0].x}`; }));
};

const shortened = (text, length = 18) => (text.length > length ? text.slice(0, length - 1) + "…" : text);
