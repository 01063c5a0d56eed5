// Finds rows of a list, and sends a request to a service. What comes in is shown as text, never as markup.
"use strict";

const PATIENCE_MS = 60_000;

function filter(form) {
  const field = form.querySelector("input");
  const count = form.querySelector("output");
  const target = document.getElementById(form.dataset.filter);
  const rows = [...target.querySelectorAll(target.tagName === "TABLE" ? "tbody tr" : "li")];
  const texts = rows.map((row) => row.textContent.toLowerCase());

  function show() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      found += row.hidden ? 0 : 1;
    });
    count.textContent = words.length ? `${found} of ${rows.length}` : "";
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  field.addEventListener("input", show);
  form.hidden = false;
  show();
}

function tryIt(form) {
  const key = form.querySelector("#try-key");
  const body = form.querySelector("#try-body");
  const status = form.querySelector("#try-status");
  const button = form.querySelector("button");
  const answer = form.querySelector("#try-answer");

  async function send() {
    const headers = { "Content-Type": "application/json" };
    if (key) {
      headers.Authorization = `Bearer ${key.value.trim()}`;
    }
    const began = performance.now();
    const response = await fetch(form.dataset.try, {
      method: "POST",
      headers,
      body: body.value,
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    const request = response.headers.get("x-request-id");
    const took = Math.round(performance.now() - began);
    status.textContent = `Status ${response.status} after ${took} ms${request ? `, request ${request}` : ""}`;
    answer.textContent = pretty(text);
    answer.parentElement.hidden = false;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.parentElement.hidden = true;
    try {
      JSON.parse(body.value);
    } catch (error) {
      status.textContent = `The request is not JSON: ${error.message}`;
      return;
    }
    status.textContent = "Sent …";
    button.disabled = true;
    try {
      await send();
    } catch {
      status.textContent =
        "No answer. The service cannot be reached from here, or its `origins` do not name this site; curl may do.";
    } finally {
      button.disabled = false;
    }
  });
  form.closest("section").hidden = false;
}

function pretty(text) {
  try {
    const value = JSON.parse(text);
    const short = JSON.stringify(value);
    return short.length <= 80 ? short : JSON.stringify(value, null, 2);
  } catch {
    return text;
  }
}

document.querySelectorAll("form[data-filter]").forEach(filter);
document.querySelectorAll("form[data-try]").forEach(tryIt);
