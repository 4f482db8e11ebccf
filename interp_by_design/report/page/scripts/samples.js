// The samples: thumbnails to filter, and why f and g decide as they do on each.

const sampleLink = (sample) =>
  element(
    "li",
    {},
    element(
      "a",
      {
        href: `#samples/${sample.index}`,
        class: flagsOf(sample).length ? "flagged" : null,
        title: sampleWords(sample),
      },
      picture(sample.image, sampleWords(sample), { class: "picture small" }),
    ),
  );

const sampleList = () => {
  const filter = { kind: "all", label: "", decided: "" };
  const list = element("ul", { class: "thumbs" });
  const status = element("span", { role: "status", class: "soft" });
  const fits = (sample) =>
    kinds[filter.kind][1](sample) &&
    (filter.label === "" || sample.label === Number(filter.label)) &&
    (filter.decided === "" || sample.predictor === Number(filter.decided));
  const fill = () => {
    const found = samples.filter(fits);
    list.replaceChildren(...found.map(sampleLink));
    status.textContent = `${found.length} of ${count(samples.length, "sample")}`;
    markCurrent("panel-samples", location.hash);
  };
  const choose = (key) => (event) => {
    filter[key] = event.target.value;
    fill();
  };
  const classesIn = (key) => [
    ["", "any"],
    ...content.class_names
      .map((name, c) => [c, name])
      .filter(([c]) => samples.some((sample) => sample[key] === c)),
  ];
  const tools = element(
    "div",
    { class: "tools" },
    field(
      "Show",
      element(
        "select",
        { id: "kind", onchange: choose("kind") },
        options(
          Object.entries(kinds)
            .filter(([kind, [, holds]]) => kind === "all" || samples.some(holds))
            .map(([kind, [words]]) => [kind, words]),
          "all",
        ),
      ),
    ),
    field(
      "Label",
      element(
        "select",
        { id: "label", onchange: choose("label") },
        options(classesIn("label"), ""),
      ),
    ),
    field(
      "f decides",
      element(
        "select",
        { id: "decided", onchange: choose("decided") },
        options(classesIn("predictor"), ""),
      ),
    ),
    status,
  );
  fill();
  return [
    tools,
    list,
    element(
      "p",
      { class: "soft" },
      "An orange edge marks a sample where f and g disagree, one of them is wrong, or what is " +
        "shown is not sufficient.",
    ),
  ];
};

const contributionRows = (phi, c) => {
  const alpha = contributions(phi, c);
  return bySize(
    relevanceOf(alpha).map((r, j) => relevanceRow(j, r, `${signed(r)} (${signed(alpha[j])})`)),
  );
};

const sampleDetail = (sample) => {
  const interpreter = softmax(logitsOf(sample.attributes));
  const flags = flagsOf(sample);
  const rows = contributionRows(sample.attributes, sample.interpreter);
  const place = samples.indexOf(sample);
  const turn = (step, word) => {
    const other = samples[place + step];
    return other && element("a", { href: `#samples/${other.index}` }, word);
  };
  return [
    element(
      "nav",
      { class: "turn", "aria-label": "Samples" },
      element("a", { href: "#samples", class: "narrow" }, "All samples"),
      turn(-1, "← previous"),
      turn(1, "next →"),
      element("a", { href: `#what-if/${sample.index}` }, "What if …"),
    ),
    element("h2", { tabindex: -1 }, `Sample ${sample.index} of ${content.split}`),
    element(
      "div",
      { class: "sample" },
      figure(picture(sample.image, sampleWords(sample)), `label ${className(sample.label)}`),
      element(
        "div",
        {},
        flags.length
          ? element(
              "p",
              {},
              flags.map((flag) => element("span", { class: "badge" }, flag)),
            )
          : null,
        element("p", { class: "statement" }, sample.statement),
        probabilities(likelyClasses(sample, interpreter), sample, interpreter),
      ),
    ),
    element(
      "h3",
      {},
      `What speaks for and against ${className(sample.interpreter)}, which g decides`,
    ),
    barsAndRest(
      "Relevance (contribution)",
      rows,
      (row) => Math.abs(row.value) > bound,
      (n) =>
        `${count(n, "more attribute")} below ${number(bound)}, not shown at τ = ${content.tau}`,
    ),
    element("p", { class: "soft" }, `Selected for this page: ${sample.reasons.join(", ")}.`),
  ];
};

views.samples = (item) => {
  const panel = byId("panel-samples");
  if (!panel.childElementCount) {
    panel.append(
      element("h2", {}, "Samples"),
      element("p", { class: "soft" }, content.samples.selection),
      sideBySide(sampleList(), []),
    );
  }
  const sample = item === "" ? null : sampleOf(Number(item));
  markCurrent("panel-samples", `#samples/${item}`);
  if (sample) {
    showDetail("panel-samples", true, sampleDetail(sample));
    focusOn("panel-samples");
  } else {
    const first = samples.find((each) => flagsOf(each).length) ?? samples[0];
    const asked = element(
      "p",
      { class: "note" },
      first
        ? "Choose a sample to see why f and g decide as they do."
        : "This report has no samples.",
    );
    showDetail(
      "panel-samples",
      false,
      asked,
      first && matchMedia("(min-width: 56rem)").matches && sampleDetail(first),
    );
  }
};
