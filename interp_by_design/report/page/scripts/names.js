// Names that a person gives to attributes, and the file that holds them.

const namesFile = () =>
  content.names.head +
  [...names]
    .sort((a, b) => a[0] - b[0])
    .map(([attribute, name]) => `${attribute}: ${JSON.stringify(name)}\n`)
    .join("");

const download = (name, text) => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/yaml" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};

addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});

views.names = () => {
  const panel = byId("panel-names");
  if (panel.childElementCount) return;
  const status = element("p", { role: "status", class: "soft" });
  const report = () => {
    status.textContent =
      `${count(names.size, "attribute")} of ${content.attributes.length} ` +
      `named${unsaved ? ", not yet downloaded" : ""}.`;
  };
  const save = () => {
    download("names.yaml", namesFile());
    unsaved = false;
    report();
  };
  panel.append(
    element("h2", {}, "Names"),
    element(
      "p",
      {},
      "Look at what activates an attribute, and name what you see. A name is a person's " +
        "interpretation, not a fact: it is always shown in quotes. " +
        "It takes effect on this page at once. To keep it, download the file and put it into " +
        "the run folder; the next report of this run shows it too.",
    ),
    element(
      "div",
      { class: "tools" },
      element(
        "button",
        { type: "button", id: "save-names", class: "strong", onclick: save },
        "Download names.yaml",
      ),
      status,
    ),
    element(
      "ul",
      { class: "names" },
      content.attributes.map((page) => {
        const j = page.attribute;
        const input = element("input", {
          type: "text",
          id: `name-${j}`,
          maxlength: content.names.max_length,
          value: names.get(j) ?? "",
          autocomplete: "off",
          spellcheck: "true",
          placeholder: "no name",
        });
        input.addEventListener("input", () => {
          rename(j, input.value);
          report();
        });
        return element(
          "li",
          {},
          element("label", { for: `name-${j}` }, `φ${j}`),
          element(
            "span",
            { class: "strip" },
            page.examples.map((example) =>
              picture(
                example.image,
                `image that activates φ${j}, label ${className(example.label)}`,
                { class: "picture small" },
              ),
            ),
          ),
          input,
          element("a", { href: `#attributes/${j}`, "aria-label": `sheet of φ${j}` }, "sheet"),
        );
      }),
    ),
  );
  report();
};
