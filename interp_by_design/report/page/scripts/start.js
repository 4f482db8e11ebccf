// What the address asks for is opened, now and whenever it changes.

addEventListener("hashchange", open);
openTab("overview", "");
if (location.hash) open();
