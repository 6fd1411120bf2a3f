import type { FastifyInstance, RouteOptions } from 'fastify';

/**
 * What pages are shown of, by what stands before the parameter in their pattern: `{ '/campaigns': 7 }` gives
 * `/campaigns/:id/message` the address `/campaigns/7/message`.
 */
export type PageSubjects = Readonly<Record<string, string | number>>;

/** Collects the patterns of the console's pages; call it before the console is registered. Parts of pages are none. */
export function notePages(app: FastifyInstance): string[] {
  const pages: string[] = [];
  app.addHook('onRoute', ({ method, url, config }: RouteOptions): void => {
    const isPage = method === 'GET' && config?.fragment !== true && !url.startsWith('/assets/');
    if (isPage) pages.push(url);
  });
  return pages;
}

/** The address of a page. Throws when it needs a subject that is not given. */
export function addressOf(pattern: string, subjects: PageSubjects): string {
  const seen: string[] = [];
  const parts = pattern.split('/').map((part) => {
    const before = seen.join('/');
    seen.push(part);
    if (!part.startsWith(':')) return part;
    const subject = subjects[before];
    if (subject === undefined) throw new Error(`Give a subject of ${before} for the page ${pattern}.`);
    return encodeURIComponent(String(subject));
  });
  return parts.join('/');
}

/** Who is signed in goes on from the doors, and a run that has ended leaves nothing to confirm. */
export const leadsElsewhere = (address: string): boolean =>
  address === '/sign-in' || address === '/choose-password' || /^\/runs\/\d+\/(approve|cancel)$/.test(address);

/** What people filter lists by, and the second page of each. */
const searches: Readonly<Record<string, readonly string[]>> = {
  '/campaigns': ['before={campaign}', 'name=filial', 'enabled=true'],
  '/runs': [
    'status=finished',
    'status=failed',
    'campaignId={campaign}',
    'regionId={region}',
    'customerTypeId={customerType}',
    'before={run}',
  ],
  '/runs/:id/messages': [
    'status=delivered',
    'status=failed',
    'status=failed&reason=number_invalid',
    'status=unknown',
    'status=undelivered',
    'status=skipped&reason=phone_missing',
    'phone={phone}',
    'after=1000',
  ],
  '/messages': [
    'phone={phone}',
    'phone={phone}&status=delivered',
    'phone={phone}&regionId={region}',
    'customerCode=C-1',
    'customerCode=C-1&customerTypeId={customerType}',
  ],
  '/replies': ['phone={phone}', 'effect=ticket', 'effect=opt_out', 'unmatched=true', 'campaignId={campaign}'],
  '/tickets': [
    'status=open',
    'status=finished',
    'text=maria',
    'text=zzz',
    'phone={phone}',
    'campaignId={campaign}',
    'departmentId={department}',
    'assigneeId={assignee}&status=open',
  ],
  '/customers': ['name=maria', 'name=zzz', 'phone={phone}', 'code=C-1'],
  '/opt-outs': ['phone={phone}', 'source=provider'],
  '/settings/audit': ['subjectKind=campaign', 'subjectKind=ticket_posting', 'before=1000'],
};

/** The queries of a page besides none. */
export function searchesOf(pattern: string, subjects: PageSubjects): string[] {
  const values: Readonly<Record<string, string | number | undefined>> = {
    campaign: subjects['/campaigns'],
    run: subjects['/runs'],
    phone: subjects['/phones'],
    region: subjects['/settings/regions'],
    customerType: subjects['/settings/customer-types'],
    department: subjects['/settings/departments'],
    assignee: subjects['/settings/assignees'],
  };
  return (searches[pattern] ?? []).map((query) =>
    query.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name]))),
  );
}
