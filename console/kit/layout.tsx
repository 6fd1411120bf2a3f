import type { ComponentChildren } from 'preact';
import { type Permission, roleSuffices } from '../../domain/user.ts';
import { asset } from './assets.ts';
import { common, type NoticeName } from './words.ts';
import { locales } from './dictionary.ts';
import { searchWords } from '../search/words.ts';
import { Icon, type IconName } from './icons.tsx';
import { themes, useView, useWords } from './view.tsx';

interface SectionLink {
  name: IconName;
  href: string;
  /** Who may open it; by default `viewer`. */
  access?: Permission;
  /** The part of a page with the number of what waits there. */
  count?: string;
}

/** The navigation's entries, in order. A page of a new noun adds its own here. */
const sections = [
  { name: 'home', href: '/' },
  { name: 'campaigns', href: '/campaigns' },
  { name: 'runs', href: '/runs' },
  { name: 'messages', href: '/messages' },
  { name: 'reports', href: '/reports' },
  { name: 'replies', href: '/replies', access: 'any_role' },
  { name: 'tickets', href: '/tickets', access: 'any_role', count: '/tickets/unanswered' },
  { name: 'customers', href: '/customers', access: 'any_role' },
  { name: 'optOuts', href: '/opt-outs' },
  { name: 'phones', href: '/phones' },
  { name: 'settings', href: '/settings' },
] as const satisfies readonly SectionLink[];
export type Section = (typeof sections)[number]['name'];

interface PageProps {
  title: string;
  /** The active entry of the navigation; none on pages outside of it. */
  section?: Section;
  /** Beside the title: the page's main actions. */
  actions?: ComponentChildren;
  /** Above the title: the parent pages, as links. */
  trail?: readonly { href: string; label: string }[];
  /** What was searched for over everything. */
  query?: string;
  /** Assets besides those of every page. */
  chart?: boolean;
  children?: ComponentChildren;
}

/** A whole page for a signed-in user. */
export function Page({
  title,
  section,
  actions,
  trail = [],
  query = '',
  chart = false,
  children,
}: PageProps) {
  const t = useWords(common);
  const { format } = useView();
  return (
    <Document title={title} chart={chart}>
      <div class="page">
        <Navigation section={section} />
        <div class="page-wrapper">
          <SearchBox query={query} />
          <div class="page-header">
            <div class="container-xl">
              <p class="print-mark" aria-hidden="true">
                <Mark />
              </p>
              {trail.length > 0 && (
                <nav aria-label={t.back} class="trail">
                  <ol class="breadcrumb">
                    {trail.map(({ href, label }) => (
                      <li key={href} class="breadcrumb-item">
                        <a href={href}>{label}</a>
                      </li>
                    ))}
                  </ol>
                </nav>
              )}
              <div class="title-row">
                <h1 class="page-title">{title}</h1>
                {actions !== undefined && <div class="title-actions">{actions}</div>}
              </div>
            </div>
          </div>
          <main id="content" class="page-body" tabIndex={-1}>
            <div class="container-xl">
              <Notice />
              {children}
            </div>
          </main>
          <footer class="footer footer-transparent">
            <div class="container-xl">
              <span>{t.zone(format.zone())}</span>
              <a href="/api/docs">{t.apiDocs}</a>
            </div>
          </footer>
        </div>
      </div>
    </Document>
  );
}

/** A page among the settings. `below`: its parent pages other than the settings themselves. */
export function SettingsPage({
  title,
  actions,
  below = [],
  children,
}: Pick<PageProps, 'title' | 'actions' | 'children'> & { below?: PageProps['trail'] }) {
  const { nav } = useWords(common);
  return (
    <Page
      title={title}
      section="settings"
      trail={[{ href: '/settings', label: nav.settings }, ...below]}
      actions={actions}
    >
      {children}
    </Page>
  );
}

/** The search over everything, on each page; its results appear below it while the user types (console.js). */
function SearchBox({ query }: { query: string }) {
  const t = useWords(searchWords);
  return (
    <search class="container-xl">
      <form class="search-box input-icon" action="/search">
        <span class="input-icon-addon">
          <Icon name="search" />
        </span>
        <input
          class="form-control"
          type="search"
          name="q"
          value={query}
          maxLength={120}
          placeholder={t.placeholder}
          aria-label={t.label}
          title={t.shortcut}
          autocomplete="off"
          data-search=""
          hx-get="/search/results"
          hx-trigger="input changed delay:250ms"
          hx-target="#search-results"
          hx-sync="this:replace"
        />
        <div id="search-results" aria-live="polite" />
      </form>
    </search>
  );
}

/** A page without a signed-in user: one narrow card. */
export function DoorPage({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <Document title={title}>
      <main class="page page-center" id="content" tabIndex={-1}>
        <div class="container container-tight py-4">
          <p class="door-mark">
            <Mark />
          </p>
          <Notice />
          <div class="card card-md">
            <div class="card-body">
              <h1 class="h2 mb-4">{title}</h1>
              {children}
            </div>
          </div>
          <div class="door-preferences">
            <LanguageSwitch />
          </div>
        </div>
      </main>
    </Document>
  );
}

