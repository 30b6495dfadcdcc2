/* Judges the answer to a practice question, as course_utils/quiz/judging.py does, word for word.

A question is a record from course_utils/authoring/site_pages.py: id, kind, form, hint, explanation, explained,
answer, tolerance, key, and options, each with feedback and its letter, value or line. Texts are HTML. */
"use strict";

const NUMBER = /^(?:line\s*)?([-+]?(?:\d{1,3}(?:[ _\u00a0\u2009\u202f]\d{3})+|\d*)(?:\.\d*)?(?:e[-+]?\d+)?)\s*([^\d.,]*)$/;
const MULTIPLES = ["thousand", "million", "millions", "billion", "billions", "k", "m", "bn", "tsd", "mio", "mrd"];
const LONGEST_ECHO = 40; // characters of an answer that are shown again

/** Return {right, html}, or {problem}: plain text on what an answer looks like. `answer`: letters, or typed text. */
function judge(question, answer) {
  if (answer.trim() === "") return { problem: "There is no answer yet: give one, then press Check." };
  return { one: judgeOne, several: judgeSeveral, order: judgeOrder, number: judgeNumber, line: judgeLine }[
    question.kind
  ](question, answer);
}

function judgeOne(question, letter) {
  const option = question.options.find((each) => each.letter === letter);
  return verdict(question, option.right, [option.feedback]);
}

function judgeSeveral(question, letters) {
  const byLetter = question.options.toSorted((a, b) => (a.letter < b.letter ? -1 : 1));
  const chosen = byLetter.filter((option) => letters.includes(option.letter));
  const missing = question.options.filter((option) => option.right && !chosen.includes(option)).length;
  const right = missing === 0 && chosen.every((option) => option.right);
  const remarks = chosen
    .filter((option) => right || !option.right)
    .map((option) => ledBy(`${option.letter}:`, option.feedback));
  if (missing) {
    const count = missing === 1 ? "One right answer is" : `${missing} right answers are`;
    remarks.push(`<p>${count} not chosen yet.</p>`);
  }
  return verdict(question, right, remarks);
}

function judgeOrder(question, letters) {
  const count = question.key.length;
  if (new Set(letters).size < letters.length) {
    const twice = [...letters].find((letter, place) => letters.indexOf(letter) < place);
    return { problem: `The letter ${twice} appears twice in your answer.` };
  }
  if (letters.length < count) {
    return { problem: `All ${count} steps are needed: give ${count} letters, the first step first.` };
  }
  if (letters === question.key) return verdict(question, true, ["<p>Each step stands where it must.</p>"]);
  const place = [...letters].findIndex((letter, i) => letter !== question.key[i]);
  const tooEarly = question.options.find((option) => option.letter === letters[place]);
  return verdict(question, false, [ledBy(`Step ${place + 1} is not ${letters[place]}.`, tooEarly.feedback)]);
}

function judgeNumber(question, typed) {
  const value = understoodNumber(typed);
  if (value === null) return { problem: notANumber(question, typed) };
  const near = (wanted) => Math.abs(value - wanted) <= question.tolerance + 1e-9 * Math.abs(wanted);
  if (near(question.answer)) return verdict(question, true, []);
  const distance = (option) => Math.abs(value - option.value);
  const nearest = question.options.reduce((best, each) => (!best || distance(each) < distance(best) ? each : best), null);
  if (nearest && near(nearest.value)) return verdict(question, false, [nearest.feedback]);
  return verdict(question, false, [ledBy(`${shortNumber(value)} is not the number asked for.`, question.hint)]);
}

function judgeLine(question, line) {
  const option = question.options.find((each) => each.line === Number(line));
  return verdict(question, option.right, [option.feedback]);
}

function verdict(question, right, remarks) {
  const opening = right ? "Right." : "Not yet.";
  const html = remarks.length === 1 ? ledBy(opening, remarks[0]) : [`<p>${opening}</p>`, ...remarks].join("");
  return { right, html: right ? html + question.explanation : html };
}

/** Words and HTML one behind the other, in one line where the HTML begins with a paragraph. */
function ledBy(words, html) {
  return html.startsWith("<p>") ? `<p>${words} ${html.slice("<p>".length)}` : `<p>${words}</p>${html}`;
}

/** A finite number from "87.5", "87.5 %", "5 400" or "5 epochs", else null. */
function understoodNumber(typed) {
  const found = typed.trim().toLowerCase().replaceAll("\u2212", "-").match(NUMBER);
  if (!found || MULTIPLES.includes(found[2].trim())) return null;
  const digits = found[1].replace(/[ _\u00a0\u2009\u202f]/g, "");
  const number = digits === "" ? NaN : Number(digits);
  return Number.isFinite(number) ? number : null;
}

function notANumber(question, typed) {
  const found = typed.trim().toLowerCase().replaceAll("\u2212", "-").match(NUMBER);
  let advice = "";
  if (found && MULTIPLES.includes(found[2].trim())) advice = " Write all digits of the number.";
  else if (typed.includes(",")) advice = " Write a decimal point, and nothing between thousands.";
  const cut = [...typed].length <= LONGEST_ECHO ? typed : [...typed].slice(0, LONGEST_ECHO).join("") + " ...";
  const quote = cut.includes("'") && !cut.includes('"') ? '"' : "'";
  return `The answer is ${question.form}. Yours is ${quote}${cut}${quote}.${advice}`;
}

/** A number with at most ten digits, as Python writes it with ".10g". */
function shortNumber(value) {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits, exponent] = value.toExponential(9).split("e").map(Number);
  if (exponent >= -4 && exponent < 10) return String(Number(value.toPrecision(10)));
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
