// The builder swaps itself in place (static/morph.js); requests go one after the other.
(() => {
  Object.assign(Idiomorph.defaults.callbacks, {
    beforeNodeMorphed(old, fresh) {
      // An edit has no result of its own: the last one stays to be compared with, marked as older than the draft.
      if (old.id !== "test-result" || !("stale" in (fresh.dataset ?? {})) || !old.querySelector(".outcome")) return true;
      old.dataset.stale = "";
      return false;
    },
  });

  // After a step was chosen or added, reading goes on at its name.
  document.addEventListener("htmx:afterSettle", () => {
    const heading = document.querySelector("#builder [data-focus]");
    if (!heading) return;
    heading.removeAttribute("data-focus");
    heading.focus();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest(".menu [hx-post]")) event.target.closest("[popover]").hidePopover();
  });

  // Ctrl Enter runs the test from anywhere in the builder.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    (document.querySelector("#run-test") ?? document.querySelector("#open-test"))?.click();
  });
})();
