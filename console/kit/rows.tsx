import type { ComponentChildren } from 'preact';
import { useValues } from './form.tsx';
import { campaigns as campaignWords } from '../campaigns/words.ts';
import { useWords } from './view.tsx';

/**
 * A list that is edited in its form. Without scripts there is one empty row at the end, to be filled in; the handler
 * leaves out rows without a value. With them, rows are added and removed (console.js, from the `<template>`).
 */
export function Rows({
  name,
  children,
  label,
  needed = false,
}: {
  /** The path of the list. */
  name: string;
  /** What stands in a row, by the row's own path. */
  children: (path: string) => ComponentChildren;
  /** Says to those who can't see it what is added. */
  label: string;
  /** An empty list makes no sense: it begins with a row. */
  needed?: boolean;
}) {
  const t = useWords(campaignWords);
  const indexes = useValues().rows(name);
  const next = (indexes.at(-1) ?? -1) + 1;
  const row = (path: string, spare = false) => (
    <div class="edit-row" key={path} data-row={spare ? 'spare' : ''}>
      {children(path)}
      {/* Without scripts a row goes by emptying it. */}
      <button type="button" class="btn btn-sm edit-row-remove" data-remove-row="" hidden>
        {t.removeRow}
      </button>
    </div>
  );
  return (
    <div data-rows={name} data-next={next + 1} class="mb-3">
      <div data-rows-list="">
        {indexes.map((index) => row(`${name}.${index}`))}
        {row(`${name}.${next}`, !needed || indexes.length > 0)}
      </div>
      <template>{row(`${name}.__N__`)}</template>
      <button type="button" class="btn btn-sm" data-add-row="" aria-label={`${t.addRow}: ${label}`} hidden>
        {t.addRow}
      </button>
    </div>
  );
}
