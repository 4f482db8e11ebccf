// The classes that occur: a list to search, the map of all of them, and details of each.

const classLink = (page) =>
  element(
    "li",
    {},
    element(
      "a",
      { href: `#classes/${page.index}` },
      element("span", {}, className(page.index)),
      element(
        "small",
        {},
        page.interpreted ? `decided ${count(page.interpreted, "time")}` : "never decided by g",
      ),
    ),
  );

const classList = () => {
  const list = element("ul", { class: "links" });
  const status = element("span", { role: "status", class: "soft" });
  const many = content.classes.length > 30; // then the classes that g decides often come first
  const order = many
    ? [...content.classes].sort((a, b) => b.interpreted - a.interpreted)
    : content.classes;
  const fill = (text) => {
    const found = order.filter((page) =>
      className(page.index).toLowerCase().includes(text.toLowerCase()),
    );
    list.replaceChildren(...found.map(classLink));
    status.textContent = count(found.length, "class", "classes");
  };
  fill("");
  const search = element("input", {
    type: "search",
    id: "find-class",
    oninput: (event) => fill(event.target.value),
  });
  const hidden = content.class_names.length - content.classes.length;
  return [
    element("div", { class: "tools" }, field("Find", search), status),
    list,
    hidden
      ? element(
          "p",
          { class: "soft" },
          `${count(hidden, "class occurs", "classes occur")} neither as label nor as a ` +
            `decision here, and ${hidden === 1 ? "is" : "are"} left out.`,
        )
      : null,
  ];
};

// Of many classes the map shows those that g decides most often.
const MAX_MAP_CELLS = 40000;

const mapRows = () => {
  const most = Math.max(1, Math.floor(MAX_MAP_CELLS / content.attributes.length));
  const often = [...decidedClasses].sort((a, b) => b.interpreted - a.interpreted).slice(0, most);
  return decidedClasses.filter((page) => often.includes(page));
};

// A cell is coloured by its relevance; the style sheet mixes the colour.
const mapCell = (row, j) => {
  const r = row.relevance[j];
  return element("td", {
    "data-attribute": j,
    "data-class": row.index,
    class: r < 0 ? "against" : "for",
    style: `--size:${Math.round(Math.abs(r) * 100)}%`,
  });
};

// Not every column has a label where there are many.
const mapHead = () => {
  const every = Math.ceil(content.attributes.length / 40);
  return element(
    "tr",
    {},
    element("td"),
    content.attributes.map(({ attribute }, place) =>
      element(
        "th",
        { scope: "col" },
        place % every === 0 && element("a", { href: `#attributes/${attribute}` }, `φ${attribute}`),
      ),
    ),
  );
};

const relevanceMap = (rows) => {
  const readout = element("p", { class: "soft readout" }, "Point at a cell for its number.");
  const show = (event) => {
    const { attribute, class: c } = event.target.dataset;
    if (attribute === undefined) return;
    const row = rows.find((page) => page.index === Number(c));
    readout.textContent =
      `${attributeLabel(Number(attribute))} for ${className(row.index)}: ` +
      `${signed(row.relevance[attribute])}`;
  };
  const open = (event) => {
    const { attribute } = event.target.dataset;
    if (attribute !== undefined) location.hash = `attributes/${attribute}`;
  };
  return [
    element("p", { class: "legend", "aria-hidden": "true" }, "r = −1", element("span", {}), "1"),
    element(
      "table",
      {
        id: "relevance-map",
        style: `--columns:${content.attributes.length}`,
        onmouseover: show,
        onclick: open,
      },
      element("caption", {}, "Relevance of attributes (columns) for classes (rows)"),
      element("thead", {}, mapHead()),
      element(
        "tbody",
        {},
        rows.map((row) =>
          element(
            "tr",
            {},
            element(
              "th",
              { scope: "row" },
              element("a", { href: `#classes/${row.index}` }, className(row.index)),
            ),
            content.attributes.map(({ attribute }) => mapCell(row, attribute)),
          ),
        ),
      ),
    ),
    readout,
  ];
};

