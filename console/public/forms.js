// Enhancements of forms; all forms work without them. Drafts are in drafts.js.

// A form is sent once: its buttons are disabled until the next page opens, or the back button shows this one again. A
// button whose answer is a file stays on the page.
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

// Parts of a page that belong to one choice of a field: `data-when="name=value|value"`. A part outside of the form
// names it in `data-form`. The fields in `data-drops` are not sent while the part is hidden.
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

// The day of the week or of the month follows the start date, until the user chooses another.
for (const every of document.querySelectorAll('select[name="schedule.recurrence.every"]')) {
  const { form } = every;
  const startsAt = form.elements['schedule.startsAt'];
  const dayOfMonth = form.elements['schedule.recurrence.dayOfMonth'];
  const days = () => [...form.querySelectorAll('[name="schedule.recurrence.days"]')];
  const names = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
  const chosen = () =>
    days()
      .filter(({ checked }) => checked)
      .map(({ value }) => value)
      .join();
  // What the script has set, as opposed to what was saved or chosen.
  const set = { day: null, dayOfMonth: null };
  const isNew = form.dataset.new !== undefined;
  const follow = () => {
    const [year, month, day] = startsAt.value.slice(0, 10).split('-').map(Number);
    if (!year || !month || !day) return;
    if (every.value === 'week' && (chosen() === '' || chosen() === set.day)) {
      set.day = names[new Date(Date.UTC(year, month - 1, day)).getUTCDay()];
      for (const box of days()) box.checked = box.value === set.day;
    }
    const untouched = isNew && set.dayOfMonth === null && dayOfMonth.value === '1';
    if (every.value === 'month' && (untouched || dayOfMonth.value === set.dayOfMonth)) {
      set.dayOfMonth = String(day);
      dayOfMonth.value = set.dayOfMonth;
    }
  };
  every.addEventListener('change', follow);
  startsAt.addEventListener('change', follow);
}

// A new campaign uses the time zone of the user who creates it.
for (const field of document.querySelectorAll('[data-browser-zone]')) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}

// The placeholder picker: inserts at the cursor of its field, else of the last used field of its kind.
let lastUsed = null;
document.addEventListener('focusin', ({ target }) => {
  if (target.matches('[data-takes]')) lastUsed = target;
});
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-insert]');
  if (!button) return;
  const { insert, into, whole } = button.dataset;
  const ofKind = [...document.querySelectorAll(`[data-takes="${into}"]`)];
  const other = whole === undefined ? ofKind.at(-1) : ofKind.find(({ value }) => value === '');
  const field = button.form.elements[into] ?? (ofKind.includes(lastUsed) ? lastUsed : other);
  if (!field) return;
  if (whole === undefined) field.setRangeText(insert, field.selectionStart, field.selectionEnd, 'end');
  else field.value = insert;
  field.focus();
  field.dispatchEvent(new CustomEvent('input', { bubbles: true }));
});

// How much of a text's length is used.
for (const field of document.querySelectorAll('[data-count]')) {
  const counter = document.createElement('div');
  counter.className = 'form-hint text-end';
  field.after(counter);
  const update = () => {
    counter.textContent = `${field.value.length} / ${field.dataset.count}`;
    counter.classList.toggle('text-danger', field.value.length > Number(field.dataset.count));
  };
  field.addEventListener('input', update);
  update();
}

// Lists in forms: rows are added from the template and removed. The spare row is for use without scripts.
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
// Replaces the rows of a list: for drafts.
document.addEventListener('rows', ({ target, detail }) => {
  target.querySelector('[data-rows-list]').replaceChildren();
  for (const index of detail) addRow(target, index);
});

// A part of a form that is edited in a dialog. Its fields stay those of the form.
for (const part of document.querySelectorAll('[data-dialog]')) {
  const dialog = document.createElement('dialog');
  dialog.className = 'form-dialog';
  const title = part.querySelector('[data-dialog-title]');
  title.id = `${part.id}-title`;
  dialog.setAttribute('aria-labelledby', title.id);
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'btn btn-primary';
  close.textContent = part.dataset.close;
  close.addEventListener('click', () => dialog.close());
  part.replaceWith(dialog);
  dialog.append(part, close);
  for (const only of part.querySelectorAll('[data-dialog-only]')) only.hidden = false;
  for (const button of document.querySelectorAll(`[data-opens="${part.id}"]`)) {
    button.hidden = false;
    button.addEventListener('click', () => dialog.showModal());
  }
  // Enter would send the whole form.
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches('input')) event.preventDefault();
  });
  // What has to be corrected is in view.
  if (part.querySelector('[aria-invalid="true"]')) dialog.showModal();
}

