// The command palette (Ctrl K) and the single-key shortcuts listed in its dialog.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const palette = $("#palette");
  if (!palette) return;

  const input = $("input", palette);
  const search = $("[data-search-link]", palette);
  const shown = () => $$("li:not(.h):not([hidden]) a", palette);

  function choose(link) {
    for (const other of $$("a", palette)) other.setAttribute("aria-selected", other === link);
    input.setAttribute("aria-activedescendant", link?.id ?? "");
    link?.scrollIntoView({ block: "nearest" });
  }

  input.addEventListener("input", () => {
    const query = input.value.trim();
    for (const item of $$("li:not(.h)", palette))
      item.hidden = !item.textContent.toLowerCase().includes(query.toLowerCase());
    for (const heading of $$("li.h", palette)) heading.hidden = query !== "";
    search.closest("li").hidden = query === "";
    search.href = `${search.dataset.searchLink}?q=${encodeURIComponent(query)}`;
    $("b", search).textContent = query;
    choose(shown()[0]);
  });

  input.addEventListener("keydown", (event) => {
    const links = shown();
    const at = links.findIndex((link) => link.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(links[(at + (event.key === "ArrowDown" ? 1 : -1) + links.length) % links.length]);
    }
    if (event.key === "Enter") links[at]?.click();
  });

  let goPressedAt = 0;
  const jump = { o: "overview", w: "workflows", e: "executions", a: "audit" };

  function move(step) {
    const rows = $$(".rowlink, .feed .what a, .audit summary");
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!palette.open) palette.showModal();
      return;
    }
    const typing = event.target.matches("input, select, textarea, [contenteditable]");
    if (typing || event.metaKey || event.ctrlKey || event.altKey || $("dialog[open]")) return;
    if (Date.now() - goPressedAt < 900 && jump[event.key]) {
      $(`.nav [data-key="${jump[event.key]}"]`).click();
      return;
    }
    if (event.key === "g") goPressedAt = Date.now();
    if (event.key === "?") $("#shortcuts").showModal();
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
    if (event.key === "/" && $("[data-search]")) {
      event.preventDefault();
      $("[data-search]").focus();
    }
  });
})();
