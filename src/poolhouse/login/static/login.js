// Adds a button to each password input that shows what was typed. The pages work without it.
for (const box of document.querySelectorAll(".secret")) {
  const input = box.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const show = (visible) => {
    input.type = visible ? "text" : "password";
    button.setAttribute("aria-label", visible ? box.dataset.hide : box.dataset.show);
    button.classList.toggle("reveal-on", visible);
  };
  button.addEventListener("click", () => show(input.type === "password"));
  // A browser keeps what it remembers as a password only from a password input.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  box.append(button);
}

// A second click would send the form again, and the page would tell of that one: of an account that exists already, a
// code that was used. The wait is as long as the server's own for a mail.
let sentAt = -Infinity;
addEventListener("submit", (event) => {
  if (event.timeStamp - sentAt < 10_000) event.preventDefault();
  else sentAt = event.timeStamp;
});
// A page that the back button brings back is as new.
addEventListener("pageshow", () => { sentAt = -Infinity; });
