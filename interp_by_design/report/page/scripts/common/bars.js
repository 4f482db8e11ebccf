// Bars with numbers, as tables: what is drawn can be read, copied and read aloud.

// Rows of { label, href, thumb, value, text, faint }, value from -1 to 1, around a middle line.
const bars = (caption, rows) =>
  element(
    "table",
    { class: "bars" },
    element("caption", {}, caption),
    element(
      "tbody",
      {},
      rows.map((row) =>
        element(
          "tr",
          { class: row.faint ? "faint" : null },
          element(
            "th",
            { scope: "row" },
            element(
              "span",
              { class: "who" },
              row.thumb,
              row.href ? element("a", { href: row.href }, row.label) : row.label,
            ),
          ),
          element(
            "td",
            { class: "bar" },
            element("span", {
              class: row.value < 0 ? "against" : "for",
              style: `--size:${Math.abs(row.value) * 50}%`,
            }),
          ),
          element("td", { class: "number" }, row.text),
        ),
      ),
    ),
  );

const faint = (rows) =>
  bars(
    "",
    rows.map((row) => ({ ...row, faint: true })),
  );

// The rows that are shown at τ, and the rest behind a fold.
const barsAndRest = (caption, rows, isShown, rest) => {
  const [first, others] = [rows.filter(isShown), rows.filter((row) => !isShown(row))];
  return [
    first.length
      ? bars(caption, first)
      : element("p", { class: "note" }, `${caption}: none beyond the bound of ${number(bound)}.`),
    others.length
      ? first.length || others.length > 20
        ? folded(rest(others.length), faint(others))
        : faint(others)
      : null,
  ];
};

const relevanceRow = (j, relevance, text) => ({
  label: attributeLabel(j),
  href: `#attributes/${j}`,
  thumb: thumbOf(j),
  value: relevance,
  text,
});

const bySize = (rows) => rows.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));

// A bar from 0 to 1, with a mark where it was `before`.
const shareBar = (share, kind, before = null) =>
  element("span", {
    class: `share ${kind}${before === null ? "" : " marked"}`,
    style: `--size:${100 * (share ?? 0)}%;--before:${100 * (before ?? 0)}%`,
  });

const shareCell = (share, words, kind, before) =>
  element(
    "span",
    { class: "with-number" },
    shareBar(share, kind, before),
    element("span", { class: "number" }, words),
  );

// Probabilities of f and g in adjacent columns; `before` draws a mark where g was.
const probabilities = (classes, sample, interpreter, before = null) => {
  const decided = largestOf(interpreter);
  return element(
    "table",
    { class: "probabilities" },
    element("caption", {}, "Probabilities"),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ["class", before ? "f (fixed)" : "f", before ? "g now" : "g"].map((head) =>
          element("th", { scope: "col" }, head),
        ),
      ),
    ),
    element(
      "tbody",
      {},
      classes.map((c) => {
        const predictor = probabilityOfPredictor(sample, c);
        return element(
          "tr",
          { "data-class": c, class: c === decided ? "decided" : null },
          element(
            "th",
            { scope: "row" },
            className(c),
            c === sample.label && element("small", {}, " label"),
          ),
          element(
            "td",
            { "data-predictor": predictor ?? "" },
            shareCell(
              predictor,
              predictor === null ? `< ${percent(content.min_probability)}` : percent(predictor),
              "predictor",
              null,
            ),
          ),
          element(
            "td",
            { "data-interpreter": interpreter[c] },
            shareCell(
              interpreter[c],
              percent(interpreter[c]),
              "interpreter",
              before && before[c] > 0.005 ? before[c] : null,
            ),
          ),
        );
      }),
    ),
  );
};

// The classes to show: all if they are few, else the likely ones, the decisions and the label.
const likelyClasses = (sample, ...distributions) => {
  const all = content.class_names.map((_, c) => c);
  if (all.length <= 12) return all;
  const likely = distributions.flatMap((shares) =>
    [...all].sort((a, b) => shares[b] - shares[a]).slice(0, 5),
  );
  const wanted = new Set([
    sample.predictor,
    sample.interpreter,
    sample.label,
    ...likely,
    ...sample.probabilities.slice(0, 5).map(([c]) => c),
  ]);
  return all.filter((c) => wanted.has(c)).sort((a, b) => distributions[0][b] - distributions[0][a]);
};
