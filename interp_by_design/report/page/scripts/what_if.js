// What if an attribute had another value? h is linear, so the page computes g's answer itself, as the model does.

let experiment = null; // { sample, phi, before, rows, result, said }

const whatIfTold = ({ sample, phi, before }) => {
  const now = softmax(logitsOf(phi));
  const [was, is] = [largestOf(before), largestOf(now)];
  const untouched = phi.every((value, j) => value === sample.attributes[j]);
  const told = was !== is ? "g now decides" : untouched ? "g decides" : "g still decides";
  const instead = was === is ? "" : ` instead of ${className(was)}`;
  return `${told} ${className(is)} (${percent(now[is])})${instead}. f decides ${className(sample.predictor)}, whatever the attributes.`;
};

const showResult = (told) => {
  const { sample, phi, before, result } = told;
  const now = softmax(logitsOf(phi));
  result.replaceChildren(probabilities(likelyClasses(sample, now, before), sample, now, before));
};

const showRow = (told, j) => {
  const { phi, before, rows } = told;
  const { slider, output, row } = rows.get(j);
  const decided = largestOf(before);
  const added = contributions(phi, decided)[j];
  slider.setAttribute("aria-valuetext", `${number(phi[j])}, adds ${signed(added)} to ${className(decided)}`);
  output.textContent = `${number(phi[j])} → ${signed(added)}`;
  row.classList.toggle("changed", phi[j] !== told.sample.attributes[j]);
};

// The sentence is heard when the hand rests, not at every step of a slider.
let telling = null;
const announce = (told) => {
  clearTimeout(telling);
  telling = setTimeout(() => { told.said.textContent = whatIfTold(told); }, 150);
};

const setAll = (told, phi) => {
  told.phi = [...phi];
  for (const [j, { slider }] of told.rows) { slider.value = phi[j]; showRow(told, j); }
  showResult(told);
  announce(told);
};

const sliderRow = (told, j) => {
  const page = attributeOf(j);
  const top = Math.max(page.top, told.sample.attributes[j]);
  const slider = element("input", { type: "range", id: `slider-${j}`, min: 0, max: top || 1, step: (top || 1) / 200, disabled: top === 0 });
  slider.value = told.phi[j];
  const output = element("output", { for: `slider-${j}`, class: "number" });
  const row = element("li", {},
    element("label", { for: `slider-${j}` }, thumbOf(j), attributeLabel(j)), slider, output, element("a", { href: `#attributes/${j}`, "aria-label": `sheet of ${attributeLabel(j)}` }, "sheet"));
  slider.addEventListener("input", () => { told.phi[j] = Number(slider.value); showRow(told, j); showResult(told); announce(told); });
  told.rows.set(j, { slider, output, row });
  showRow(told, j);
  return row;
};

const sampleChoice = (sample) =>
  element("select", { id: "what-if-sample", onchange: (event) => { location.hash = `what-if/${event.target.value}`; } },
    options(content.samples.map((each) => [each.index, sampleWords(each)]), sample.index));

const whatIfView = (told) => {
  const { sample, before } = told;
  const r = relevanceOf(contributions(sample.attributes, largestOf(before)));
  const order = r.map((_, j) => j).sort((a, b) => Math.abs(r[b]) - Math.abs(r[a]));
  const isShown = (j) => Math.abs(r[j]) > bound;
  const button = (id, words, phi) => element("button", { type: "button", id, onclick: () => setAll(told, phi) }, words);
  return [
    element("h2", { tabindex: -1 }, "What if"),
    element("p", {}, "Move an attribute of this image and see what g would decide. An attribute's contribution is its value times a fixed weight, so this is g itself, not an estimate."),
    element("div", { class: "tools" }, field("Sample", sampleChoice(sample)), element("a", { href: `#samples/${sample.index}` }, "why it is decided so")),
    element("div", { class: "what-if" },
      element("div", { class: "answer" }, figure(picture(sample.image, sampleWords(sample)), `label ${className(sample.label)}`),
        element("div", {}, told.said, told.result, element("p", { class: "soft" }, "The line in g's bars is where g was."))),
      element("div", {},
        element("div", { class: "tools" }, button("reset", "Reset", sample.attributes), button("shown-only", "Keep only what is shown", sample.attributes.map((value, j) => (isShown(j) ? value : 0))), button("all-zero", "All to 0", sample.attributes.map(() => 0))),
        element("p", { class: "soft" }, `Value → what it adds to ${className(largestOf(before))}, which g decided. Largest first.`),
        element("ul", { class: "sliders" }, order.filter(isShown).map((j) => sliderRow(told, j))),
        folded(`${count(order.filter((j) => !isShown(j)).length, "more attribute")} below ${number(bound)}`, element("ul", { class: "sliders" }, order.filter((j) => !isShown(j)).map((j) => sliderRow(told, j)))))),
  ];
};

views["what-if"] = (item) => {
  const sample = (item === "" ? experiment?.sample : sampleOf(Number(item))) ?? content.samples[0];
  const panel = byId("panel-what-if");
  if (!sample) {
    panel.replaceChildren(element("h2", {}, "What if"), element("p", { class: "note" }, "This report has no samples."));
    return;
  }
  if (experiment && experiment.sample === sample && experiment.version === namesVersion) return;
  const [phi, before] = [[...sample.attributes], softmax(logitsOf(sample.attributes))];
  experiment = { sample, phi, before, rows: new Map(), version: namesVersion, result: element("div", { id: "what-if-result" }), said: element("p", { class: "statement", role: "status", "aria-live": "polite" }) };
  panel.replaceChildren(...whatIfView(experiment));
  experiment.said.textContent = whatIfTold(experiment);
  showResult(experiment);
};
