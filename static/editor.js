// Line numbers beside the definition's text field, problems marked, and a way from a problem to its line.
(() => {
  const LINE_PX = 19.2;

  for (const editor of document.querySelectorAll(".editor")) {
    const field = editor.querySelector("textarea");
    const gutter = editor.querySelector(".gutter");
    const marked = new Set(editor.dataset.problemLines.split(" "));
    let lines = 0;

    function number() {
      const count = field.value.split("\n").length;
      if (count === lines) return;
      lines = count;
      field.rows = Math.min(Math.max(count + 1, 24), 44);
      gutter.replaceChildren(
        ...Array.from({ length: count }, (_, i) => {
          const line = document.createElement("li");
          line.className = marked.has(String(i + 1)) ? "bad" : "";
          line.textContent = i + 1;
          return line;
        }),
      );
    }

    field.addEventListener("input", number);
    field.addEventListener("scroll", () => {
      gutter.scrollTop = field.scrollTop;
    });
    number();
    editor.dataset.numbered = "";
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    if (!link) return;
    event.preventDefault();
    const field = document.querySelector(link.getAttribute("href"));
    const before = field.value.split("\n").slice(0, link.dataset.line - 1);
    const start = before.reduce((length, line) => length + line.length + 1, 0);
    const end = field.value.indexOf("\n", start);
    field.focus();
    field.setSelectionRange(start, end < 0 ? field.value.length : end);
    field.scrollTop = Math.max(0, (link.dataset.line - 6) * LINE_PX);
  });
})();
