// What a page does beyond links and forms. Without it everything still works.

// An open menu closes on Escape and when people go elsewhere.
const menus = () => document.querySelectorAll("details.laad-menu[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
});

// The chosen tab is in sight, also where the row of tabs is wider than the screen.
for (const tab of document.querySelectorAll(".laad-tabs [aria-current]")) {
  tab.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// Who sent a form that is not right is brought to what is wrong with it.
document.querySelector("[data-error-summary]")?.focus();
