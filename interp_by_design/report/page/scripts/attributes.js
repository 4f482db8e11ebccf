// The attributes: all of them as cards, and a sheet of each.

const gallery = { sort: "number", of: "", text: "", version: -1 };

const strongest = (j, sign) => relevanceByClass(j).filter(([, r]) => sign * r > bound)[0] ?? null;
const relevanceFor = (j, c) => decidedClasses.find((page) => page.index === c).relevance[j];

// The classes that an attribute speaks for and against most, or the class that is asked for.
const speaksFor = (j) => {
  const asked =
    gallery.of === "" ? null : [Number(gallery.of), relevanceFor(j, Number(gallery.of))];
  const classes = (asked ? [asked] : [strongest(j, 1), strongest(j, -1)]).filter(Boolean);
  if (!classes.length) return element("span", { class: "soft" }, "for no class in particular");
  return element(
    "span",
    { class: "speaks" },
    classes.map(([c, r]) => [
      element("span", { class: "side" }, r < 0 ? "against" : "for"),
      element("span", { class: "who" }, className(c)),
      element("span", { class: "number" }, signed(r)),
    ]),
  );
};

const card = (page) =>
  element(
    "li",
    {},
    element(
      "a",
      { class: "card", href: `#attributes/${page.attribute}` },
      element("h3", {}, attributeLabel(page.attribute)),
      element(
        "span",
        { class: "strip" },
        page.examples.map((example) =>
          picture(example.image, `label ${className(example.label)}`, { class: "picture small" }),
        ),
      ),
      page.examples.length ? null : element("span", { class: "soft" }, "active on no image"),
      speaksFor(page.attribute),
      element(
        "span",
        { class: "usage" },
        shareBar(page.active_share, "interpreter"),
        `active on ${percent(page.active_share)}`,
      ),
    ),
  );

const sortKeys = {
  number: (page) => [page.attribute],
  class: (page) => {
    const best = strongest(page.attribute, 1);
    return best ? [best[0], -best[1]] : [Infinity];
  },
  usage: (page) => [-page.active_share],
  relevance: (page) => [
    -Math.abs(
      gallery.of === ""
        ? (relevanceByClass(page.attribute)[0] ?? [0, 0])[1]
        : relevanceFor(page.attribute, Number(gallery.of)),
    ),
  ],
};

const compared = (a, b) => {
  for (const place of a.keys()) {
    if (a[place] !== b[place]) return a[place] < b[place] ? -1 : 1;
  }
  return 0;
};

const fillGallery = (list, status) => {
  const key = sortKeys[gallery.sort];
  const found = content.attributes.filter((page) =>
    attributeLabel(page.attribute).toLowerCase().includes(gallery.text.toLowerCase()),
  );
  list.replaceChildren(
    ...found.sort((a, b) => compared(key(a), key(b)) || a.attribute - b.attribute).map(card),
  );
  status.textContent = count(found.length, "attribute");
};

const galleryView = () => {
  const list = element("ul", { class: "cards" });
  const status = element("span", { role: "status", class: "soft" });
  const fill = () => fillGallery(list, status);
  const sort = element(
    "select",
    {
      id: "sort",
      onchange: (event) => {
        gallery.sort = event.target.value;
        fill();
      },
    },
    options(
      [
        ["number", "number"],
        ["class", "class it speaks for"],
        ["usage", "usage"],
        ["relevance", "relevance"],
      ],
      gallery.sort,
    ),
  );
  const of = element(
    "select",
    {
      id: "sort-class",
      onchange: (event) => {
        gallery.of = event.target.value;
        sort.value = gallery.sort = event.target.value === "" ? gallery.sort : "relevance";
        fill();
      },
    },
    options(
      [["", "any class"], ...decidedClasses.map((page) => [page.index, className(page.index)])],
      gallery.of,
    ),
  );
  const text = element("input", {
    type: "search",
    id: "find-attribute",
    value: gallery.text,
    placeholder: "3, loop",
    oninput: (event) => {
      gallery.text = event.target.value;
      fill();
    },
  });
  fill();
  return [
    element("h2", {}, "Attributes"),
    element(
      "p",
      {},
      `Each card shows the ${content.sheets_split} images that activate an attribute most; ` +
        `its sheet shows where it looks, what raises it, and the classes it speaks for and ` +
        `against.`,
    ),
    element(
      "div",
      { class: "tools" },
      field("Sort by", sort),
      field("Relevance for", of),
      field("Find", text),
      status,
    ),
    list,
  ];
};

