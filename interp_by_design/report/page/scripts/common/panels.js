// A list with the details of one of its items.

// The list and the details, next to each other or, on a narrow screen, one after the other.
const sideBySide = (list, detail) =>
  element(
    "div",
    { class: "split" },
    element("div", { class: "list" }, list),
    element("article", { class: "detail" }, detail),
  );

const showDetail = (panel, isOpen, ...children) => {
  const split = byId(panel).querySelector(".split");
  split.classList.toggle("open", isOpen);
  split.querySelector(".detail").replaceChildren(...children.flat(Infinity).filter(Boolean));
};

const markCurrent = (panel, address) => {
  for (const link of byId(panel).querySelectorAll(".list a")) {
    if (link.getAttribute("href") === address) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};

// Moves the focus to what a link opens.
const focusOn = (panel) => {
  byId(panel).querySelector("h2[tabindex]").focus({ preventScroll: true });
  if (byId(panel).getBoundingClientRect().top < 0) byId(panel).scrollIntoView();
};
