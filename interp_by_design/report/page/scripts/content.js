// What the page knows, and how things are called.

const content = JSON.parse(byId("content").textContent);
const names = new Map(Object.entries(content.names).map(([attribute, name]) => [Number(attribute), name]));
const bound = 1 / content.tau;

const className = (c) => content.class_names[c];
const attributeLabel = (j) => (names.has(j) ? `φ${j} “${names.get(j)}”` : `φ${j}`);
const attributeOf = (j) => content.attributes[j];
const decidedClasses = content.classes.filter((page) => page.relevance.length);
const sampleOf = (index) => content.samples.find((sample) => sample.index === index);

// [class, r_{j,c}] of an attribute over the classes that g decides, the largest |r| first.
const relevanceByClass = (j) =>
  decidedClasses.map((page) => [page.index, page.relevance[j]]).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));

const probabilityOfPredictor = (sample, c) => (sample.probabilities.find(([known]) => known === c) ?? [c, null])[1];

// What each tab does when it is opened, by the tab's name; it is given what stands behind the slash of the address.
const views = {};
