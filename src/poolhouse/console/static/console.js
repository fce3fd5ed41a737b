// Copy buttons, and hiding the choices that a machine-to-machine application does not have.
// Everything on these pages works without this file.
"use strict";

for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = button.dataset.copyFrom;
    const text = source ? document.getElementById(source).textContent : button.dataset.copy;
    await navigator.clipboard.writeText(text);
    const label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = label; }, 1500);
  });
}

const types = document.querySelectorAll("input[name=application_type]");
function showOptions() {
  const chosen = document.querySelector("input[name=application_type]:checked");
  for (const part of document.querySelectorAll("fieldset.people")) {
    part.hidden = chosen !== null && chosen.value === "machine";
  }
}
for (const type of types) type.addEventListener("change", showOptions);
showOptions();
