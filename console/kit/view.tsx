import type { ComponentChildren } from 'preact';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { z } from 'zod';
import type { sessionView } from '../../api/access/sessions.ts';
import type { companyView } from '../../api/settings/company.ts';
import { type Locale, type Permission, roleSuffices } from '../../domain/user.ts';
import type { Format } from '../../domain/format.ts';
import type { Dictionary } from './dictionary.ts';

export type Me = z.output<typeof sessionView>;

export type Company = z.output<typeof companyView>;

/** The context of every part of a page: the reader and their format. */
export interface View {
  /** Null before signing in. */
  me: Me | null;
  /** Null when it could not be read, and in parts of pages. */
  company: Company | null;
  locale: Locale;
  format: Format;
  theme: Theme;
  /** Path and query of the page. */
  here: string;
  notice: Notice | null;
  /** The versions (`ETag`) of the documents that were read for the page, by API path: for `Form`. */
  versions: ReadonlyMap<string, string>;
}

/** What the previous request did (a name of common.notices, or text) or could not do; shown once. */
export interface Notice {
  kind: 'done' | 'error';
  text: string;
}

export const themes = ['light', 'dark', 'auto'] as const;
export type Theme = (typeof themes)[number];

const Current = createContext<View | null>(null);

export const ViewProvider = ({ view, children }: { view: View; children: ComponentChildren }) => (
  <Current.Provider value={view}>{children}</Current.Provider>
);

export function useView(): View {
  const view = useContext(Current);
  if (!view) throw new Error('A component is outside a page.');
  return view;
}

/** The words of a noun in the reader's language. */
export const useWords = <T,>(words: Dictionary<T>): Dictionary<T>[Locale] => words[useView().locale];

export const useFormat = (): Format => useView().format;

/** Whether the reader has the permission: actions that they may not use are hidden. */
export function useMay(needs: Permission): boolean {
  const { me } = useView();
  return me !== null && roleSuffices(me.role, needs);
}
