// Light or dark, before anything is painted: the reader's last choice, else the system's setting.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    /* a browser without storage for files */
  }
  const apply = () => {
    document.documentElement.dataset.theme = chosen ?? (system.matches ? "dark" : "light");
    document.dispatchEvent(new Event("theme"));
  };
  system.addEventListener("change", apply);
  apply();
  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const mark = () =>
      button.setAttribute("aria-pressed", document.documentElement.dataset.theme === "dark");
    button.addEventListener("click", () => {
      chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      try {
        localStorage.setItem("theme", chosen);
      } catch {
        /* for this visit alone */
      }
      apply();
    });
    document.addEventListener("theme", mark);
    mark();
  });
})();
