// The Co-Pilot's box: "/" or Ctrl-K goes to it, Escape leaves it.
"use strict";

const typing = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  const box = document.getElementById("copilot-ask");
  if (box === null) return;
  const slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !typing(event.target);
  const palette = event.key === "k" && (event.ctrlKey || event.metaKey);
  if (slash || palette) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (event.key === "Escape" && event.target === box) {
    box.blur();
  }
});
