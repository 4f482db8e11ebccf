// The linear head h in double precision: g's logits, probabilities, contributions, relevance.

const logitsOf = (phi) =>
  content.head.weights.map((row, c) =>
    row.reduce((sum, weight, j) => sum + weight * phi[j], content.head.bias[c]),
  );

const softmax = (logits) => {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
};

const largestOf = (values) =>
  values.reduce((best, value, place) => (value > values[best] ? place : best), 0);

// alpha_j = phi_j w_jc, in logits.
const contributions = (phi, c) => content.head.weights[c].map((weight, j) => weight * phi[j]);

// r_j = alpha_j / max |alpha_i|; 0 where nothing contributes.
const relevanceOf = (alpha) => {
  const largest = Math.max(...alpha.map(Math.abs));
  return alpha.map((value) => (largest > 0 ? value / largest : 0));
};
