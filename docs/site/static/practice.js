/* Lets the forms of practice questions be answered, and counts what was answered right. Judging is in judging.js.

A script of the old kind, not a module, so that it also runs where the site is opened as files. */
"use strict";

const KEPT = "course-answered-right"; // in the browser's local storage: the ids of questions answered right

function readKept() {
  try {
    return new Set(JSON.parse(localStorage.getItem(KEPT) ?? "[]"));
  } catch {
    return new Set(); // storage is switched off, or holds something else
  }
}

function keep(id) {
  const kept = readKept().add(id);
  try {
    localStorage.setItem(KEPT, JSON.stringify([...kept]));
  } catch {
    // Without storage the page still judges; it only forgets.
  }
  tally();
}

/** What the form holds: the letters that are chosen or put in order, the chosen line, or what was typed. */
function answerIn(form) {
  const fields = [...form.querySelectorAll("[name=answer]")];
  const chosen = fields.filter((field) => (["radio", "checkbox"].includes(field.type) ? field.checked : true));
  return chosen.map((field) => field.value).join("");
}

function bringToLife(form) {
  const question = JSON.parse(form.querySelector("script").textContent);
  const reply = form.querySelector("[role=status]");
  const explain = form.querySelector("[data-action=explain]");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const result = judge(question, answerIn(form));
    if (result.problem) {
      reply.textContent = result.problem;
      return;
    }
    reply.innerHTML = result.html;
    form.dataset.right = result.right;
    explain.disabled = false;
    if (result.right) keep(question.id);
  });
  form.querySelector("[data-action=hint]").addEventListener("click", () => (reply.innerHTML = question.helped));
  explain.addEventListener("click", () => (reply.innerHTML = question.explained));
  form.querySelectorAll("button").forEach((button) => (button.hidden = false));
  explain.disabled = true;
}

function tally() {
  const kept = readKept();
  for (const line of document.querySelectorAll("[data-tally]")) {
    const ids = line.dataset.tally.split(" ");
    line.textContent = `${ids.filter((id) => kept.has(id)).length} of ${ids.length} answered right in this browser.`;
  }
}

document.querySelectorAll("form.question").forEach(bringToLife);
tally();

// A box of code that scrolls sideways can be reached, and scrolled, by keyboard.
for (const box of document.querySelectorAll("pre")) {
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
}
