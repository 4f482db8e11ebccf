// Images with alternative texts.

const picture = (source, words, attributes = {}) =>
  element("img", { src: source, alt: words, class: "picture", decoding: "async", ...attributes });

const figure = (image, ...caption) =>
  element("figure", {}, image, element("figcaption", {}, ...caption));

// An image under the heat map of an attribute.
const heated = (example, words) =>
  element(
    "span",
    { class: "heated", role: "img", "aria-label": words },
    picture(example.image, ""),
    element("img", { src: example.heat, alt: "", class: "heat" }),
  );

const thumbOf = (j) => {
  const best = attributeOf(j).examples[0];
  return best
    ? picture(best.image, "", { class: "picture thumb" })
    : element("span", { class: "thumb" });
};
