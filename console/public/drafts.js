// What was typed into a form and not saved is kept in the tab, and is there again when its page comes back: after a
// look at another page, a reload, a session that ended. Runs after forms.js, which has set the form up.
{
  const prefix = 'torpedo-draft ';
  // Of a single visit, not of the content; and a person's number, which is not to be kept.
  const left = new Set(['once', 'seen', 'lacking', 'phone']);
  // Storage can be forbidden, or full: then there are no drafts.
  const attempt = (work) => {
    try {
      return work();
    } catch {
      return null;
    }
  };
  const read = (key) => attempt(() => JSON.parse(sessionStorage.getItem(prefix + key)));
  const write = (key, draft) => attempt(() => sessionStorage.setItem(prefix + key, JSON.stringify(draft)));
  const drop = (key) => attempt(() => sessionStorage.removeItem(prefix + key));
  const keys = () => attempt(() => Object.keys(sessionStorage).filter((key) => key.startsWith(prefix))) ?? [];

  const contentOf = (form) =>
    JSON.stringify(
      [...new FormData(form)].filter(([name, value]) => typeof value === 'string' && !left.has(name)),
    );

  // The page that says "saved" is the only one that knows.
  if (document.querySelector('[data-done]')) {
    for (const key of keys())
      if (read(key.slice(prefix.length))?.sent === true) attempt(() => sessionStorage.removeItem(key));
  }
  document.addEventListener('submit', ({ target }) => {
    if (target.getAttribute('action') === '/sign-out') attempt(() => sessionStorage.clear());
  });

  const restore = (form, content) => {
    const values = new Map();
    for (const [name, value] of JSON.parse(content)) values.set(name, [...(values.get(name) ?? []), value]);
    for (const list of form.querySelectorAll('[data-rows]')) {
      const path = `${list.dataset.rows}.`;
      const indexes = [...values.keys()]
        .filter((name) => name.startsWith(path))
        .map((name) => Number.parseInt(name.slice(path.length), 10));
      list.dispatchEvent(new CustomEvent('rows', { bubbles: true, detail: [...new Set(indexes)] }));
    }
    for (const field of form.elements) {
      if (field.name === '' || left.has(field.name) || field.type === 'hidden' || field.type === 'file')
        continue;
      const given = values.get(field.name) ?? [];
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = given.includes(field.value);
      else if (field.matches('input, textarea, select')) field.value = given[0] ?? '';
    }
    for (const type of ['input', 'change']) {
      for (const field of form.querySelectorAll('input, select, textarea')) {
        field.dispatchEvent(new CustomEvent(type, { bubbles: true }));
      }
    }
  };

  for (const form of document.querySelectorAll('form[data-draft]')) {
    const key = form.dataset.draft;
    const notice = form.querySelector('[data-draft-notice]');
    const refused = form.dataset.refused !== undefined;
    const shown = contentOf(form);
    let draft = read(key);
    let offered = false;
    const kept = () => draft?.before ?? shown;
    const keep = () => {
      const now = contentOf(form);
      draft = { before: kept(), now };
      if (now === draft.before) drop(key);
      else write(key, draft);
    };
    const tell = (which) => {
      notice.hidden = false;
      for (const words of notice.querySelectorAll('[data-draft-words]')) {
        words.hidden = words.dataset.draftWords !== which;
      }
    };

    if (
      draft &&
      draft.sent === true &&
      performance.getEntriesByType('navigation')[0]?.type === 'back_forward'
    ) {
      // The browser shows the page as it was before the form was sent.
      write(key, { ...draft, sent: false });
      location.reload();
    }
    if (refused) keep();
    else if (draft?.now === shown) {
      draft = null;
      drop(key);
    } else if (draft?.before === shown) {
      restore(form, draft.now);
      tell('restored');
    } else if (draft) {
      // Somebody has saved other values meanwhile.
      offered = true;
      tell('offered');
    }

    for (const type of ['input', 'change']) {
      form.addEventListener(type, () => {
        if (!offered) keep();
      });
    }
    form.addEventListener('submit', ({ submitter }) => {
      if (submitter?.dataset.download === undefined && draft) write(key, { ...draft, sent: true });
    });
    notice.querySelector('[data-draft-apply]').addEventListener('click', () => {
      const { now } = draft;
      draft = null;
      offered = false;
      restore(form, now);
      tell('restored');
    });
    notice.querySelector('[data-draft-discard]').addEventListener('click', () => {
      draft = null;
      offered = false;
      restore(form, shown);
      notice.hidden = true;
      form.querySelector('input:not([type=hidden]), select, textarea')?.focus();
    });
  }
  window.addEventListener('pageshow', ({ persisted }) => {
    const saved = [...document.querySelectorAll('form[data-draft]')].some(
      (form) => read(form.dataset.draft) === null,
    );
    if (persisted && saved && document.querySelector('form[data-draft]')) location.reload();
  });
}
