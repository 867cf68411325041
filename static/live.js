// What changes while a page is open: regions that follow what happens, and what to show when the server is away.
//
// A region says what it shows (`data-live="executions"`) and how it is fetched again (hx-get, hx-trigger="live"). One
// stream a tab names what changed; the regions of that are fetched, unless their reader would lose something by it.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const AGAIN_MS = [1000, 30000];
  let paused = false;

  // Fetching a region again must not take away what its reader is doing: marks, older rows that were loaded, a
  // selection, an open dialog. It then waits, and says that there is something newer.
  function isHeld(region) {
    const selection = getSelection();
    const selects = !selection.isCollapsed && region.contains(selection.anchorNode);
    return paused || selects || region.matches("[data-extended], :has(td.pick :checked)") || $("dialog[open]");
  }

  function refresh(region) {
    if (isHeld(region)) {
      region.dataset.stale = "";
      return;
    }
    delete region.dataset.stale;
    htmx.trigger(region, "live");
  }
  const refreshStale = () => $$("[data-live][data-stale]").forEach(refresh);
  setInterval(refreshStale, 1000);

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-live-toggle]");
    if (toggle) {
      paused = !paused;
      toggle.setAttribute("aria-pressed", String(!paused));
      refreshStale();
    }
    const region = event.target.closest("[data-show-newer]")?.closest("[data-live]");
    if (region) htmx.trigger(region, "live");
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const source = event.target;
    source.closest(".more")?.closest("[data-live]")?.setAttribute("data-extended", "");
  });

  document.addEventListener("htmx:afterSwap", follow);

  // A fragment request answered by the sign-in page means that the session ended: show that page, not a part of it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const address = event.detail.xhr?.responseURL;
    if (!address || new URL(address).pathname !== document.body.dataset.login) return;
    event.detail.shouldSwap = false;
    location.reload();
  });

  // The stream. A hidden tab needs none and gives its connection back: browsers allow six a host. Shown again, it goes on
  // from where it was.
  const { stream: address, position } = document.body.dataset;
  let source = null;
  let listensTo = "";
  let since = position;
  let wait = AGAIN_MS[0];
  let again = 0;

  function topics() {
    return [...new Set($$("[data-live]").flatMap((region) => region.dataset.live.split(" ")))].sort().join(",");
  }

  function leave() {
    clearTimeout(again);
    source?.close();
    source = null;
    listensTo = "";
  }

  function follow() {
    const wanted = document.hidden ? "" : topics();
    if (wanted === listensTo || !address) return;
    leave();
    if (!wanted) return;
    listensTo = wanted;
    source = new EventSource(`${address}?${new URLSearchParams({ topics: wanted, since })}`);
    source.addEventListener("open", () => {
      wait = AGAIN_MS[0];
      connection(false);
    });
    source.addEventListener("changed", (event) => {
      since = event.lastEventId;
      const changed = event.data.split(" ");
      for (const region of $$("[data-live]"))
        if (changed.includes("*") || region.dataset.live.split(" ").some((topic) => changed.includes(topic)))
          refresh(region);
    });
    source.addEventListener("error", () => {
      connection(true);
      // The browser tries again by itself unless the server said no.
      if (source.readyState !== EventSource.CLOSED) return;
      leave();
      again = setTimeout(follow, wait * (1 + Math.random()));
      wait = Math.min(wait * 2, AGAIN_MS[1]);
    });
  }
  follow();
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", follow);

  function connection(lost) {
    const notice = $("#connection");
    if (notice.hidden === !lost) return;
    notice.hidden = !lost;
    const at = new Date().toISOString().slice(11, 19);
    if (lost) $("span", notice).textContent = `Last update ${at} UTC. Trying again.`;
  }
  for (const failure of ["htmx:sendError", "htmx:timeout", "htmx:responseError"])
    document.addEventListener(failure, () => connection(true));
  document.addEventListener("htmx:afterSwap", () => connection(false));
})();
