// Enhancements of pages beyond their forms; all pages work without them.

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

// Ctrl+Enter sends the form of a field for short texts.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  if (!event.target.matches?.('[data-ctrl-enter]')) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// The search over everything: "/" or Ctrl/⌘ K focuses it, Escape closes its results.
const search = document.querySelector('[data-search]');
const results = document.querySelector('#search-results');
if (search) {
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.closest('input, textarea, select, [contenteditable]') !== null;
    const isShortcut =
      (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) ||
      (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey);
    if (isShortcut) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === 'Escape' && search.form.contains(event.target)) {
      results.replaceChildren();
      search.focus();
    }
  });
  document.addEventListener('click', (event) => {
    if (!search.form.contains(event.target)) results.replaceChildren();
  });
}

// A watched run: its stream reports each change, the server renders the numbers (htmx), charts.js the chart.
const live = document.querySelector('#live[data-events]');
if (live) {
  const source = new EventSource(live.dataset.events);
  let over = false;
  source.addEventListener('progress', (event) => {
    const progress = JSON.parse(event.data);
    over = progress.over;
    document.dispatchEvent(new CustomEvent('run-progress', { detail: progress }));
    // The buttons and the state beside the title are separate from the numbers.
    if (
      progress.status !== live.dataset.status ||
      (progress.step === 'approval') !== (live.dataset.step === 'approval')
    ) {
      location.reload();
    } else live.dispatchEvent(new CustomEvent('changed'));
  });
  // The run is over. If only the server disconnects, the browser reconnects automatically.
  source.addEventListener('end', () => {
    if (over) location.reload();
  });
  // The session has ended: the page leads to the sign-in.
  source.addEventListener('signed_out', () => {
    source.close();
    location.reload();
  });
  window.addEventListener('pagehide', () => source.close());
}

// Sets the focus: the field that a link of another page led to, else the first wrong field, else the summary.
const firstToMend = () => {
  const linked = location.hash.startsWith('#f-') ? document.getElementById(location.hash.slice(1)) : null;
  if (linked)
    return linked.matches('input, select, textarea')
      ? linked
      : linked.querySelector('input, select, textarea');
  const summary = document.querySelector('[data-focus]');
  const wrong = [...document.querySelectorAll('[aria-invalid="true"]')].find(
    (field) => field.offsetParent !== null,
  );
  return summary?.classList.contains('summary') ? (wrong ?? summary) : summary;
};
firstToMend()?.focus();

// Prints the page, in its print style.
for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}

// A box that selects all rows of a table; their boxes belong to the form that it names.
for (const all of document.querySelectorAll('[data-select-all]')) {
  all.hidden = false;
  const boxes = () => document.querySelectorAll(`input[type="checkbox"][form="${all.dataset.selectAll}"]`);
  const box = all.querySelector('input');
  box.addEventListener('change', () => {
    for (const one of boxes()) one.checked = box.checked;
  });
  document.addEventListener('change', (event) => {
    if (event.target.getAttribute('form') !== all.dataset.selectAll) return;
    box.checked = [...boxes()].every((one) => one.checked);
  });
}

// Texts to be pasted elsewhere.
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      // Not available on a plain HTTP address: then the text stays selected.
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = label), 2_000);
    } catch {
      field.focus();
    }
  });
}

// What needs the user: the number in the menu and in the title, and notifications where the user has allowed them.
const counts = document.querySelectorAll('[data-alerts]');
const seenKey = 'torpedo-alerts-seen';
const allowedKey = 'torpedo-notifications';
const userId = counts[0]?.dataset.alerts;
const notifies = () =>
  'Notification' in window &&
  Notification.permission === 'granted' &&
  localStorage.getItem(allowedKey) === userId;
const notify = (newest) => {
  const seen = Number(localStorage.getItem(seenKey) ?? 0);
  const unseen = newest.filter(({ id }) => id > seen);
  if (unseen.length === 0) return;
  localStorage.setItem(seenKey, String(Math.max(...unseen.map(({ id }) => id))));
  for (const { id, words, page } of unseen) {
    try {
      // Another tab may show the same: its tag makes them one.
      const notification = new Notification('Torpedo', { body: words, tag: `torpedo-${id}` });
      notification.addEventListener('click', () => {
        window.focus();
        location.assign(page);
      });
    } catch {
      // Browsers of phones show none without a service worker.
    }
  }
};
const lookForAlerts = async () => {
  let open;
  try {
    // The header: a page that is left open keeps no session alive. A redirect leads to the sign-in.
    const answer = await fetch('/alerts/open', { headers: { 'torpedo-background': '1' }, redirect: 'error' });
    if (!answer.ok) return;
    open = await answer.json();
  } catch {
    return;
  }
  for (const badge of counts) {
    badge.hidden = open.count === 0;
    badge.children[0].textContent = open.shown;
    badge.children[1].textContent = open.words;
  }
  const title = document.title.replace(/^\(\d+\) /, '');
  document.title = open.count > 0 ? `(${open.count}) ${title}` : title;
  if (notifies()) notify(open.newest);
};
if (counts.length > 0) setInterval(lookForAlerts, 30_000);

// The button of the profile that turns them on.
const switchBox = document.querySelector('[data-notifications]');
if (switchBox && 'Notification' in window) {
  const [on, off, denied] = ['on', 'off', 'denied'].map((name) =>
    switchBox.querySelector(`[data-notifications-${name}]`),
  );
  const show = () => {
    denied.hidden = Notification.permission !== 'denied';
    on.hidden = notifies() || !denied.hidden;
    off.hidden = !notifies();
  };
  on.addEventListener('click', async () => {
    await Notification.requestPermission();
    localStorage.setItem(allowedKey, userId);
    show();
    // What is open already is on the home page.
    const answer = await fetch('/alerts/open', { redirect: 'error' });
    const { newest } = await answer.json();
    localStorage.setItem(seenKey, String(Math.max(0, ...newest.map(({ id }) => id))));
  });
  off.addEventListener('click', () => {
    localStorage.removeItem(allowedKey);
    show();
  });
  switchBox.hidden = false;
  show();
}
