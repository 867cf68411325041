// Passkeys: the browser asks the authenticator what the form says, and the form takes the answer back. Without script, or
// in a browser that knows no passkeys, the form stays hidden and codes are the way.
(() => {
  const form = document.querySelector("form[data-passkey]");
  const Credential = window.PublicKeyCredential;
  if (!form || !Credential?.parseRequestOptionsFromJSON) return;

  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button");
  const why = {
    NotAllowedError: "No passkey answered, or it was called off. Try again.",
    InvalidStateError: "This device has a passkey of yours already.",
    SecurityError: "The browser knows no passkeys at this address.",
  };

  async function ask() {
    const options = JSON.parse(form.dataset.options);
    if (form.dataset.passkey === "create")
      return navigator.credentials.create({ publicKey: Credential.parseCreationOptionsFromJSON(options) });
    return navigator.credentials.get({ publicKey: Credential.parseRequestOptionsFromJSON(options) });
  }

  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      form.elements.answer.value = JSON.stringify((await ask()).toJSON());
      form.submit();
    } catch (error) {
      problem.lastElementChild.textContent = why[error.name] ?? `The browser could not ask for a passkey: ${error.message}`;
      problem.hidden = false;
      button.disabled = false;
    }
  });
})();
