// What pages do beyond their forms; all of them work without it.

// Menus are <details>: a click elsewhere or Escape closes them.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.user-menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of document.querySelectorAll('details.user-menu[open]')) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});

// A summary of problems is read out, and next for the keyboard.
document.querySelector('[data-focus]')?.focus();

// A form is sent once: its buttons rest until the next page comes, or the back button brings this one again.
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (form.dataset.sending !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = '';
  // After the browser has read the form: a disabled button would not be sent with it.
  setTimeout(() => {
    for (const button of form.querySelectorAll('[data-submit]')) button.disabled = true;
  });
});
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sending]')) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll('[data-submit]')) button.disabled = false;
  }
});

// Changes that were not saved: the browser asks before it leaves the page.
const contentOf = (form) => new URLSearchParams(new FormData(form)).toString();
const guarded = [...document.querySelectorAll('form[data-guarded]')].map((form) => ({
  form,
  before: contentOf(form),
}));
window.addEventListener('beforeunload', (event) => {
  const changed = guarded.some(
    ({ form, before }) =>
      form.isConnected && form.dataset.sending === undefined && contentOf(form) !== before,
  );
  if (changed && !guarded.some(({ form }) => form.dataset.sending !== undefined)) event.preventDefault();
});
