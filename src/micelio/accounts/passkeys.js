"use strict";
// Passkeys are made and used by the browser alone; this hands what the forge asks to it, and its answer back.
// What it says itself stands in the place for it (data-silent, data-cancelled) where the page is translated.
// A form names what to do (data-passkey: create or get) and the request (data-options, or data-from to fetch it).
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  async function create(options, form) {
    const asked = { ...options.publicKey };
    asked.challenge = bytes(asked.challenge);
    asked.user = { ...asked.user, id: bytes(asked.user.id) };
    asked.excludeCredentials = named(asked.excludeCredentials);
    const alone = form.elements.passwordless && form.elements.passwordless.checked;
    asked.authenticatorSelection = {
      ...asked.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: Boolean(alone),
      ...(alone ? { userVerification: "required" } : {}),
    };
    const made = await navigator.credentials.create({ publicKey: asked });
    const response = {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    };
    return answer(made, response);
  }

  async function get(options) {
    const asked = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    asked.allowCredentials = named(asked.allowCredentials);
    const made = await navigator.credentials.get({ publicKey: asked });
    const response = {
      clientDataJSON: text(made.response.clientDataJSON),
      authenticatorData: text(made.response.authenticatorData),
      signature: text(made.response.signature),
      userHandle: made.response.userHandle ? text(made.response.userHandle) : null,
    };
    return answer(made, response);
  }

  const answer = (made, response) => ({
    type: made.type,
    id: made.id,
    rawId: text(made.rawId),
    authenticatorAttachment: made.authenticatorAttachment || null,
    response,
    clientExtensionResults: made.getClientExtensionResults(),
  });

  async function ask(form, told) {
    const from = form.dataset.from;
    if (!from) return JSON.parse(form.dataset.options);
    const said = await fetch(from, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    if (!said.ok) throw new Error(told.dataset.silent || "The forge did not answer. Try again in a moment.");
    return (await said.json()).request_options;
  }

  function prepare(form) {
    const told = form.querySelector("[role=alert]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      told.hidden = true;
      try {
        const options = await ask(form, told);
        const made = form.dataset.passkey === "create" ? await create(options, form) : await get(options);
        form.elements.credential.value = JSON.stringify(made);
        form.submit();
      } catch (error) {
        const cancelled = told.dataset.cancelled || "That was cancelled, or it took too long.";
        told.textContent = error.name === "NotAllowedError" ? cancelled : error.message;
        told.hidden = false;
      }
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (window.PublicKeyCredential) document.querySelectorAll("form[data-passkey]").forEach(prepare);
  });
})();
