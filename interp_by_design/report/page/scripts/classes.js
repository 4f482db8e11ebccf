// The classes that occur: a list to search, the map of all of them, and a page for each.

// A list and what was chosen from it, beside one another, or one after the other where it is narrow.
const sideBySide = (list, detail) => element("div", { class: "split" }, element("div", { class: "list" }, list), element("article", { class: "detail" }, detail));

const showDetail = (panel, isOpen, ...children) => {
  const split = byId(panel).querySelector(".split");
  split.classList.toggle("open", isOpen);
  split.querySelector(".detail").replaceChildren(...children.flat(Infinity).filter(Boolean));
};

const markCurrent = (panel, address) => {
  for (const link of byId(panel).querySelectorAll(".list a")) {
    if (link.getAttribute("href") === address) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};

const classLink = (page) =>
  element("li", {}, element("a", { href: `#classes/${page.index}` }, element("span", {}, className(page.index)),
    element("small", {}, page.interpreted ? `decided ${page.interpreted.toLocaleString("en")} ×` : "never decided by g")));

const classList = () => {
  const list = element("ul", { class: "links" });
  const said = element("span", { role: "status", class: "soft" });
  const many = content.classes.length > 30; // then those that g decides often are the ones to read of
  const order = many ? [...content.classes].sort((a, b) => b.interpreted - a.interpreted) : content.classes;
  const fill = (text) => {
    const found = order.filter((page) => className(page.index).toLowerCase().includes(text.toLowerCase()));
    list.replaceChildren(...found.map(classLink));
    said.textContent = count(found.length, "class", "classes");
  };
  fill("");
  const search = element("input", { type: "search", id: "find-class", oninput: (event) => fill(event.target.value) });
  const hidden = content.class_names.length - content.classes.length;
  return [
    element("div", { class: "tools" }, field("Find", search), said), list,
    hidden ? element("p", { class: "soft" }, `${count(hidden, "class occurs", "classes occur")} neither as label nor as a decision here, and ${hidden === 1 ? "is" : "are"} left out.`) : null,
  ];
};

const mapOfClasses = () => [
  element("h3", {}, "Which attribute speaks for which class"),
  element("p", {}, `Relevance r, the mean over the ${content.split} images that g decides as the class: blue speaks for it, orange against. A cell opens the attribute's sheet; a class's page has its numbers.`),
  element("div", { class: "chart", id: "relevance-map", role: "img", "aria-label": "Heatmap of relevance, a row for each class that g decides and a column for each attribute. The numbers are on the page of each class." }),
];

const pairsTable = (caption, pairs, total) =>
  element("table", { class: "plain" }, element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ["class", "images", "share"].map((head, place) => element("th", { scope: "col", class: place ? "number" : null }, head)))),
    element("tbody", {}, pairs.slice(0, 12).map(([c, n]) => element("tr", {}, element("th", { scope: "row" }, className(c)),
      element("td", { class: "number" }, n.toLocaleString("en")), element("td", { class: "number" }, percent(n / total))))));

const typicalOf = (page) => page.typical.length > 0 && [
  element("h3", {}, "Typical samples"),
  element("p", { class: "soft" }, "Decided as this class by f and g, with attributes nearest to the class's mean."),
  element("div", { class: "strip" }, page.typical.map((place) => content.samples[place]).map((sample) =>
    element("a", { href: `#samples/${sample.index}` }, picture(sample.image, `sample ${sample.index}, label ${className(sample.label)}`, { class: "picture small" })))),
];

const classPage = (page) => {
  const rows = bySize(page.relevance.map((r, j) => relevanceRow(j, r, signed(r))));
  return [
    element("nav", { class: "turn", "aria-label": "Classes" }, element("a", { href: "#classes" }, "All classes and the map")),
    element("h2", { tabindex: -1 }, className(page.index)),
    element("p", {}, `Of ${count(content.n, "image")} of ${content.split}: labelled so ${page.labelled.toLocaleString("en")}, decided so by f ${page.predicted.toLocaleString("en")}, by g ${page.interpreted.toLocaleString("en")}.${page.fidelity === null ? "" : ` Where f decides it, g agrees on ${percent(page.fidelity)}.`}`),
    element("h3", {}, "Attributes that speak for and against it"),
    rows.length
      ? barsAndRest("Relevance of each attribute", rows, (row) => Math.abs(row.value) > bound, (n) => `${count(n, "more attribute")} below ${number(bound)}`)
      : element("p", { class: "note" }, "g decides this class on no image, so no relevance is known."),
    typicalOf(page),
    page.predicted > 0 && [
      element("h3", {}, "Confusion"),
      element("div", { class: "columns" }, pairsTable("Where f decides it, g decides", page.interpreters, page.predicted), pairsTable("Where f decides it, the label is", page.labels, page.predicted)),
    ],
  ];
};

let classesVersion = -1;

views.classes = (item) => {
  const panel = byId("panel-classes");
  if (!panel.childElementCount) panel.append(element("h2", {}, "Classes"), sideBySide(classList(), []));
  const page = content.classes.find((each) => item !== "" && each.index === Number(item));
  markCurrent("panel-classes", `#classes/${item}`);
  if (page) {
    showDetail("panel-classes", true, classPage(page));
    focusOn("panel-classes");
  } else if (!byId("relevance-map") || classesVersion !== namesVersion) {
    showDetail("panel-classes", false, mapOfClasses());
    if (decidedClasses.length) relevanceMap(byId("relevance-map"));
    classesVersion = namesVersion;
  }
};
