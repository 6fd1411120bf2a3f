import type { FastifyPluginAsync } from 'fastify';
import type { ComponentChildren } from 'preact';
import type { z } from 'zod';
import { searchView } from '../../api/search/search.ts';
import { formatPhone, phonesMeant } from '../../domain/phone.ts';
import { type Api, urlOf } from '../kit/api.ts';
import type { Query } from '../kit/filters.tsx';
import { Page } from '../kit/layout.tsx';
import { Card, Empty, Time } from '../kit/parts.tsx';
import { addPage, addPart } from '../kit/routes.ts';
import { useWords } from '../kit/view.tsx';
import { common } from '../kit/words.ts';
import { customerWords } from '../customers/words.ts';
import { runs as runWords } from '../runs/words.ts';
import { ticketWords } from '../tickets/words.ts';
import { searchWords } from './words.ts';

const path = '/search';
const longest = 120;
type Found = z.output<typeof searchView>;

/** One search over everything: its page, and the part of it that appears below the search box. */
export const search: FastifyPluginAsync = async (app) => {
  addPage(app, path, 'any_role', async ({ api, query }) => {
    const q = wanted(query);
    return <SearchPage q={q} found={q === '' ? null : await find(api, q)} />;
  });

  addPart(app, `${path}/results`, 'any_role', async ({ api, query }) => {
    const q = wanted(query);
    return q.length < 2 ? <></> : <QuickResults q={q} found={await find(api, q)} />;
  });
};

const wanted = ({ q = '' }: Query): string => q.trim().slice(0, longest);
const find = (api: Api, q: string): Promise<Found> => api.get('/api/search', searchView, { q });

/** One group: its name, its entries, and the list that has all of them, if there is one for this search. */
interface Group {
  title: string;
  entries: readonly Entry[];
  all: string | null;
}
interface Entry {
  id: number;
  href: string;
  title: string;
  detail: ComponentChildren;
}

function useGroups(q: string, found: Found): Group[] {
  const { nav } = useWords(common);
  const t = useWords(searchWords);
  const customers = useWords(customerWords);
  const runs = useWords(runWords);
  const tickets = useWords(ticketWords);
  const isPhone = phonesMeant(q).length > 0;
  const groups: Group[] = [
    {
      title: nav.customers,
      entries: found.customers.map(({ id, name, code, phone }) => ({
        id,
        href: `/customers/${id}`,
        title: name === '' ? customers.unnamed : name,
        detail: [code, phone && formatPhone(phone)].filter(Boolean).join(' · '),
      })),
      all: urlOf('/customers', isPhone ? { phone: q } : { name: q }),
    },
    {
      title: nav.campaigns,
      entries: found.campaigns.map(({ id, name, enabled }) => ({
        id,
        href: `/campaigns/${id}`,
        title: name,
        detail: enabled ? '' : t.inactive,
      })),
      all: urlOf('/campaigns', { name: q }),
    },
    {
      title: nav.runs,
      entries: found.runs.map(({ id, campaignName, occurrence, status }) => ({
        id,
        href: `/runs/${id}`,
        title: `${runs.run(String(id))}: ${campaignName}`,
        detail: (
          <>
            <Time at={occurrence} /> · {runs.status[status]}
          </>
        ),
      })),
      all: null,
    },
    {
      title: nav.tickets,
      entries: found.tickets.map(({ id, name, phone, status, subcategoryName }) => ({
        id,
        href: `/tickets/${id}`,
        title: `${tickets.one(id)}: ${name ?? (phone === null ? tickets.erased : formatPhone(phone))}`,
        detail: `${tickets.statuses[status]} · ${subcategoryName}`,
      })),
      all: urlOf('/tickets', isPhone ? { phone: q } : { text: q }),
    },
    {
      title: nav.messages,
      entries: found.messages.map(({ id, campaignName, phone, status, occurrence }) => ({
        id,
        href: `/messages/${id}`,
        title: `${formatPhone(phone ?? '')}: ${campaignName}`,
        detail: (
          <>
            <Time at={occurrence} /> · {runs.oneMessage[status]}
          </>
        ),
      })),
      all: urlOf('/messages', { phone: q }),
    },
    {
      title: nav.replies,
      entries: found.replies.map(({ id, phone, text, receivedAt }) => ({
        id,
        href: urlOf('/replies', { phone }),
        title: text,
        detail: (
          <>
            {formatPhone(phone)} · <Time at={receivedAt} />
          </>
        ),
      })),
      all: urlOf('/replies', { phone: q }),
    },
  ];
  return groups.filter(({ entries }) => entries.length > 0);
}

const Entries = ({ entries }: { entries: readonly Entry[] }) => (
  <ul class="found">
    {entries.map(({ id, href, title, detail }) => (
      <li key={id}>
        <a href={href}>
          <span class="long-text">{title}</span> <small class="text-secondary">{detail}</small>
        </a>
      </li>
    ))}
  </ul>
);

function SearchPage({ q, found }: { q: string; found: Found | null }) {
  const t = useWords(searchWords);
  return (
    <Page title={found ? t.found(q) : t.title} query={q}>
      {found ? (
        <Results q={q} found={found} />
      ) : (
        <div class="card">
          <Empty icon="search" title={t.first} text={t.firstText} />
        </div>
      )}
    </Page>
  );
}

function Results({ q, found }: { q: string; found: Found }) {
  const t = useWords(searchWords);
  const groups = useGroups(q, found);
  if (groups.length === 0) {
    return (
      <div class="card">
        <Empty icon="search" title={t.nothing} text={t.nothingText(q)} />
      </div>
    );
  }
  return (
    <>
      {groups.map(({ title, entries, all }) => (
        <Card key={title} title={title} actions={all === null ? undefined : <a href={all}>{t.more}</a>}>
          <Entries entries={entries} />
        </Card>
      ))}
    </>
  );
}

function QuickResults({ q, found }: { q: string; found: Found }) {
  const t = useWords(searchWords);
  const groups = useGroups(q, found);
  return (
    <div class="card search-panel">
      {groups.length === 0 ? (
        <p class="text-secondary mb-0">{t.nothing}</p>
      ) : (
        <>
          {groups.map(({ title, entries }) => (
            <section key={title} aria-label={title}>
              <h2>{title}</h2>
              <Entries entries={entries} />
            </section>
          ))}
          <a href={urlOf(path, { q })}>{t.all}</a>
        </>
      )}
    </div>
  );
}
