import type { ComponentChildren } from 'preact';
import { useForm } from './form.tsx';
import { common } from './words.ts';
import { useWords } from './view.tsx';

/**
 * A list that is edited in its form; a reader who may not change it sees its rows alone. Without scripts there is one
 * empty row at the end to fill in; the handler omits rows without a value. With scripts, rows are added and removed
 * (console.js, from the `<template>`).
 */
export function Rows({
  name,
  children,
  label,
  needed = false,
}: {
  /** The path of the list. */
  name: string;
  /** The content of a row, by the row's own path. */
  children: (path: string) => ComponentChildren;
  /** Names the added item for screen readers. */
  label: string;
  /** An empty list makes no sense: it begins with one row. */
  needed?: boolean;
}) {
  const t = useWords(common);
  const { values, readOnly } = useForm();
  const indexes = values.rows(name);
  const next = (indexes.at(-1) ?? -1) + 1;
  const row = (path: string, spare = false) => (
    <div class="edit-row" key={path} data-row={spare ? 'spare' : ''}>
      {children(path)}
      {/* Without scripts, clearing a row removes it. */}
      <button type="button" class="btn btn-sm edit-row-remove" data-remove-row="" hidden>
        {t.remove}
      </button>
    </div>
  );
  if (readOnly) {
    return (
      <div class="mb-3">
        {indexes.length === 0 ? (
          <p class="text-secondary">{t.none}</p>
        ) : (
          indexes.map((index) => row(`${name}.${index}`))
        )}
      </div>
    );
  }
  return (
    <div data-rows={name} data-next={next + 1} class="mb-3">
      <div data-rows-list="">
        {indexes.map((index) => row(`${name}.${index}`))}
        {row(`${name}.${next}`, !needed || indexes.length > 0)}
      </div>
      <template>{row(`${name}.__N__`)}</template>
      <button type="button" class="btn btn-sm" data-add-row="" aria-label={`${t.add}: ${label}`} hidden>
        {t.add}
      </button>
    </div>
  );
}
