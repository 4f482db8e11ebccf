// Values of the page, and how things are called.

const content = JSON.parse(byId("content").textContent);
const names = new Map(
  Object.entries(content.attribute_names).map(([attribute, name]) => [Number(attribute), name]),
);
const bound = 1 / content.tau;

const className = (c) => content.class_names[c];
const attributeLabel = (j) => (names.has(j) ? `φ${j} “${names.get(j)}”` : `φ${j}`);
const attributeOf = (j) => content.attributes[j];
const decidedClasses = content.classes.filter((page) => page.relevance.length);
const samples = content.samples.items;
const sampleOf = (index) => samples.find((sample) => sample.index === index);

// [class, r_{j,c}] of an attribute over the classes that g decides, the largest |r| first.
const relevanceByClass = (j) =>
  decidedClasses
    .map((page) => [page.index, page.relevance[j]])
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));

const probabilityOfPredictor = (sample, c) =>
  (sample.probabilities.find(([known]) => known === c) ?? [c, null])[1];

// What each section does when its tab opens, by its key; the argument is what follows the slash
// in the address.
const views = {};
