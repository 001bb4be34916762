// What htmx and plain HTML leave open: pages in the background keep still, filters leave empty
// fields out of the address, and a page that lost its server says so.
"use strict";

document.addEventListener("htmx:before:request", (event) => {
  const asked = event.detail.ctx.sourceEvent;
  if (document.hidden && asked?.type === "every") event.preventDefault();
});

document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});

const stale = (is) => document.documentElement.classList.toggle("is-stale", is);
document.addEventListener("htmx:error", () => stale(true));
document.addEventListener("htmx:response:error", () => stale(true));
document.addEventListener("htmx:after:swap", () => stale(false));
