import type { FastifyInstance, RouteOptions } from 'fastify';

/**
 * Values for the parameters of page patterns, by the path before the parameter: with `{ '/campaigns': 7 }` the address
 * of `/campaigns/:id/message` is `/campaigns/7/message`.
 */
export type PageSubjects = Readonly<Record<string, string | number>>;

/** Collects the patterns of the console's pages without fragments. Call it before the console is registered. */
export function collectPages(app: FastifyInstance): string[] {
  const pages: string[] = [];
  app.addHook('onRoute', ({ method, url, config }: RouteOptions): void => {
    const isPage = method === 'GET' && config?.fragment !== true && !url.startsWith('/assets/');
    if (isPage) pages.push(url);
  });
  return pages;
}

/** Returns the address of a page. Throws when a subject is missing. */
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

/** The sign-in pages redirect a signed-in user, and the confirmations of an ended run redirect to it. */
export const redirects = (address: string): boolean =>
  address === '/sign-in' || address === '/choose-password' || /^\/runs\/\d+\/(approve|cancel)$/.test(address);

/** Settings with a name only use the same pages as regions, so tests in a browser skip them. */
export const coveredByRegions = (pattern: string): boolean =>
  /^\/settings\/(customer-types|departments|assignees|categories|resolutions)(\/|$)/.test(pattern);

/** Common filters of the lists, and the second page of each. */
const searches: Readonly<Record<string, readonly string[]>> = {
  '/campaigns': ['before={campaign}', 'name=filial', 'state=disabled', 'state=draft', 'state=archived'],
  '/runs': [
    'status=finished',
    'status=failed',
    'campaignId={campaign}',
    'regionId={region}',
    'customerTypeId={customerType}',
    'before={run}',
    'day=2026-11-20',
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
    'text=zzz',
  ],
  '/messages': [
    'phone={phone}',
    'phone={phone}&status=delivered',
    'phone={phone}&regionId={region}',
    'customerCode=C-1',
    'phone=900000002',
    'phone={phone}&text=pedido',
    'campaignId={campaign}',
    'campaignId={campaign}&status=failed',
    'day=2026-11-20',
    'day=2026-11-20&text=pedido',
    'customerCode=C-1&customerTypeId={customerType}',
  ],
  '/replies': [
    'phone={phone}',
    'effect=ticket',
    'effect=opt_out',
    'effect=probable_opt_out',
    'unmatched=true',
    'campaignId={campaign}',
  ],
  '/tickets': [
    'view=mine',
    'view=unanswered',
    'view=overdue',
    'view=open',
    'view=all',
    'view=unanswered&before={ticket}',
    'view=open&departmentId={department}',
    'userId=1',
    'status=open',
    'status=finished',
    'text=maria',
    'text=zzz',
    'phone={phone}',
    'campaignId={campaign}',
    'departmentId={department}',
    'assigneeId={assignee}&status=open',
  ],
  '/reports': [
    'by=day&period=this_year',
    'by=month&from=2025-01-15&to=2026-12-20',
    'by=hour&regionId={region}',
    'by=hour&campaignId={campaign}',
    'by=reason',
    'by=reason&campaignId={campaign}&period=last_90',
    'by=provider&customerTypeId={customerType}&period=last_month',
  ],
  '/customers': ['name=maria', 'phone=900000002', 'name=zzz', 'phone={phone}', 'code=C-1'],
  '/search': ['q=maria', 'q=zzz', 'q=900000002', 'q={run}', 'q=filial'],
  '/opt-outs': ['phone={phone}', 'source=provider'],
  '/settings/audit': [
    'actor=user%3A1',
    'actor=system',
    'day=2026-11-20',
    'subjectKind=campaign',
    'subjectKind=ticket_posting',
    'before=1000',
  ],
};

/** Returns the query strings of a page. */
export function searchesOf(pattern: string, subjects: PageSubjects): string[] {
  const values: Readonly<Record<string, string | number | undefined>> = {
    campaign: subjects['/campaigns'],
    run: subjects['/runs'],
    ticket: subjects['/tickets'],
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
