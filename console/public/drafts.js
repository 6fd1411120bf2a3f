// Unsaved values of a form are stored in the tab, and restored when its page is opened again: after a visit to another
// page, a reload, a session that ended. Runs after forms.js, which has set up the form.
{
  const prefix = 'torpedo-draft ';
  // These fields belong to a single visit, not to the content; and a person's number must not be stored.
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

  const contentOf = (form) => {
    const aside = new Set([...form.querySelectorAll('[data-aside]')].map(({ name }) => name));
    return JSON.stringify(
      [...new FormData(form)].filter(
        ([name, value]) => typeof value === 'string' && !left.has(name) && !aside.has(name),
      ),
    );
  };

  // Only the page that shows "saved" knows that.
  if (document.querySelector('[data-done]')) {
    for (const key of keys())
      if (read(key.slice(prefix.length))?.sent === true) attempt(() => sessionStorage.removeItem(key));
  }
  // The back button after creating an entry leads to the entry, not to the form of another one.
  const created = 'torpedo-created ';
  const isBack = (persisted) =>
    persisted || performance.getEntriesByType('navigation')[0]?.type === 'back_forward';
  const createdBy = (path) => attempt(() => sessionStorage.getItem(created + path));
  if (document.querySelector('[data-done]')) {
    const path = attempt(() => sessionStorage.getItem(created));
    if (path) {
      attempt(() =>
        sessionStorage.setItem(created + path, location.pathname.replace(/\/[^/]*$/, '/schedule')),
      );
      attempt(() => sessionStorage.removeItem(created));
    }
  }
  window.addEventListener('pageshow', ({ persisted }) => {
    const entry = createdBy(location.pathname);
    if (document.querySelector('form[data-new]') && entry) {
      if (isBack(persisted)) location.replace(entry);
      else attempt(() => sessionStorage.removeItem(created + location.pathname));
    }
  });
  document.addEventListener('submit', ({ target }) => {
    if (target.dataset.new !== undefined) attempt(() => sessionStorage.setItem(created, location.pathname));
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
    const announce = (which) => {
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
      announce('restored');
    } else if (draft) {
      // Another user has saved other values meanwhile.
      offered = true;
      announce('offered');
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
      announce('restored');
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
