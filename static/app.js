// Behaviour of every page. Nothing is inline and nothing is evaluated: listeners sit on the document and read data-
// attributes, so what htmx swaps in works without being initialised.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);

  function toast(text) {
    const line = document.createElement("div");
    line.textContent = text;
    $(".toasts").append(line);
    setTimeout(() => line.remove(), 3500);
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied");
    } catch {
      toast("The browser did not allow copying: it needs HTTPS or localhost");
    }
  }

  // Rows marked for one action together; the bar that does it is shown by CSS.
  const marks = () => [...document.querySelectorAll("td.pick input")];

  function countMarks() {
    const count = marks().filter((mark) => mark.checked).length;
    const text = $("[data-marked]");
    if (text && count) text.textContent = `${count} execution${count === 1 ? "" : "s"} marked`;
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("td.pick input")) countMarks();
  });

  const actions = {
    copy: (button) => copy(button.dataset.copy),
    fill: (button) => {
      const field = $(button.dataset.fill);
      field.value = $(button.dataset.fillFrom).textContent.trim();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    },
    "mark-all": (box) => {
      for (const mark of marks()) mark.checked = box.checked;
      countMarks();
    },
    unmark: () => {
      for (const mark of [...marks(), $("[data-do='mark-all']")]) mark.checked = false;
      countMarks();
    },
    theme: () => {
      const dark = document.documentElement.classList.toggle("dark");
      localStorage.setItem("theme", dark ? "dark" : "light");
    },
  };

  // Buttons open and close dialogs by command and commandfor, without script; here for browsers of before 2025.
  const commands = { "show-modal": (dialog) => dialog.showModal(), close: (dialog) => dialog.close() };
  if (!("commandForElement" in HTMLButtonElement.prototype))
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[commandfor]");
      if (button) commands[button.getAttribute("command")]($(`#${button.getAttribute("commandfor")}`));
    });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) actions[button.dataset.do]?.(button);
    // A click on the backdrop is a click on the dialog itself.
    if (event.target.matches("dialog[open]")) event.target.close();
  });

  // Menus are native popovers, so no panel clips them; browsers without anchor positioning need the place told.
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !menu.matches?.(".menu")) return;
      const opener = $(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
      const below = opener.bottom + 4 + menu.offsetHeight <= innerHeight;
      menu.style.top = `${below ? opener.bottom + 4 : opener.top - 4 - menu.offsetHeight}px`;
      menu.style.left = `${Math.max(8, Math.min(opener.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
    },
    true,
  );
})();