const mapOfClasses = () => {
  const rows = mapRows();
  const omitted = decidedClasses.length - rows.length;
  return [
    element("h3", {}, "Which attribute speaks for which class"),
    element(
      "p",
      {},
      `Relevance r, the mean over the ${content.split} images that g decides as the class: ` +
        `blue speaks for it, orange against. A cell opens the attribute's sheet; a class's ` +
        `page has its numbers.`,
    ),
    omitted
      ? element(
          "p",
          { class: "soft" },
          `The ${rows.length} classes that g decides most often; ` +
            `${count(omitted, "other class", "other classes")} can be found in the list.`,
        )
      : null,
    rows.length
      ? relevanceMap(rows)
      : element("p", { class: "note" }, "g decides no class on any image."),
  ];
};

const pairsTable = (caption, pairs, total) =>
  element(
    "table",
    { class: "plain" },
    element("caption", {}, caption),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ["class", "images", "share"].map((head, place) =>
          element("th", { scope: "col", class: place ? "number" : null }, head),
        ),
      ),
    ),
    element(
      "tbody",
      {},
      pairs
        .slice(0, 12)
        .map(([c, n]) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, className(c)),
            element("td", { class: "number" }, n.toLocaleString("en")),
            element("td", { class: "number" }, percent(n / total)),
          ),
        ),
    ),
  );

const typicalOf = (page) =>
  page.typical.length > 0 && [
    element("h3", {}, "Typical samples"),
    element(
      "p",
      { class: "soft" },
      "Decided as this class by f and g, with attributes nearest to the class's mean.",
    ),
    element(
      "div",
      { class: "strip" },
      page.typical
        .map((place) => samples[place])
        .map((sample) =>
          element(
            "a",
            { href: `#samples/${sample.index}` },
            picture(sample.image, `sample ${sample.index}, label ${className(sample.label)}`, {
              class: "picture small",
            }),
          ),
        ),
    ),
  ];

const classPage = (page) => {
  const agreement =
    page.fidelity === null ? "" : ` Where f decides it, g agrees on ${percent(page.fidelity)}.`;
  const rows = bySize(page.relevance.map((r, j) => relevanceRow(j, r, signed(r))));
  return [
    element(
      "nav",
      { class: "turn", "aria-label": "Classes" },
      element("a", { href: "#classes" }, "All classes and the map"),
    ),
    element("h2", { tabindex: -1 }, className(page.index)),
    element(
      "p",
      {},
      `Of ${count(content.n, "image")} of ${content.split}, ` +
        `${page.labelled.toLocaleString("en")} have this label. f decides it on ` +
        `${page.predicted.toLocaleString("en")}, g on ${page.interpreted.toLocaleString("en")}.` +
        agreement,
    ),
    element("h3", {}, "Attributes that speak for and against it"),
    rows.length
      ? barsAndRest(
          "Relevance of each attribute",
          rows,
          (row) => Math.abs(row.value) > bound,
          (n) => `${count(n, "more attribute")} below ${number(bound)}`,
        )
      : element(
          "p",
          { class: "note" },
          "g decides this class on no image, so no relevance is known.",
        ),
    typicalOf(page),
    page.predicted > 0 && [
      element("h3", {}, "Confusion"),
      element(
        "div",
        { class: "columns" },
        pairsTable("Where f decides it, g decides", page.interpreters, page.predicted),
        pairsTable("Where f decides it, the label is", page.labels, page.predicted),
      ),
    ],
  ];
};

let classesVersion = -1;

views.classes = (item) => {
  const panel = byId("panel-classes");
  if (!panel.childElementCount)
    panel.append(element("h2", {}, "Classes"), sideBySide(classList(), []));
  const page = content.classes.find((each) => item !== "" && each.index === Number(item));
  markCurrent("panel-classes", `#classes/${item}`);
  if (page) {
    showDetail("panel-classes", true, classPage(page));
    focusOn("panel-classes");
  } else if (!byId("relevance-map") || classesVersion !== namesVersion) {
    showDetail("panel-classes", false, mapOfClasses());
    classesVersion = namesVersion;
  }
};
