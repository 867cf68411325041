// Times: the server writes UTC, whoever reads gets their own clock, and the exact UTC in the tooltip. Ages keep counting.
(() => {
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const two = (number) => String(number).padStart(2, "0");

  function age(seconds) {
    if (seconds < 5) return "now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    const days = Math.floor(seconds / 86400);
    return `${days} day${days === 1 ? "" : "s"} ago`;
  }

  const shows = {
    age: (at) => age((Date.now() - at) / 1000),
    clock: (at) => {
      const minutes = `${two(at.getHours())}:${two(at.getMinutes())}`;
      const isToday = at.toDateString() === new Date().toDateString();
      return isToday ? `${minutes}:${two(at.getSeconds())}` : `${at.getDate()} ${MONTHS[at.getMonth()]}, ${minutes}`;
    },
    moment: (at) => {
      const day = `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
      return `${day}, ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    },
  };

  function show() {
    for (const element of document.querySelectorAll("time[data-shows]")) {
      const text = shows[element.dataset.shows](new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }
  show();
  setInterval(show, 5000);
  document.addEventListener("htmx:afterSwap", show);
})();
