// Uses a passkey, or makes one, by what the form says, and sends the answer with it (WebAuthn Level 2 §5.1).
const form = document.querySelector("form[data-ceremony]");
const button = document.querySelector("#passkeyButton");
const problem = document.querySelector("#passkeyError");

const toBytes = (text) => {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
};

const toText = (buffer) => {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

// Not every browser has parse…FromJSON and toJSON yet.
const read = (options) => {
  const known = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));
  const publicKey = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) publicKey.user = { ...options.user, id: toBytes(options.user.id) };
  if (options.allowCredentials) publicKey.allowCredentials = known(options.allowCredentials);
  if (options.excludeCredentials) publicKey.excludeCredentials = known(options.excludeCredentials);
  return publicKey;
};

const write = ({ id, rawId, type, authenticatorAttachment, response }) => {
  const answer = { clientDataJSON: toText(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) answer[name] = toText(response[name]);
  }
  if (response.getTransports) answer.transports = response.getTransports();
  const attachment = authenticatorAttachment ? { authenticatorAttachment } : {};
  return JSON.stringify({ id, rawId: toText(rawId), type, ...attachment, response: answer, clientExtensionResults: {} });
};

const run = async () => {
  problem.textContent = "";
  button.disabled = true;
  try {
    const publicKey = read(JSON.parse(form.dataset.options));
    const credential = await navigator.credentials[form.dataset.ceremony]({ publicKey });
    form.elements.credential.value = write(credential);
    form.submit();
  } catch (error) {
    problem.textContent = problem.dataset[error.name === "InvalidStateError" ? "exists" : "failed"];
    button.disabled = false;
    button.focus();
  }
};

if (window.PublicKeyCredential) {
  button.hidden = false;
  button.addEventListener("click", run);
  // Whoever signs in has chosen the passkey already.
  if (form.dataset.ceremony === "get") run();
} else {
  problem.textContent = problem.dataset.unsupported;
}
