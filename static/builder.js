// The builder swaps itself in place (idiomorph). Requests go one after the other, and what somebody has typed since the
// last one went is newer than its answer: such a field keeps its value.
(() => {
  const typed = new Set();
  const VALUES = ["value", "checked", "selected"];

  for (const name of ["input", "change"])
    document.addEventListener(name, (event) => {
      if (event.target.closest("#builder")) typed.add(event.target);
    }, true);
  document.addEventListener("htmx:configRequest", (event) => {
    for (const field of typed) if (!field.isConnected || event.detail.formData.has(field.name)) typed.delete(field);
  });

  Object.assign(Idiomorph.defaults.callbacks, {
    beforeAttributeUpdated(name, element) {
      // What is unfolded stays so.
      if (name === "open") return !element.matches("details, dialog");
      // An open menu has its place from static/app.js.
      if (name === "style") return !element.matches("[popover]");
      return !(VALUES.includes(name) && typed.has(element.closest("select") ?? element));
    },
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
