// What forms do beyond the browser's own; all of them work without it. Drafts are in drafts.js.

// A form is sent once: its buttons rest until the next page comes, or the back button brings this one again. A button
// whose answer is a file leaves the page where it is.
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented || event.submitter?.dataset.download !== undefined) return;
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

// Parts of a page that belong to one choice of a field: `data-when="name=value|value"`. A part outside of the form names
// it in `data-form`. What `data-drops` says is not sent while it is hidden.
const chosenOf = (form, name) => {
  const control = form.elements[name];
  return control?.type === 'checkbox' ? (control.checked ? 'true' : '') : (control?.value ?? '');
};
const applyChoices = (form) => {
  const parts = [...form.querySelectorAll('[data-when]')];
  if (form.id !== '') parts.push(...document.querySelectorAll(`[data-when][data-form="${form.id}"]`));
  for (const part of parts) {
    const [name, values] = part.dataset.when.split('=');
    part.hidden = !values.split('|').includes(chosenOf(form, name));
    if (part.dataset.drops !== undefined) part.disabled = part.hidden;
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

// The placeholder picker: at the cursor of its field, else of the field of its kind that was used last.
let lastUsed = null;
document.addEventListener('focusin', ({ target }) => {
  if (target.matches('[data-takes]')) lastUsed = target;
});
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-insert]');
  if (!button) return;
  const { insert, into } = button.dataset;
  const ofKind = [...document.querySelectorAll(`[data-takes="${into}"]`)];
  const field = button.form.elements[into] ?? (ofKind.includes(lastUsed) ? lastUsed : ofKind.at(-1));
  if (!field) return;
  field.setRangeText(insert, field.selectionStart, field.selectionEnd, 'end');
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
const addRow = (list, index) => {
  const row = list.querySelector('template').content.firstElementChild.cloneNode(true);
  for (const element of row.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      if (value.includes('__N__')) element.setAttribute(name, value.replaceAll('__N__', String(index)));
    }
  }
  row.querySelector('[data-remove-row]').hidden = false;
  list.querySelector('[data-rows-list]').append(row);
  list.dataset.next = String(Math.max(Number(list.dataset.next), index + 1));
  return row;
};
for (const list of document.querySelectorAll('[data-rows]')) {
  const rows = list.querySelector('[data-rows-list]');
  const add = list.querySelector('[data-add-row]');
  const changed = () => list.dispatchEvent(new CustomEvent('change', { bubbles: true }));
  const spare = list.querySelector('[data-row="spare"]');
  if (spare) {
    spare.remove();
    list.dataset.next = String(Number(list.dataset.next) - 1);
  }
  for (const button of list.querySelectorAll('[data-add-row], [data-remove-row]')) button.hidden = false;
  add.addEventListener('click', () => {
    addRow(list, Number(list.dataset.next)).querySelector('input, select').focus();
    changed();
  });
  rows.addEventListener('click', (event) => {
    const row = event.target.closest('[data-remove-row]')?.closest('[data-row]');
    if (!row) return;
    row.remove();
    add.focus();
    changed();
  });
}
// The rows of a list become these: of drafts.
document.addEventListener('rows', ({ target, detail }) => {
  target.querySelector('[data-rows-list]').replaceChildren();
  for (const index of detail) addRow(target, index);
});

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

// A part that could not be fetched says so; the page that an error comes with would not fit into its place.
const tellFailed = ({ detail: { ctx } }) => {
  const { failed } = ctx.target?.dataset ?? {};
  if (failed === undefined) return;
  ctx.swap = 'none';
  ctx.target.textContent = failed;
};
document.addEventListener('htmx:response:error', tellFailed);
document.addEventListener('htmx:error', (event) => {
  if (event.detail.ctx) tellFailed(event);
});
// A part may ask for the focus, and may lead on by a button: an answer is downloaded with its test.
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  ctx.target?.querySelector('[data-focus]')?.focus();
  ctx.target?.querySelector('[data-press]')?.click();
});

// A file goes to the API as a stream, with its progress; the server then tells what was made of it.
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    const file = form.elements.file?.files?.[0];
    if (form.dataset.upload === undefined || !file) return;
    event.preventDefault();
    if (form.dataset.uploadingNow !== undefined) return;
    // Its controls may stand outside of it.
    const box = document.querySelector('[data-upload-progress]');
    const bar = box.querySelector('progress');
    const words = box.querySelector('p');
    const button = [...form.elements].find((control) => control.dataset.submit !== undefined);
    const cancel = box.querySelector('[data-cancel]');
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    form.dataset.uploadingNow = '';
    box.hidden = false;
    button.disabled = true;
    cancel.addEventListener('click', abort);
    words.textContent = form.dataset.uploading;
    request.open(form.dataset.method ?? 'PUT', form.dataset.upload);
    request.setRequestHeader('content-type', 'text/csv');
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      const percent = Math.floor((loaded / total) * 100);
      bar.value = percent;
      words.textContent = `${form.dataset.uploading} ${percent} %`;
      if (loaded === total) {
        words.textContent = form.dataset.checking;
        bar.removeAttribute('value');
      }
    });
    request.addEventListener('loadend', () => {
      delete form.dataset.uploadingNow;
      box.hidden = true;
      button.disabled = false;
      cancel.removeEventListener('click', abort);
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

// Changes that were not saved: the browser asks before it leaves the page. Not where a link leads to another page of
// ours and the form has a draft, which is there again on the way back.
const contentOf = (form) => new URLSearchParams(new FormData(form)).toString();
const guarded = [...document.querySelectorAll('form[data-guarded]')].map((form) => ({
  form,
  before: contentOf(form),
}));
let leaves = null;
// The browser asks a moment after the click.
const leave = (how) => {
  leaves = how;
  setTimeout(() => (leaves = null), 1_000);
};
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (link && link.origin === location.origin && link.target === '') leave('by a link');
});
document.addEventListener('submit', ({ submitter }) => {
  if (submitter?.dataset.download !== undefined) leave('not at all');
});
window.addEventListener('beforeunload', (event) => {
  if (leaves === 'not at all') return;
  if (document.querySelector('form[data-uploading-now]')) event.preventDefault();
  if (guarded.some(({ form }) => form.dataset.sending !== undefined)) return;
  const changed = guarded.some(
    ({ form, before }) =>
      form.isConnected &&
      contentOf(form) !== before &&
      !(leaves === 'by a link' && form.dataset.draft !== undefined),
  );
  if (changed) event.preventDefault();
});