const exampleOf = (page, example) => {
  const label = `φ${page.attribute}`;
  return element(
    "li",
    { class: "example" },
    figure(
      picture(example.image, `image ${example.index}, label ${className(example.label)}`),
      `label ${className(example.label)}, ${label} = ${number(example.value)}`,
    ),
    figure(heated(example, `where ${label} looks in image ${example.index}`), "where it looks"),
    example.maximized &&
      figure(
        picture(example.maximized, `image ${example.index} changed to raise ${label}`),
        raisedWords(example),
      ),
  );
};

const raisedWords = (example) =>
  example.maximized_value > example.value
    ? `changed to raise it: ${number(example.value)} → ${number(example.maximized_value)}`
    : `changed to raise it, without success: other attributes rose more, and it is ` +
      `${number(example.maximized_value)} there`;

// The few strongest images share much by chance; the weak ones show what the attribute responds to.
const spreadOf = (page) =>
  page.spread.length && [
    element("h3", {}, `From strong to weak (${content.split})`),
    element(
      "p",
      {},
      `${count(page.spread.length, "image")} on which φ${page.attribute} is active, ` +
        `evenly spaced by rank: what they have in common is what it responds to.`,
    ),
    element(
      "ol",
      { class: "strip spread" },
      page.spread.map((one) =>
        element(
          "li",
          {},
          figure(
            picture(one.image, `image ${one.index}, label ${className(one.label)}`),
            number(one.value),
          ),
        ),
      ),
    ),
  ];

const fall = (drop) => (drop < 0 ? `rises by ${percent(-drop)}` : `falls by ${percent(drop)}`);

const deletionNote = (page) => {
  if (page.deletion === null || page.deletion_random === null) return null;
  const check =
    `Check by deletion: without the hottest tenth of the image, ` +
    `φ${page.attribute} ${fall(page.deletion)}; without a random tenth, it ` +
    `${fall(page.deletion_random)}.`;
  const holds = page.deletion > page.deletion_random;
  return element(
    "p",
    { class: holds ? "note" : "note bad" },
    check,
    holds ? "" : " So these heat maps do not show what it depends on.",
  );
};

const sweepOf = (page) =>
  page.sweep.length && [
    element("h3", {}, "What the decoder draws"),
    element(
      "p",
      {},
      `The decoder was trained to redraw an image from its attributes alone. Here ` +
        `φ${page.attribute} alone is changed on the first image above.`,
    ),
    element(
      "ol",
      { class: "strip sweep" },
      page.sweep.map((image, step) =>
        element(
          "li",
          {},
          figure(
            picture(image, `decoded with φ${page.attribute} = ${number(page.levels[step])}`),
            number(page.levels[step]),
          ),
        ),
      ),
    ),
  ];

const sheetView = (page) => {
  const rows = relevanceByClass(page.attribute).map(([c, r]) => ({
    label: className(c),
    href: `#classes/${c}`,
    value: r,
    text: signed(r),
  }));
  const turn = (step, word) => {
    const other = attributeOf(page.attribute + step);
    return other && element("a", { href: `#attributes/${other.attribute}` }, word);
  };
  return [
    element(
      "nav",
      { class: "turn", "aria-label": "Attributes" },
      element("a", { href: "#attributes" }, "All attributes"),
      turn(-1, "← previous"),
      turn(1, "next →"),
    ),
    element("h2", { tabindex: -1 }, attributeLabel(page.attribute)),
    element(
      "p",
      { class: "usage wide" },
      shareBar(page.active_share, "interpreter"),
      `Active on ${percent(page.active_share)} of the ${content.split} images; its largest ` +
        `value among them is ${number(page.largest)}. `,
      element(
        "a",
        { href: "#names" },
        names.has(page.attribute) ? "Change its name" : "Give it a name",
      ),
    ),
    element("h3", {}, `Images that activate it most (${content.sheets_split})`),
    page.examples.length
      ? [
          element(
            "ul",
            { class: "examples" },
            page.examples.map((example) => exampleOf(page, example)),
          ),
          element("p", { class: "soft" }, `Orange: where it looks, by ${page.heatmap_method}.`),
          deletionNote(page),
        ]
      : element("p", { class: "note bad" }, "It is active on no image."),
    spreadOf(page),
    sweepOf(page),
    element("h3", {}, "Classes it speaks for and against"),
    barsAndRest(
      "Relevance for each class",
      rows,
      (row) => Math.abs(row.value) > bound,
      (n) => `${count(n, "more class", "more classes")} below ${number(bound)}`,
    ),
  ];
};

views.attributes = (item) => {
  const page = item === "" ? null : attributeOf(Number(item));
  byId("panel-attributes").replaceChildren(
    ...(page ? sheetView(page) : galleryView()).flat(Infinity).filter(Boolean),
  );
  if (page) focusOn("panel-attributes");
};
