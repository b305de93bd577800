/* Keeps an open page as the host is: parts that have changed take the place of the old
   ones, ages go on, and if the host is not heard of any more, the page says so. */
"use strict";
(() => {
  /* Milliseconds. The host says every few seconds that it lives; after three times
     that silence nothing on the page is to be trusted. */
  const SILENCE = 10000;
  /* Before another attempt, where the browser makes none by itself. */
  const RETRY = 2000;
  /* A notice has been read by then. */
  const NOTICE = 8000;

  const body = document.body;
  const element = (id) => document.getElementById(id);
  const now = () => Date.now() / 1000;

  /* Seconds that the host's clock is ahead of this one. */
  let ahead = body.dataset.now ? Number(body.dataset.now) - now() : 0;

  /* The title without a word of how the host is. */
  const plain = element("health")
    ? document.title.replace(/^[^·]*· /, "")
    : document.title;

  // Ages ----------------------------------------------------------------------------

  /* The words of figures.py. */
  function whole(seconds) {
    seconds = Math.floor(seconds);
    if (seconds < 60) return `${seconds} s`;
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(seconds / 3600);
    const days = Math.floor(seconds / 86400);
    if (hours < 1) return `${minutes} min`;
    if (days >= 2) return `${days} d`;
    const rest = minutes % 60;
    return rest && hours < 10 ? `${hours} h ${rest} min` : `${hours} h`;
  }

  function age(seconds) {
    if (Math.abs(seconds) < 1) return "now";
    const words = whole(Math.abs(seconds));
    return seconds > 0 ? `${words} ago` : `in ${words}`;
  }

  function tick() {
    const host = now() + ahead;
    for (const time of document.querySelectorAll("time[data-at]")) {
      const past = host - Number(time.dataset.at);
      const words = "due" in time.dataset && past >= 0 ? "due" : age(past);
      if (time.textContent !== words) time.textContent = words;
    }
  }

  // Contact -------------------------------------------------------------------------

  let source = null;
  let heard = Date.now();
  let retry = 0;
  let leaving = false;

  function hear() {
    heard = Date.now();
    if (!body.classList.contains("stale")) return;
    body.classList.remove("stale");
    element("contact").hidden = true;
    glance();
  }

  function lose() {
    if (leaving || body.classList.contains("stale")) return;
    body.classList.add("stale");
    const time = element("contact-time");
    time.textContent = new Date(heard).toLocaleTimeString();
    time.dateTime = new Date(heard).toISOString();
    element("contact").hidden = false;
    glance();
  }

  function connect() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(body.dataset.live);
    source.addEventListener("part", (message) => {
      hear();
      replace(message.data);
    });
    source.addEventListener("now", (message) => {
      hear();
      const [time, edition] = message.data.split(" ");
      ahead = Number(time) - now();
      // After an upgrade of the host the parts need another style and script.
      if (edition !== body.dataset.edition) location.reload();
    });
    source.addEventListener("error", () => {
      lose();
      // An answer that is no stream, such as a proxy's, ends the browser's attempts.
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, RETRY);
    });
  }

  function watch() {
    tick();
    if (!body.dataset.live || Date.now() - heard < SILENCE) return;
    lose();
    // A link that was cut without a word looks open for ever.
    if (source.readyState === EventSource.OPEN) connect();
  }

  // Parts ---------------------------------------------------------------------------

  function replace(html) {
    const id = /\bid="([^"]+)"/.exec(html)?.[1];
    const old = id && element(id);
    if (!old) return;
    htmx.swap({ text: html, target: old, sourceElement: body, swap: "outerMorph" });
    tick();
    if (id === "glance" || id === "health") glance();
  }

  /* What a tab in the background shows. */
  function glance() {
    const shown = element("health") || element("glance");
    const lost = body.classList.contains("stale");
    const icon = document.querySelector("link[rel=icon]");
    const file = lost ? icon.dataset.none : icon.dataset[shown.dataset.tone];
    if (icon.getAttribute("href") !== file) icon.href = file;
    const word = lost ? "No contact" : shown.id === "health" ? shown.dataset.title : "";
    document.title = word ? `${word} · ${plain}` : plain;
  }

  // Actions -------------------------------------------------------------------------

  let hide = 0;

  function say(words, tone) {
    const notice = element("notice");
    notice.textContent = words;
    notice.className = `notice ${tone}`;
    notice.hidden = false;
    clearTimeout(hide);
    if (tone === "ok") hide = setTimeout(() => (notice.hidden = true), NOTICE);
  }

  /* The host refuses in a sentence; a proxy has a page of its own. */
  function why({ status, headers }, text) {
    if (headers.get("Content-Type")?.startsWith("text/plain")) return text.trim();
    const page = new DOMParser().parseFromString(text, "text/html");
    return page.querySelector("main p")?.textContent || `the host answered ${status}`;
  }

  const label = (form) => {
    const button = form.querySelector("button");
    return button.getAttribute("aria-label") || button.textContent;
  };

  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    if (!form.matches?.("form.action")) return;
    if (ctx.response.status >= 400) {
      say(`Not done (${label(form)}): ${why(ctx.response, ctx.text)}`, "bad");
      return;
    }
    say(`Done: ${label(form)}.`, "ok");
    // Else the stream tells; and it may have told of more than this would show.
    if (body.dataset.live && !body.classList.contains("stale")) return;
    const page = { source: body, target: "#main", select: "#main", swap: "outerMorph" };
    htmx.ajax("GET", location.pathname, page);
  });

  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    const form = ctx?.sourceElement;
    if (form?.matches?.("form.action")) say(`Not done (${label(form)}): no contact.`, "bad");
  });

  document.addEventListener("htmx:after:swap", tick);

  // ---------------------------------------------------------------------------------

  tick();
  setInterval(watch, 1000);
  if (body.dataset.live) {
    connect();
    element("contact-retry").addEventListener("click", connect);
    addEventListener("pagehide", () => {
      leaving = true;
      source.close();
    });
    addEventListener("pageshow", (event) => {
      leaving = false;
      if (event.persisted) connect();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && body.classList.contains("stale")) connect();
    });
  }
})();
