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

// Parts of a form that belong to one choice of another field: `data-when="name=value|value"`.
const applyChoices = (form) => {
  for (const part of form.querySelectorAll('[data-when]')) {
    const [name, values] = part.dataset.when.split('=');
    const chosen = new FormData(form).get(name);
    part.hidden = !values.split('|').includes(chosen ?? '');
  }
};
for (const form of document.querySelectorAll('form:has([data-when])')) {
  applyChoices(form);
  form.addEventListener('change', () => applyChoices(form));
}

// A new campaign keeps to the clocks of whoever makes it.
for (const field of document.querySelectorAll('[data-browser-zone]')) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}

// A run that is watched: its stream tells of each change, the server draws the numbers (htmx), and here the chart.
const live = document.querySelector('#live[data-events]');
if (live) {
  const source = new EventSource(live.dataset.events);
  const box = document.querySelector('#chart');
  const times = [];
  const rates = [];
  let over = false;
  let chart = null;
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const draw = (rate) => {
    if (!box || typeof uPlot === 'undefined') return;
    times.push(Date.now() / 1000);
    rates.push(rate);
    const data = [times, rates];
    if (chart) {
      chart.setData(data);
      return;
    }
    const axis = { stroke: colour('--tblr-secondary'), grid: { stroke: colour('--tblr-border-color') } };
    chart = new uPlot(
      {
        width: box.clientWidth,
        height: 200,
        legend: { show: false },
        cursor: { show: false },
        axes: [axis, axis],
        scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
        series: [{}, { stroke: colour('--tblr-primary'), fill: colour('--tblr-primary-lt'), width: 2 }],
      },
      data,
      box,
    );
    window.addEventListener('resize', () => chart.setSize({ width: box.clientWidth, height: 200 }));
  };
  source.addEventListener('progress', (event) => {
    const progress = JSON.parse(event.data);
    over = progress.over;
    draw(progress.ratePerSecond ?? 0);
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
  window.addEventListener('pagehide', () => source.close());
}

// The placeholder picker.
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-insert]');
  if (!button) return;
  const field = button.form.elements[button.dataset.into];
  field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, 'end');
  field.focus();
  field.dispatchEvent(new CustomEvent('input', { bubbles: true }));
});

// How much of a text's length is used.
for (const field of document.querySelectorAll('[data-count]')) {
  const told = document.createElement('div');
  told.className = 'form-hint text-end';
  field.after(told);
  const tell = () => {
    told.textContent = `${field.value.length} / ${field.dataset.count}`;
    told.classList.toggle('text-danger', field.value.length > Number(field.dataset.count));
  };
  field.addEventListener('input', tell);
  tell();
}

// Lists in forms: rows are added from the template and removed. The spare row is for those without scripts.
for (const list of document.querySelectorAll('[data-rows]')) {
  const rows = list.querySelector('[data-rows-list]');
  const add = list.querySelector('[data-add-row]');
  let next = Number(list.dataset.next);
  list.querySelector('[data-row="spare"]')?.remove();
  add.hidden = false;
  add.addEventListener('click', () => {
    const row = list.querySelector('template').content.firstElementChild.cloneNode(true);
    for (const element of row.querySelectorAll('*')) {
      for (const { name, value } of [...element.attributes]) {
        if (value.includes('__N__')) element.setAttribute(name, value.replaceAll('__N__', String(next)));
      }
    }
    next += 1;
    rows.append(row);
    row.querySelector('input, select').focus();
  });
  rows.addEventListener('click', (event) => {
    const row = event.target.closest('[data-remove-row]')?.closest('[data-row]');
    if (!row) return;
    row.remove();
    add.focus();
  });
}

// A list that offers only what belongs to the choice of another.
for (const select of document.querySelectorAll('[data-options-of]')) {
  const parent = select.form.elements[select.dataset.optionsOf];
  const apply = () => {
    for (const option of select.options) {
      if (option.value === '') continue;
      const fits = option.dataset.of === parent.value;
      option.hidden = !fits;
      option.disabled = !fits;
      if (!fits && option.selected) select.value = '';
    }
  };
  parent.addEventListener('change', apply);
  apply();
}

// A file goes to the API as a stream, with its progress; the page that comes then tells what was made of it.
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    const file = form.elements.file?.files?.[0];
    if (form.dataset.upload === undefined || !file) return;
    event.preventDefault();
    const box = form.querySelector('.upload-progress');
    const bar = box.querySelector('progress');
    const words = box.querySelector('p');
    const button = form.querySelector('[data-submit]');
    box.hidden = false;
    button.disabled = true;
    words.textContent = form.dataset.uploading;
    const request = new XMLHttpRequest();
    request.open('PUT', form.dataset.upload);
    request.setRequestHeader('content-type', 'text/csv');
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      bar.value = (loaded / total) * 100;
      if (loaded === total) {
        words.textContent = form.dataset.checking;
        bar.removeAttribute('value');
      }
    });
    request.addEventListener('loadend', () => {
      box.hidden = true;
      button.disabled = false;
      // The server draws the answer, of an upload and of a refusal alike.
      htmx.ajax('POST', `${form.getAttribute('action')}-result`, {
        target: '#file-block',
        swap: 'innerHTML',
        values: { status: String(request.status), answer: request.responseText },
      });
    });
    request.send(file);
  },
  true,
);
