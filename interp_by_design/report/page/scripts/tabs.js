// Tabs, by the pattern of the ARIA authoring practices; the address says what is open, so that Back works and links can be kept.

const tabs = [...document.querySelectorAll('[role="tab"]')];
const tabNamed = (name) => tabs.find((tab) => tab.id === `tab-${name}`);

const open = () => {
  const [name, item = ""] = location.hash.slice(1).split("/");
  if (tabNamed(name)) openTab(name, item);
  else if (location.hash === "") openTab("overview", ""); // any other address is a place within the tab that is open
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
  tab.addEventListener("click", () => { location.hash = tab.id.slice("tab-".length); });
  tab.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    const next = tabs[keys[event.key](place)];
    next.focus();
    next.click();
  });
}
