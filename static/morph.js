// Swaps in place (idiomorph) keep what has not changed: focus, scroll position, what is unfolded. And what somebody has
// typed since the last request that carried it is newer than its answer: such a field keeps its value.
(() => {
  const typed = new Set();
  const VALUES = ["value", "checked", "selected"];

  for (const name of ["input", "change"])
    document.addEventListener(name, (event) => typed.add(event.target), true);
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
    afterNodeAdded(node) {
      if (node.parentElement?.matches("[data-fresh]")) node.classList?.add("fresh");
    },
  });
})();
