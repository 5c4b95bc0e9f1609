// Passkeys and security keys: allauth's own script does the work; here is said what went wrong, and where none can be.
const notice = document.getElementById("key-problem");
const say = (part) => {
  notice.hidden = false;
  for (const text of notice.querySelectorAll("[data-part]")) text.hidden = text.dataset.part !== part;
};
if (!window.PublicKeyCredential) {
  say("unsupported");
  for (const button of document.querySelectorAll("[data-needs-key]")) button.disabled = true;
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  say("failed");
  notice.focus();
});
