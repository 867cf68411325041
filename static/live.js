// What changes while a page is open: ages, polled regions, the live feed, and what to show when the server is away.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  let paused = false;

  // Times are UTC on the page; the tooltip adds the reader's own clock, and ages keep counting.
  function age(seconds) {
    if (seconds < 5) return "now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    const days = Math.floor(seconds / 86400);
    return `${days} day${days === 1 ? "" : "s"} ago`;
  }

  function refreshTimes() {
    for (const element of document.querySelectorAll("time[data-utc]")) {
      const at = new Date(element.dateTime);
      element.title = `${element.dataset.utc} (${at.toLocaleTimeString()} your time)`;
      if ("age" in element.dataset) element.textContent = age((Date.now() - at) / 1000);
    }
  }
  refreshTimes();
  setInterval(refreshTimes, 5000);

  // Whoever reads a moving list may stop it; nobody reads a hidden tab. An open dialog must not be swapped away.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-live-toggle]");
    if (!button) return;
    paused = !paused;
    button.setAttribute("aria-pressed", String(!paused));
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = event.target.matches("[data-live]");
    if (polls && (paused || document.hidden || $("dialog[open]"))) event.preventDefault();
  });
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (paused) event.preventDefault();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    refreshTimes();
    const feed = event.target.closest?.("[data-max]");
    while (feed && feed.children.length > +feed.dataset.max) feed.lastElementChild.remove();
  });

  // A fragment request answered by the sign-in page means that the session ended: show that page, not a part of it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const address = event.detail.xhr?.responseURL;
    if (!address || new URL(address).pathname !== document.body.dataset.login) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  function connection(lost) {
    const notice = $("#connection");
    if (notice.hidden === !lost) return;
    notice.hidden = !lost;
    const at = new Date().toISOString().slice(11, 19);
    if (lost) $("span", notice).textContent = `Last update ${at} UTC. Trying again.`;
  }
  for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError", "htmx:sseError"])
    document.addEventListener(failure, () => connection(true));
  for (const success of ["htmx:afterSwap", "htmx:sseOpen"]) document.addEventListener(success, () => connection(false));
})();
