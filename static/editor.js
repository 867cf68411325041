// Line numbers beside the definition's text field, problems marked, and a way from a problem to its line.
(() => {
  const LINE_PX = 19.2;

  function number(editor) {
    const field = editor.querySelector("textarea");
    const marked = new Set(editor.dataset.problemLines.split(" "));
    const count = field.value.split("\n").length;
    field.rows = Math.min(Math.max(count + 1, 24), 44);
    editor.querySelector(".gutter").replaceChildren(
      ...Array.from({ length: count }, (_, i) => {
        const line = document.createElement("li");
        line.className = marked.has(String(i + 1)) ? "bad" : "";
        line.textContent = i + 1;
        return line;
      }),
    );
    editor.dataset.numbered = "";
  }

  const all = () => document.querySelectorAll(".editor").forEach(number);
  all();
  // What was swapped in, or over what was there.
  document.addEventListener("htmx:afterSettle", all);

  document.addEventListener("input", (event) => {
    const editor = event.target.closest(".editor");
    if (editor) number(editor);
  });

  document.addEventListener(
    "scroll",
    (event) => {
      const editor = event.target.closest?.(".editor");
      if (editor) editor.querySelector(".gutter").scrollTop = event.target.scrollTop;
    },
    true,
  );

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
