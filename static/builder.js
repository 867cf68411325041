// The builder swaps itself in place. What somebody is typing is newer than what the server answers with.
(() => {
  Idiomorph.defaults.ignoreActiveValue = true;

  // After a step was chosen or added, reading goes on at its name.
  document.addEventListener("htmx:afterSettle", () => {
    const heading = document.querySelector("#builder [data-focus]");
    if (!heading) return;
    heading.removeAttribute("data-focus");
    heading.focus();
  });
})();
