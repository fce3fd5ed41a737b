// Copy buttons. Everything on these pages works without this file.
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

// A second click would send the form again, and make another user pool. The wait is as long as the server's own for a mail.
let sentAt = -Infinity;
addEventListener("submit", (event) => {
  if (event.timeStamp - sentAt < 10_000) event.preventDefault();
  else sentAt = event.timeStamp;
});
// A page that the back button brings back is as new.
addEventListener("pageshow", () => { sentAt = -Infinity; });
