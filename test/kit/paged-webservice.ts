import { json, numberedContacts, type startWebservice } from './webservice.ts';

type Webservice = Awaited<ReturnType<typeof startWebservice>>;

interface Page {
  /** The value of the page's parameter: a page number, an offset, or the digits of a cursor. */
  page: number;
  /** The number of records before this page. */
  from: number;
  records: object[];
  total: number;
  pages: number;
}
/** Writes one page of an answer. */
export type PageBody = (page: Page) => { body: unknown; headers?: Record<string, string> };

export interface PagedAnswer {
  total?: number;
  size?: number;
  /** The parameter that chooses the page: by default its number, counted from `first`. */
  param?: string;
  first?: number;
  isOffset?: boolean;
  isCursor?: boolean;
}

/** Answers with `total` records, `size` on each page, from now on. */
export function servePages(
  service: Webservice,
  body: PageBody,
  { total = 7, size = 3, param = 'page', first = 1, isOffset = false, isCursor = false }: PagedAnswer = {},
): void {
  service.requests.length = 0;
  service.answer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const page = Number((query.get(param) ?? String(isOffset || isCursor ? 0 : first)).replace('c', ''));
    const from = isOffset || isCursor ? page : (page - first) * size;
    const records = numberedContacts(from + 1, Math.max(0, Math.min(size, total - from)));
    const { body: content, headers } = body({ page, from, records, total, pages: Math.ceil(total / size) });
    json(content, headers)(request, response);
  });
}

/** The codes of `count` contacts that are numbered from 1. */
export const codesTo = (count: number): string[] =>
  numberedContacts(1, count).map(({ codigo }) => String(codigo));
