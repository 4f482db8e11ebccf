// Names of attributes, as a person changes them.

let namesVersion = 0; // a section that shows older names draws itself again
let unsaved = false;

const rename = (j, typed) => {
  const name = typed.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFFFE\uFFFF]/gu, " ").trim();
  if (name === (names.get(j) ?? "")) return;
  if (name) names.set(j, name);
  else names.delete(j);
  namesVersion += 1;
  unsaved = true;
};
