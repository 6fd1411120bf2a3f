import type { ComponentChildren } from 'preact';
import type { Permission } from '../../domain/user.ts';
import { formatPhone } from '../../domain/phone.ts';
import { common } from './words.ts';
import { Icon, type IconName } from './icons.tsx';
import { useFormat, useMay, useWords } from './view.tsx';

/** A time in the reader's time zone; the complete timestamp as a tooltip. */
export function Time({ at, exact = false }: { at: Date | null; exact?: boolean }) {
  const format = useFormat();
  const t = useWords(common);
  if (!at) return <span class="text-secondary">{t.none}</span>;
  return (
    <time dateTime={at.toISOString()} title={`${format.exact(at)} ${format.zone(format.timeZone, at)}`}>
      {exact ? format.exact(at) : format.dateTime(at)}
    </time>
  );
}

/** A link for readers who may open the page; for all others its text. */
export function LinkFor({
  needs = 'viewer',
  href,
  children,
}: {
  needs?: Permission;
  href: string;
  children: ComponentChildren;
}) {
  return useMay(needs) ? <a href={href}>{children}</a> : <>{children}</>;
}

/** A phone (E.164) as users write it. `call`: a link that a phone calls. */
export function Phone({ phone, call = false }: { phone: string | null; call?: boolean }) {
  const t = useWords(common);
  if (phone === null || phone === '') return <span class="text-secondary">{t.none}</span>;
  const shown = <span class="text-nowrap">{formatPhone(phone)}</span>;
  return call && phone.startsWith('+') ? <a href={`tel:${phone}`}>{shown}</a> : shown;
}

export type Tone = 'neutral' | 'good' | 'bad' | 'busy' | 'warn';

const colors = { neutral: 'secondary', good: 'green', bad: 'red', busy: 'blue', warn: 'yellow' } as const;

/** A state as text, with a dot in its color: color is never the only sign. */
export const State = ({ tone, children }: { tone: Tone; children: ComponentChildren }) => (
  <span class="state">
    <span class={`status-dot status-${colors[tone]}`} aria-hidden="true" />
    {children}
  </span>
);

/** A tab of a page, in Tabler's `nav nav-tabs`. */
export const Tab = ({
  href,
  active,
  children,
}: {
  href: string;
  active: boolean;
  children: ComponentChildren;
}) => (
  <li class="nav-item">
    <a class={`nav-link${active ? ' active' : ''}`} href={href} aria-current={active ? 'page' : undefined}>
      {children}
    </a>
  </li>
);

/** An empty state: why it is empty, and what to do about it. */
export function Empty({
  icon,
  title,
  text,
  action,
}: {
  icon: IconName;
  title: string;
  text: string;
  action?: { href: string; label: string } | undefined;
}) {
  return (
    <div class="empty">
      <div class="empty-icon">
        <Icon name={icon} />
      </div>
      <p class="empty-title">{title}</p>
      <p class="empty-subtitle">{text}</p>
      {action && (
        <div class="empty-action">
          <a class="btn btn-primary" href={action.href}>
            <Icon name="plus" /> {action.label}
          </a>
        </div>
      )}
    </div>
  );
}

/** One column: its heading, and its content for a row. */
export interface Column<T> {
  heading: string;
  cell: (row: T) => ComponentChildren;
  /** Numbers are right-aligned. */
  numeric?: boolean;
  /** Hidden on a phone. */
  wide?: boolean;
  /** Left out if false. */
  shown?: boolean;
}

/** A table of rows, or `empty` in its place. The first column heads its row. */
export function Table<T extends { id: number | string }>({
  caption,
  columns: all,
  rows,
  empty,
}: {
  /** For screen readers, which cannot see the surroundings. */
  caption: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  empty: ComponentChildren;
}) {
  if (rows.length === 0) return <div class="card">{empty}</div>;
  const columns = all.filter(({ shown }) => shown !== false);
  const classOf = ({ numeric, wide }: Column<T>): string | undefined =>
    [numeric === true ? 'numeric' : '', wide === true ? 'wide' : ''].filter(Boolean).join(' ') || undefined;
  return (
    <div class="card">
      <div class="table-responsive" tabIndex={0} role="region" aria-label={caption}>
        {/* The explicit roles remain when a phone shows rows as lists (console.css); tables would lose their own. */}
        <table class="table table-vcenter card-table" role="table">
          <caption class="visually-hidden">{caption}</caption>
          <thead role="rowgroup">
            <tr role="row">
              {columns.map((column) => (
                <th key={column.heading} scope="col" role="columnheader" class={classOf(column)}>
                  {column.heading}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((row) => (
              <tr key={row.id} role="row">
                {columns.map((column, index) => {
                  const attributes = { class: classOf(column), 'data-heading': column.heading };
                  // One element, so that on a phone it pairs with its heading.
                  const content = <div>{column.cell(row)}</div>;
                  return index === 0 ? (
                    <th key={column.heading} scope="row" role="rowheader" {...attributes}>
                      {content}
                    </th>
                  ) : (
                    <td key={column.heading} role="cell" {...attributes}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** Links to the next page of a list, and back to its first. */
export function Pager({ next, first }: { next: string | null; first: string | null }) {
  const t = useWords(common);
  if (next === null && first === null) return null;
  return (
    <nav class="pager" aria-label={t.nextPage}>
      {first !== null && (
        <a class="btn" href={first}>
          {t.firstPage}
        </a>
      )}
      {next !== null && (
        <a class="btn" href={next}>
          {t.nextPage}
        </a>
      )}
    </nav>
  );
}

/** A term and its value; false or null: it is left out. */
export type Fact = readonly [term: string, value: ComponentChildren] | false | null;

export const Facts = ({ facts }: { facts: readonly Fact[] }) => (
  <dl class="datagrid">
    {facts
      .filter((fact) => fact !== null && fact !== false)
      .map(([term, value]) => (
        <div key={term}>
          <dt class="datagrid-title">{term}</dt>
          <dd class="datagrid-content">{value}</dd>
        </div>
      ))}
  </dl>
);

export const Card = ({
  title,
  actions,
  narrow = false,
  children,
}: {
  title?: string;
  actions?: ComponentChildren;
  narrow?: boolean;
  children: ComponentChildren;
}) => (
  <section class={`card mb-3${narrow ? ' narrow' : ''}`}>
    {title !== undefined && (
      <div class="card-header">
        <h2 class="card-title">{title}</h2>
        {actions !== undefined && <div class="card-actions">{actions}</div>}
      </div>
    )}
    <div class="card-body">{children}</div>
  </section>
);
