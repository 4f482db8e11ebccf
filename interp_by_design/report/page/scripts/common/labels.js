// Failures of f and g on a sample, in words.

const kinds = {
  all: ["all", () => true],
  disagree: ["f and g disagree", (sample) => sample.predictor !== sample.interpreter],
  wrong: ["f is wrong", (sample) => sample.predictor !== sample.label],
  "interpreter-wrong": ["g is wrong", (sample) => sample.interpreter !== sample.label],
  insufficient: ["what is shown is not sufficient", (sample) => !sample.sufficient],
  unexplained: ["no attribute contributes", (sample) => sample.unexplained],
};

const flagsOf = (sample) =>
  Object.entries(kinds)
    .filter(([kind, [, holds]]) => kind !== "all" && holds(sample))
    .map(([, [words]]) => words);

const sampleWords = (sample) => {
  const flags = flagsOf(sample);
  return (
    `sample ${sample.index}: label ${className(sample.label)}, f ` +
    `${className(sample.predictor)}, g ` +
    `${className(sample.interpreter)}${flags.length ? "; " + flags.join(", ") : ""}`
  );
};
