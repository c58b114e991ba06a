"use strict";

// The server draws the page; this only takes over what it draws anew. Without it, the page is as it was when opened.
const SECONDS = 30;

const isRead = () =>
  document.hidden ||
  !getSelection().isCollapsed ||
  document.querySelector("main").contains(document.activeElement);

async function renew() {
  if (isRead()) return;
  const main = document.querySelector("main");
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const details = main.querySelectorAll("details");
    drawn.querySelectorAll("details").forEach((one, index) => (one.open = details[index]?.open ?? false));
    main.replaceWith(drawn);
  } catch {
    const status = main.querySelector(".status");
    status.className = "status away";
    status.querySelector("strong").textContent = "The service does not answer.";
    status.querySelector("strong + span").textContent = "This is the last that it said.";
  }
}

setInterval(renew, SECONDS * 1000);
document.addEventListener("visibilitychange", renew);
