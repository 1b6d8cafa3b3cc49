"use strict";
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  document.documentElement.classList.add("js");
  const form = one("#form");
  const sections = all(".read");
  const questions = all(".question");
  const words = new Map();
  let saved = true;

  const answerOf = (question) => {
    const chosen = question.querySelector("input:checked");
    const note = question.querySelector("textarea").value.trim();
    const answer = chosen ? chosen.value : "";
    return { answer, note, whole: answer === "yes" || (answer === "no" && note !== "") };
  };

  const said = () => {
    const codes = {};
    const answers = {};
    for (const [section, word] of words) codes[section] = word;
    for (const question of questions) {
      const { answer, note } = answerOf(question);
      answers[question.dataset.question] = { answer, note };
    }
    return JSON.stringify({
      format: "clerestory-answers/1",
      release: form.dataset.release,
      manifest: form.dataset.manifest,
      page: form.dataset.page,
      by: one("#by").value.trim(),
      codes,
      answers,
    }, null, 2) + "\n";
  };

  const say = (place, text) => { if (place.textContent !== text) place.textContent = text; };

  const show = () => {
    const left = sections.filter((button) => !words.has(button.dataset.section)).length;
    const open = questions.filter((question) => !answerOf(question).whole).length;
    const named = one("#by").value.trim() !== "";
    const no = questions.filter((question) => answerOf(question).answer === "no").length;
    for (const question of questions) question.disabled = left > 0;
    for (const button of sections) {
      const read = words.has(button.dataset.section);
      button.setAttribute("aria-pressed", String(read));
      say(one(`[data-state="${button.dataset.section}"]`), read ? "✓ read" : "");
    }
    say(one("#unread"), left ? `Read first: ${left} of ${sections.length} sections are left. Each has a button at its end.` : "");
    const done = !left && !open && named;
    say(one('[data-state="answer"]'), done ? "✓ answered" : "");
    say(one("#status"), left ? "" : open ? `${questions.length - open} of ${questions.length} questions are answered.`
      : !named ? "Write your name." : no ? "Whole. There is a no: the release goes back." : "Whole. You agree to this release.");
    one(".done").hidden = !done;
    if (done) {
      one("#copy").value = said();
      say(one("#next"), no
        ? `Next: clerestory reject ${form.dataset.release} --as YOU --reason …`
        : `Next: clerestory approve ${form.dataset.release} --as YOU --answers answers-${form.dataset.release}.json`);
    }
  };

  for (const button of sections) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const { section, word } = button.dataset;
      if (words.has(section)) words.delete(section); else words.set(section, word);
      saved = false;
      show();
    });
  }
  form.addEventListener("input", () => { saved = false; show(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  one("#save").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([said()], { type: "application/json" }));
    link.download = `answers-${form.dataset.release}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
    saved = true;
  });
  window.addEventListener("beforeunload", (event) => { if (!saved) event.preventDefault(); });
  window.addEventListener("beforeprint", () => { for (const each of all("details")) each.open = true; });
  show();
})();
