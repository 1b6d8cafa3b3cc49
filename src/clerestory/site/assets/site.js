/* Swaps in the pre-rendered page of the value that was chosen, and shows a mark's label under the pointer.
   Every number comes ready from the server's page: nothing is added up here. */
(() => {
  "use strict";
  const REGIONS = [".head-of-site", "main", ".foot"];
  const status = () => document.getElementById("said");
  let latest = 0;

  const openTables = () => [...document.querySelectorAll("details[open][id]")].map((one) => one.id);

  const swap = (text, address, focus) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const opened = openTables();
    document.title = fresh.title;
    document.documentElement.lang = fresh.documentElement.lang;
    for (const region of REGIONS) {
      const from = fresh.querySelector(region);
      const to = document.querySelector(region);
      if (from && to) to.replaceWith(document.importNode(from, true));
    }
    for (const old of document.head.querySelectorAll('link[rel="alternate"], link[rel="canonical"]')) old.remove();
    for (const link of fresh.head.querySelectorAll('link[rel="alternate"], link[rel="canonical"]')) {
      document.head.append(document.importNode(link, true));
    }
    for (const id of opened) {
      const details = document.getElementById(id);
      if (details && !id.startsWith("all-")) details.open = true;
    }
    const target = focus && document.getElementById(focus);
    if (target) target.focus({ preventScroll: true });
    const chosen = document.querySelector("select option:checked");
    const said = document.querySelector("main")?.querySelector(".head h1");
    status().textContent = said ? said.textContent.trim() + (chosen ? ": " + chosen.textContent : "") : "";
  };

  const show = async (address, { push, focus }) => {
    const turn = ++latest;
    const url = new URL(address, location.href);
    document.querySelector("main").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(url, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (turn !== latest) return;
      const top = scrollY;
      if (push) history.pushState({ swapped: true }, "", url);
      swap(text, url, focus);
      if (push) scrollTo(0, top);
    } catch {
      if (turn === latest) location.assign(url);
    }
  };

  document.addEventListener("change", (event) => {
    const select = event.target.closest(".choose select");
    if (select) show(select.value, { push: true, focus: select.id });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".choose");
    if (!form) return;
    event.preventDefault();
    const select = form.querySelector("select");
    const to = new URL(select.value, location.href);
    if (to.href !== location.href) show(to, { push: true, focus: select.id });
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".all a");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    show(link.href, { push: true, focus: "main" });
  });

  history.replaceState({ swapped: true }, "");
  addEventListener("popstate", (event) => {
    if (event.state && event.state.swapped) show(location.href, { push: false, focus: document.activeElement?.id });
  });

  /* Printing needs every table open. */
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll(".numbers-of:not([open])")) {
      details.open = true;
      details.classList.add("for-print");
    }
  });
  addEventListener("afterprint", () => {
    for (const details of document.querySelectorAll(".for-print")) details.open = false;
  });

  /* The label of the mark under the pointer. */
  const tip = document.createElement("p");
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true");
  tip.hidden = true;
  document.body.append(tip);
  const tell = (event) => {
    const mark = event.target.closest?.("figure.chart svg [aria-label]");
    if (!mark) {
      tip.hidden = true;
      return;
    }
    tip.textContent = mark.getAttribute("aria-label");
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, event.clientX - box.width / 2), innerWidth - box.width - 8);
    const top = event.clientY - box.height - 14;
    tip.style.left = left + "px";
    tip.style.top = (top < 8 ? event.clientY + 18 : top) + "px";
  };
  addEventListener("pointermove", tell, { passive: true });
  addEventListener("pointerdown", tell, { passive: true });
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
})();
