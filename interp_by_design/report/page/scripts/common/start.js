// Opens the section in the address, now and after each change.

addEventListener("hashchange", open);
openTab(firstTab, "");
if (location.hash) open();
