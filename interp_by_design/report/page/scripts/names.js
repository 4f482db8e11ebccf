// Names that a person gives to attributes, and the file that holds them.

let namesVersion = 0; // what was drawn with other names is drawn anew
let unsaved = false;

const namesFile = () =>
  content.names_head + [...names].sort((a, b) => a[0] - b[0]).map(([attribute, name]) => `${attribute}: ${JSON.stringify(name)}\n`).join("");

const rename = (j, typed) => {
  const name = typed.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu, " ").trim();
  if (name === (names.get(j) ?? "")) return;
  if (name) names.set(j, name);
  else names.delete(j);
  namesVersion += 1;
  unsaved = true;
};

const download = (name, text) => {
  const address = URL.createObjectURL(new Blob([text], { type: "text/yaml" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
};

addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

views.names = () => {
  const panel = byId("panel-names");
  if (panel.childElementCount) return;
  const said = element("p", { role: "status", class: "soft" });
  const tell = () => { said.textContent = `${count(names.size, "attribute")} of ${content.attributes.length} named${unsaved ? ", not yet downloaded" : ""}.`; };
  const save = () => { download("names.yaml", namesFile()); unsaved = false; tell(); };
  panel.append(
    element("h2", {}, "Names"),
    element("p", {}, "Look at what activates an attribute, and write what you read in it. A name is a person's reading, not a fact: it is always shown in quotes. " +
      "It takes effect in this page at once; download the file and put it into the run folder to keep it, and the next report of this run shows it too."),
    element("div", { class: "tools" }, element("button", { type: "button", id: "save-names", class: "strong", onclick: save }, "Download names.yaml"), said),
    element("ul", { class: "names" }, content.attributes.map((page) => {
      const j = page.attribute;
      const input = element("input", { type: "text", id: `name-${j}`, maxlength: content.longest_name, value: names.get(j) ?? "", autocomplete: "off", spellcheck: "true", placeholder: "no name" });
      input.addEventListener("input", () => { rename(j, input.value); tell(); });
      return element("li", {},
        element("label", { for: `name-${j}` }, `φ${j}`),
        element("span", { class: "strip" }, page.examples.map((example) => picture(example.image, `image that activates φ${j}, label ${className(example.label)}`, { class: "picture small" }))),
        input, element("a", { href: `#attributes/${j}`, "aria-label": `sheet of φ${j}` }, "sheet"));
    })));
  tell();
};
