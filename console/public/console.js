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

// A run that is watched: its stream tells of each change, the server draws the numbers (htmx), charts.js the chart.
const live = document.querySelector('#live[data-events]');
if (live) {
  const source = new EventSource(live.dataset.events);
  let over = false;
  source.addEventListener('progress', (event) => {
    const progress = JSON.parse(event.data);
    over = progress.over;
    document.dispatchEvent(new CustomEvent('run-progress', { detail: progress }));
    // The buttons and the state beside the title are another matter than the numbers.
    if (
      progress.status !== live.dataset.status ||
      (progress.step === 'approval') !== (live.dataset.step === 'approval')
    ) {
      location.reload();
    } else live.dispatchEvent(new CustomEvent('changed'));
  });
  // Where the run is over. Where only the server goes away, the browser asks again by itself.
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

// Where one goes on: the field that a link of another page led to, else the first that is wrong, else the summary.
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

// Texts to be pasted elsewhere.
for (const button of document.querySelectorAll('[data-copy]')) {
  button.hidden = false;
  const label = button.textContent;
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      // Not to be had on a plain http address: then the text stays selected.
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = label), 2_000);
    } catch {
      field.focus();
    }
  });
}
