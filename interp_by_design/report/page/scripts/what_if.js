// g's decision under changed attributes. h is linear, so the page computes it as the model does.

let experiment = null; // { sample, phi, before, rows, result, status }

const whatIfWords = ({ sample, phi, before }) => {
  const now = softmax(logitsOf(phi));
  const [was, is] = [largestOf(before), largestOf(now)];
  const untouched = phi.every((value, j) => value === sample.attributes[j]);
  const decides = was !== is ? "g now decides" : untouched ? "g decides" : "g still decides";
  const instead = was === is ? "" : ` instead of ${className(was)}`;
  return (
    `${decides} ${className(is)} (${percent(now[is])})${instead}. f decides ` +
    `${className(sample.predictor)}; attributes do not change that.`
  );
};

const showResult = (state) => {
  const { sample, phi, before, result } = state;
  const now = softmax(logitsOf(phi));
  result.replaceChildren(probabilities(likelyClasses(sample, now, before), sample, now, before));
};

const showRow = (state, j) => {
  const { phi, before, rows } = state;
  const { slider, output, row } = rows.get(j);
  const decided = largestOf(before);
  const added = contributions(phi, decided)[j];
  slider.setAttribute(
    "aria-valuetext",
    `${number(phi[j])}, adds ${signed(added)} to ${className(decided)}`,
  );
  output.textContent = `${number(phi[j])} → ${signed(added)}`;
  row.classList.toggle("changed", phi[j] !== state.sample.attributes[j]);
};

// The sentence is read aloud once a slider rests, not at every step.
let announcing = null;
const announce = (state) => {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    state.status.textContent = whatIfWords(state);
  }, 150);
};

const setAll = (state, phi) => {
  state.phi = [...phi];
  for (const [j, { slider }] of state.rows) {
    slider.value = phi[j];
    showRow(state, j);
  }
  showResult(state);
  announce(state);
};

const sliderRow = (state, j) => {
  const page = attributeOf(j);
  const top = Math.max(page.largest, state.sample.attributes[j]);
  const slider = element("input", {
    type: "range",
    id: `slider-${j}`,
    min: 0,
    max: top || 1,
    step: (top || 1) / 200,
    disabled: top === 0,
  });
  slider.value = state.phi[j];
  const output = element("output", { for: `slider-${j}`, class: "number" });
  const row = element(
    "li",
    {},
    element("label", { for: `slider-${j}` }, thumbOf(j), attributeLabel(j)),
    slider,
    output,
    element(
      "a",
      { href: `#attributes/${j}`, "aria-label": `sheet of ${attributeLabel(j)}` },
      "sheet",
    ),
  );
  slider.addEventListener("input", () => {
    state.phi[j] = Number(slider.value);
    showRow(state, j);
    showResult(state);
    announce(state);
  });
  state.rows.set(j, { slider, output, row });
  showRow(state, j);
  return row;
};

const samplePicker = (sample) =>
  element(
    "select",
    {
      id: "what-if-sample",
      onchange: (event) => {
        location.hash = `what-if/${event.target.value}`;
      },
    },
    options(
      samples.map((each) => [each.index, sampleWords(each)]),
      sample.index,
    ),
  );

const whatIfView = (state) => {
  const { sample, before } = state;
  const r = relevanceOf(contributions(sample.attributes, largestOf(before)));
  const order = r.map((_, j) => j).sort((a, b) => Math.abs(r[b]) - Math.abs(r[a]));
  const isShown = (j) => Math.abs(r[j]) > bound;
  const button = (id, words, phi) =>
    element("button", { type: "button", id, onclick: () => setAll(state, phi) }, words);
  return [
    element("h2", { tabindex: -1 }, "What if"),
    element(
      "p",
      {},
      "Move an attribute of this image and see what g would decide. An attribute's " +
        "contribution is its value times a fixed weight, so this is g itself, not an estimate.",
    ),
    element(
      "div",
      { class: "tools" },
      field("Sample", samplePicker(sample)),
      element("a", { href: `#samples/${sample.index}` }, "why f and g decide so"),
    ),
    element(
      "div",
      { class: "what-if" },
      element(
        "div",
        { class: "answer" },
        figure(picture(sample.image, sampleWords(sample)), `label ${className(sample.label)}`),
        element(
          "div",
          {},
          state.status,
          state.result,
          element("p", { class: "soft" }, "The line in g's bars is where g was."),
        ),
      ),
      element(
        "div",
        {},
        element(
          "div",
          { class: "tools" },
          button("reset", "Reset", sample.attributes),
          button(
            "shown-only",
            "Keep only what is shown",
            sample.attributes.map((value, j) => (isShown(j) ? value : 0)),
          ),
          button(
            "all-zero",
            "All to 0",
            sample.attributes.map(() => 0),
          ),
        ),
        element(
          "p",
          { class: "soft" },
          `Value → what it adds to ${className(largestOf(before))}, which g decided. Largest ` +
            `first.`,
        ),
        element(
          "ul",
          { class: "sliders" },
          order.filter(isShown).map((j) => sliderRow(state, j)),
        ),
        folded(
          `${count(order.filter((j) => !isShown(j)).length, "more attribute")} below ` +
            `${number(bound)}`,
          element(
            "ul",
            { class: "sliders" },
            order.filter((j) => !isShown(j)).map((j) => sliderRow(state, j)),
          ),
        ),
      ),
    ),
  ];
};

views["what-if"] = (item) => {
  const sample = (item === "" ? experiment?.sample : sampleOf(Number(item))) ?? samples[0];
  const panel = byId("panel-what-if");
  if (!sample) {
    panel.replaceChildren(
      element("h2", {}, "What if"),
      element("p", { class: "note" }, "This report has no samples."),
    );
    return;
  }
  if (experiment && experiment.sample === sample && experiment.version === namesVersion) return;
  const [phi, before] = [[...sample.attributes], softmax(logitsOf(sample.attributes))];
  experiment = {
    sample,
    phi,
    before,
    rows: new Map(),
    version: namesVersion,
    result: element("div", { id: "what-if-result" }),
    status: element("p", { class: "statement", role: "status", "aria-live": "polite" }),
  };
  panel.replaceChildren(...whatIfView(experiment));
  experiment.status.textContent = whatIfWords(experiment);
  showResult(experiment);
};