function Document({
  title,
  chart = false,
  children,
}: {
  title: string;
  chart?: boolean;
  children: ComponentChildren;
}) {
  const t = useWords(common);
  const { locale, theme, me, company } = useView();
  const alerts = me?.alerts ?? 0;
  const owner = company?.name || t.product;
  return (
    <html
      lang={locale}
      data-theme={theme}
      data-bs-theme={theme === 'dark' ? 'dark' : 'light'}
      data-unsaved={t.unsaved}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{`${alerts > 0 ? `(${alerts}) ` : ''}${title} · ${owner}`}</title>
        <link rel="icon" href={asset('icon.svg')} type="image/svg+xml" />
        <link rel="stylesheet" href={asset('tabler.css')} />
        {chart && <link rel="stylesheet" href={asset('uplot.css')} />}
        <link rel="stylesheet" href={asset('console.css')} />
        {/* Before the first paint; otherwise a dark page would flash light. */}
        <script src={asset('theme.js')} />
        <script src={asset('htmx.js')} defer />
        <script src={asset('forms.js')} defer />
        <script src={asset('drafts.js')} defer />
        <script src={asset('console.js')} defer />
        {chart && <script src={asset('uplot.js')} defer />}
        {chart && <script src={asset('charts.js')} defer />}
      </head>
      <body>
        <a class="skip-link" href="#content">
          {t.skip}
        </a>
        {children}
      </body>
    </html>
  );
}

/** Whose console it is: the logo and the name of the company, or the product's. */
function Mark() {
  const t = useWords(common);
  const { company } = useView();
  const name = company?.name || t.product;
  const logo = company?.logo;
  return (
    <>
      {logo ? (
        <img class="logo" src={logo.url} width={logo.width} height={logo.height} alt="" />
      ) : (
        <Icon name="campaigns" />
      )}{' '}
      <span class="mark-name">{name}</span>
    </>
  );
}

function Navigation({ section }: { section: Section | undefined }) {
  const t = useWords(common);
  const { me } = useView();
  const links: readonly (SectionLink & { name: Section })[] = sections;
  // Agents have no home page; theirs is the list of tickets.
  const counted: Section = me && roleSuffices(me.role, 'viewer') ? 'home' : 'tickets';
  const list = (
    <ul class="navbar-nav">
      {links
        .filter(({ access = 'viewer' }) => me && roleSuffices(me.role, access))
        .map(({ name, href, count }) => (
          <li key={name} class={`nav-item${name === section ? ' active' : ''}`}>
            <a class="nav-link" href={href} aria-current={name === section ? 'page' : undefined}>
              <span class="nav-link-icon">
                <Icon name={name} />
              </span>
              <span class="nav-link-title">{t.nav[name]}</span>
              {name === counted && <AlertCount />}
            </a>
            {count !== undefined && (
              <span class="nav-count" hx-get={count} hx-trigger="load, every 30s" hx-swap="innerHTML" />
            )}
          </li>
        ))}
    </ul>
  );
  return (
    <header class="sidebar">
      <a class="sidebar-mark" href="/">
        <Mark />
      </a>
      {/* One list for both widths: a phone opens it, a wide screen always shows it (console.css). */}
      <details class="sidebar-menu">
        <summary aria-label={t.menu}>
          <Icon name="menu" />
          <AlertCount />
        </summary>
        <nav aria-label={t.menu}>{list}</nav>
      </details>
      <UserMenu />
    </header>
  );
}

/** How many things need the user. Kept up to date by console.js. */
function AlertCount() {
  const t = useWords(common);
  const { me, format } = useView();
  if (!me) return null;
  return (
    <span class="alert-count" data-alerts={me.id} hidden={me.alerts === 0}>
      <span aria-hidden="true">{format.number(me.alerts)}</span>
      <span class="visually-hidden">{t.alerts(format.number(me.alerts))}</span>
    </span>
  );
}

function UserMenu() {
  const t = useWords(common);
  const { me, theme, here } = useView();
  if (!me) return null;
  return (
    <details class="user-menu">
      <summary>
        <span class="avatar avatar-sm" aria-hidden="true">
          {me.name.slice(0, 1).toUpperCase()}
        </span>
        <span class="user-name">
          <span>{me.name}</span>
          <small>{t.roles[me.role]}</small>
        </span>
      </summary>
      <div class="user-panel card">
        <a class="dropdown-item" href="/profile">
          {t.user.profile}
        </a>
        <form method="post" action="/preferences" class="switch" aria-label={t.user.theme}>
          <input type="hidden" name="back" value={here} />
          <span>{t.user.theme}</span>
          <div class="btn-group btn-group-sm">
            {themes.map((one) => (
              <button
                key={one}
                class={`btn${one === theme ? ' active' : ''}`}
                name="theme"
                value={one}
                aria-pressed={one === theme ? 'true' : 'false'}
              >
                {t.user[one]}
              </button>
            ))}
          </div>
        </form>
        <LanguageSwitch />
        <form method="post" action="/sign-out">
          <button class="dropdown-item">{t.user.signOut}</button>
        </form>
      </div>
    </details>
  );
}

function LanguageSwitch() {
  const t = useWords(common);
  const { locale, here } = useView();
  return (
    <form method="post" action="/preferences" class="switch" aria-label={t.user.language}>
      <input type="hidden" name="back" value={here} />
      <span>{t.user.language}</span>
      <div class="btn-group btn-group-sm">
        {locales.map(([code, label]) => (
          <button
            key={code}
            class={`btn${code === locale ? ' active' : ''}`}
            name="locale"
            value={code}
            lang={code}
            aria-pressed={code === locale ? 'true' : 'false'}
          >
            {label}
          </button>
        ))}
      </div>
    </form>
  );
}

/** The result of the previous request: what it did, or could not do. */
function Notice() {
  const t = useWords(common);
  const { notice } = useView();
  if (!notice) return null;
  const isNotice = (name: string): name is NoticeName => name in t.notices;
  return notice.kind === 'error' ? (
    <div class="alert alert-danger" role="alert">
      {notice.text}
    </div>
  ) : (
    <div class="alert alert-success" role="status" data-done="">
      {isNotice(notice.text) ? t.notices[notice.text] : notice.text}
    </div>
  );
}