// The address of a web service: its parts make it up, and are read back from one that is pasted.
for (const base of document.querySelectorAll('[name="mailing.webservice.baseUrl"]')) {
  const { form } = base;
  const list = form.querySelector('[data-rows="mailing.webservice.params"]');
  const mirrors = [...form.querySelectorAll('[data-mirror="mailing.webservice.baseUrl"]')];
  // Date placeholders stay readable.
  const encoded = (text) =>
    encodeURIComponent(text)
      .replace(/%7B/g, '{')
      .replace(/%7D/g, '}')
      .replace(/%2F/g, '/')
      .replace(/%3A/g, ':');
  const decoded = (text) => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch {
      return text;
    }
  };
  const rows = () =>
    [...list.querySelectorAll('[data-row]')].map((row) => ({
      key: row.querySelector('[name$=".key"]'),
      value: row.querySelector('[name$=".value"]'),
    }));
  const update = () => {
    const params = rows()
      .filter(({ key }) => key.value.trim() !== '')
      .map(({ key, value }) => `${encoded(key.value.trim())}=${encoded(value.value)}`);
    const url = base.value.trim();
    const joined = params.join('&');
    for (const shown of document.querySelectorAll('[data-address-of="mailing.webservice"]')) {
      shown.hidden = url === '' || joined === '';
      shown.querySelector('code').textContent = `${url}${url.includes('?') ? '&' : '?'}${joined}`;
    }
    for (const mirror of mirrors) if (mirror !== document.activeElement) mirror.value = base.value;
  };
  /** Moves the query of the address into the list, behind the rows that are there. */
  const takeApart = () => {
    const [url, query = ''] = base.value
      .trim()
      .split('#')[0]
      .split(/\?(.*)/s);
    if (query === '') return;
    base.value = url;
    for (const pair of query.split('&').filter((one) => one !== '')) {
      const [key, value = ''] = pair.split(/=(.*)/s);
      const row = addRow(list, Number(list.dataset.next));
      row.querySelector('[name$=".key"]').value = decoded(key);
      row.querySelector('[name$=".value"]').value = decoded(value);
    }
    base.dispatchEvent(new CustomEvent('input', { bubbles: true }));
  };
  for (const mirror of mirrors) {
    mirror.value = base.value;
    mirror.addEventListener('input', () => {
      base.value = mirror.value;
      base.dispatchEvent(new CustomEvent('input', { bubbles: true }));
    });
    mirror.addEventListener('change', () => {
      takeApart();
      mirror.value = base.value;
    });
  }
  base.addEventListener('change', ({ isTrusted }) => {
    if (isTrusted) takeApart();
  });
  for (const type of ['input', 'change']) form.addEventListener(type, update);
  update();
}

// A list that offers only the options of another field's choice.
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

// A part that could not be fetched shows an error; the error page would not fit into it.
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
// A part may request the focus, and may click a button: an answer is downloaded with its test.
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  ctx.target?.querySelector('[data-focus]')?.focus();
  ctx.target?.querySelector('[data-press]')?.click();
});

// A file is streamed to the API, with its progress; the server then renders the result.
document.addEventListener(
  'submit',
  (event) => {
    const form = event.target;
    const file = form.elements.file?.files?.[0];
    if (form.dataset.upload === undefined || !file) return;
    event.preventDefault();
    if (form.dataset.uploadingNow !== undefined) return;
    // Its controls may be outside of it.
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
    const name = form.dataset.names === undefined ? '' : `&name=${encodeURIComponent(file.name.slice(-200))}`;
    request.open(form.dataset.method ?? 'PUT', form.dataset.upload + name);
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
      // The server renders the result, of an upload and of an error alike.
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

// Unsaved changes: the browser asks before it leaves the page. Not if a link leads to another page of ours and the form
// has a draft, which is restored on the way back.
// What is marked as `data-aside`, such as the number of a test, is not part of what the form saves.
const contentOf = (form) => {
  const content = new FormData(form);
  for (const { name } of form.querySelectorAll('[data-aside]')) content.delete(name);
  return new URLSearchParams(content).toString();
};
const guarded = [...document.querySelectorAll('form[data-guarded]')].map((form) => ({
  form,
  before: contentOf(form),
}));
let leaves = null;
// The browser asks shortly after the click.
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

// Shows what was typed into a password field.
for (const button of document.querySelectorAll('[data-show-password]')) {
  const field = document.getElementById(button.getAttribute('aria-controls'));
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = field.type === 'password';
    field.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
  });
  // A password manager must find a password field, and a browser must not remember a text.
  field.form?.addEventListener('submit', () => (field.type = 'password'));
}
