// The builder swaps itself in place. What somebody is typing is newer than what the server answers with.
(() => {
  Idiomorph.defaults.ignoreActiveValue = true;
  Idiomorph.defaults.callbacks = {
    ...Idiomorph.defaults.callbacks,
    beforeNodeMorphed(old, fresh) {
      // An edit has no result of its own: the last one stays to be compared with, marked as older than the draft.
      if (old.id !== "test-result" || !("stale" in (fresh.dataset ?? {})) || !old.querySelector(".outcome")) return true;
      old.dataset.stale = "";
      return false;
    },
    // What is unfolded stays so.
    beforeAttributeUpdated: (name, element) => !(name === "open" && element.matches("details, dialog")),
  };

  document.addEventListener("htmx:afterSettle", () => {
    // After a step was chosen or added, reading goes on at its name.
    const heading = document.querySelector("#builder [data-focus]");
    if (!heading) return;
    heading.removeAttribute("data-focus");
    heading.focus();
  });

  // Ctrl Enter runs the test from anywhere in the builder.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.querySelector("#run-test, #open-test")?.click();
  });
})();
