// Tabs by the pattern of the ARIA authoring practices. The address says which one is open, so that
// the Back button and bookmarks work.

const tabs = [...document.querySelectorAll('[role="tab"]')];
const tabNamed = (name) => tabs.find((tab) => tab.id === `tab-${name}`);

const firstTab = tabs[0].id.slice("tab-".length);

const open = () => {
  const [name, item = ""] = location.hash.slice(1).split("/");
  if (tabNamed(name)) openTab(name, item);
  // Any other address is a place in the open tab.
  else if (location.hash === "") openTab(firstTab, "");
};

const openTab = (name, item) => {
  for (const tab of tabs) {
    const isOpen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !isOpen;
  }
  views[name]?.(item);
};

const keys = {
  ArrowRight: (place) => (place + 1) % tabs.length,
  ArrowLeft: (place) => (place - 1 + tabs.length) % tabs.length,
  Home: () => 0,
  End: () => tabs.length - 1,
};

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => {
    location.hash = tab.id.slice("tab-".length);
  });
  tab.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    const next = tabs[keys[event.key](place)];
    next.focus();
    next.click();
  });
}
