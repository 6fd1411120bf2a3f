import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { paging } from '../../domain/paging.ts';
import { fieldMap } from '../../domain/webservice.ts';
import { WebserviceRefused } from '../../mailing/refused.ts';
import { previewWebservice, type WebserviceLimits } from '../../mailing/webservice.ts';
import { json, readWebservice, startWebservice, webserviceDeps } from '../kit/webservice.ts';

/** Answers in pages: by links they are in webservice.test.ts. */
const service = await startWebservice(json([]));
afterAll(() => service.close());

type PagingInput = z.input<typeof paging>;
interface Choices {
  paging?: PagingInput;
  query?: string;
  limits?: Partial<WebserviceLimits>;
}
const requestOf = ({ paging: by = { by: 'links' }, query = '' }: Choices) => ({
  url: new URL(service.url + query),
  integration: null,
  webservice: { recordsPath: null, paging: paging.parse(by), fieldMap: fieldMap.parse({}) },
  extraFields: [],
  today: '2026-11-29',
  signal: new AbortController().signal,
});
async function codes(choices: Choices = {}): Promise<string[]> {
  const all: string[] = [];
  for await (const batch of readWebservice(webserviceDeps(choices.limits), requestOf(choices)))
    all.push(...batch.map((record) => (record.ok ? record.contact.code : record.problem.code)));
  return all;
}
async function refusal(choices: Choices = {}): Promise<{ code: string; message: string }> {
  const error: unknown = await codes(choices).catch((error: unknown) => error);
  if (!(error instanceof WebserviceRefused)) throw new Error(`It was read: ${String(error)}`);
  return { code: error.code, message: error.message };
}
const preview = async (choices: Choices = {}) =>
  previewWebservice(webserviceDeps(choices.limits), { ...requestOf(choices), count: 10 });

const people = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ codigo: from + index, celular: '11987654321' }));
const everyone = (count: number) => people(1, count).map(({ codigo }) => String(codigo));

type Page = { page: number; from: number; records: object[]; total: number; pages: number };
type Body = (page: Page, query: URLSearchParams) => { body: unknown; headers?: Record<string, string> };

/** Gives `total` records, `size` on each page, by the parameter of the page's number (from `first`) or of the offset. */
function serve(
  body: Body,
  { total = 7, size = 3, param = 'page', first = 1, isOffset = false, isCursor = false } = {},
): void {
  service.requests.length = 0;
  service.answer((request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    const given = Number((query.get(param) ?? String(isOffset || isCursor ? 0 : first)).replace('c', ''));
    const from = isOffset ? given : isCursor ? given : (given - first) * size;
    const records = people(from + 1, Math.max(0, Math.min(size, total - from)));
    const page: Page = { page: given, from, records, total, pages: Math.ceil(total / size) };
    const { body: content, headers = {} } = body(page, query);
    json(content, headers)(request, response);
  });
}

type Shape = readonly [
  name: string,
  body: Body,
  served: Parameters<typeof serve>[1],
  proposal: PagingInput,
  query?: string,
];

/** The shapes in use: what a service answers, where it begins, and what the test of the address proposes. */
const shapes: readonly Shape[] = [
  [
    'pagina and total_de_paginas',
    ({ page, pages, total, records }) => ({
      body: {
        pagina: page,
        total_de_paginas: pages,
        registros: records.length,
        total_de_registros: total,
        clientes: records,
      },
    }),
    { param: 'pagina' },
    { by: 'page', param: 'pagina', first: 1, end: { shown: 'total_pages', path: 'total_de_paginas' } },
  ],
  [
    'retorno with pagina and numero_paginas as texts',
    ({ page, pages, records }) => ({
      body: {
        retorno: { status: 'OK', pagina: String(page), numero_paginas: String(pages), contatos: records },
      },
    }),
    { param: 'pagina' },
    {
      by: 'page',
      param: 'pagina',
      first: 1,
      end: { shown: 'total_pages', path: 'retorno.numero_paginas' },
    },
  ],
  [
    'Spring: last, totalPages and number from 0',
    ({ page, pages, total, records }) => ({
      body: {
        content: records,
        pageable: { pageNumber: page, pageSize: 3, offset: page * 3 },
        totalPages: pages,
        totalElements: total,
        last: page + 1 === pages,
        size: 3,
        number: page,
        first: page === 0,
      },
    }),
    { param: 'page', first: 0 },
    { by: 'page', param: 'page', first: 0, end: { shown: 'is_last', path: 'last' } },
  ],
  [
    'Spring HATEOAS: page.totalPages and page.number',
    ({ page, pages, total, records }) => ({
      body: {
        _embedded: { clientes: records },
        page: { size: 3, totalElements: total, totalPages: pages, number: page },
      },
    }),
    { param: 'page', first: 0 },
    { by: 'page', param: 'page', first: 0, end: { shown: 'total_pages', path: 'page.totalPages' } },
  ],
  [
    'hasNext alone',
    ({ page, pages, records }) => ({ body: { items: records, hasNext: page < pages } }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'has_next', path: 'hasNext' } },
  ],
  [
    'hasNext and the parameter in the address',
    ({ page, pages, records }) => ({ body: { items: records, hasNext: page < pages } }),
    { param: 'pageNumber' },
    { by: 'page', param: 'pageNumber', first: 1, end: { shown: 'has_next', path: 'hasNext' } },
    '?pageNumber=1&size=3',
  ],
  [
    'temProximaPagina and paginaAtual',
    ({ page, pages, records }) => ({
      body: { dados: records, paginacao: { paginaAtual: page, temProximaPagina: page < pages } },
    }),
    { param: 'pagina' },
    {
      by: 'page',
      param: 'pagina',
      first: 1,
      end: { shown: 'has_next', path: 'paginacao.temProximaPagina' },
    },
  ],
  [
    'has_more and next_cursor',
    ({ from, total, records }) => {
      const next = from + 3 < total ? `c${from + 3}` : null;
      return { body: { data: records, has_more: next !== null, next_cursor: next } };
    },
    { param: 'cursor', isCursor: true },
    { by: 'cursor', param: 'cursor', path: 'next_cursor' },
  ],
  [
    'nextCursor in meta, left out at the end',
    ({ from, total, records }) => ({
      body: { data: records, meta: from + 3 < total ? { nextCursor: `c${from + 3}` } : {} },
    }),
    { param: 'cursor', isCursor: true },
    { by: 'cursor', param: 'cursor', path: 'meta.nextCursor' },
  ],
  [
    'nextPageToken',
    ({ from, total, records }) => ({
      body: { items: records, nextPageToken: from + 3 < total ? `c${from + 3}` : '' },
    }),
    { param: 'pageToken', isCursor: true },
    { by: 'cursor', param: 'pageToken', path: 'nextPageToken' },
  ],
  [
    'pageInfo with hasNextPage and endCursor',
    ({ from, total, records }) => ({
      body: { nodes: records, pageInfo: { hasNextPage: from + 3 < total, endCursor: `c${from + 3}` } },
    }),
    { param: 'after', isCursor: true },
    { by: 'cursor', param: 'after', path: 'pageInfo.endCursor' },
  ],
  [
    'the number of the next page',
    ({ page, pages, records }) => ({ body: { data: records, nextPage: page < pages ? page + 1 : null } }),
    {},
    { by: 'cursor', param: 'page', path: 'nextPage' },
  ],
  [
    'Airtable: an offset that is no number',
    ({ from, total, records }) => ({
      body: { records, ...(from + 3 < total ? { offset: `c${from + 3}` } : {}) },
    }),
    { param: 'offset', isCursor: true },
    { by: 'cursor', param: 'offset', path: 'offset' },
  ],
  [
    'Stripe: object, has_more, and the key of the last record',
    ({ from, total, records }) => ({
      body: {
        object: 'list',
        url: '/v1/customers',
        has_more: from + 3 < total,
        data: records.map((record, index) => ({ id: from + index + 1, ...record })),
      },
    }),
    { param: 'starting_after', isCursor: true },
    {
      by: 'last_record',
      param: 'starting_after',
      path: 'id',
      end: { shown: 'has_next', path: 'has_more' },
    },
  ],
  [
    'hasMore and the key of the last record as a parameter of the address',
    ({ from, total, records }) => ({
      body: {
        itens: records.map((record, index) => ({ id: `c${from + index + 1}`, ...record })),
        hasMore: from + 3 < total,
      },
    }),
    { param: 'sinceId', isCursor: true },
    { by: 'last_record', param: 'sinceId', path: 'id', end: { shown: 'has_next', path: 'hasMore' } },
    '?sinceId=0',
  ],
  [
    'HubSpot: paging.next.after, without its link',
    ({ from, total, records }) => ({
      body: {
        results: records,
        ...(from + 3 < total ? { paging: { next: { after: `c${from + 3}` } } } : {}),
      },
    }),
    { param: 'after', isCursor: true },
    { by: 'cursor', param: 'after', path: 'paging.next.after' },
  ],
  [
    'Pipedrive: additional_data.pagination',
    ({ from, total, records }) => ({
      body: {
        success: true,
        data: records,
        additional_data: {
          pagination: {
            start: from,
            limit: 3,
            more_items_in_collection: from + 3 < total,
            ...(from + 3 < total ? { next_start: from + 3 } : {}),
          },
        },
      },
    }),
    { param: 'start', isCursor: true },
    { by: 'cursor', param: 'start', path: 'additional_data.pagination.next_start' },
  ],
  [
    'Elasticsearch: hits.total.value',
    ({ total, records }) => ({ body: { hits: { total: { value: total, relation: 'eq' }, hits: records } } }),
    { param: 'from', isOffset: true },
    {
      by: 'offset',
      param: 'from',
      first: 0,
      size: null,
      end: { shown: 'total_records', path: 'hits.total.value' },
    },
    '?from=0&size=3',
  ],
  [
    'pages.total and pages.current',
    ({ page, pages, records }) => ({ body: { pages: { current: page, total: pages }, leads: records } }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'total_pages', path: 'pages.total' } },
  ],
  [
    'an array, with the headers of WordPress',
    ({ pages, total, records }) => ({
      body: records,
      headers: { 'x-wp-total': String(total), 'x-wp-totalpages': String(pages) },
    }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'total_pages', path: 'header:x-wp-totalpages' } },
  ],
  [
    'an array, with X-Pagination as ASP.NET has it',
    ({ page, pages, total, records }) => ({
      body: records,
      headers: {
        'x-pagination': JSON.stringify({
          TotalCount: total,
          PageSize: 3,
          CurrentPage: page,
          TotalPages: pages,
          HasNext: page < pages,
        }),
      },
    }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'has_next', path: 'header:x-pagination.HasNext' } },
  ],
  [
    'VTEX: REST-Content-Range, and the offset in the address',
    ({ from, total, records }) => ({
      body: records,
      headers: { 'rest-content-range': `resources ${from}-${from + records.length}/${total}` },
    }),
    { param: '_from', isOffset: true },
    {
      by: 'offset',
      param: '_from',
      first: 0,
      size: null,
      end: { shown: 'total_records', path: 'header:rest-content-range' },
    },
    '?_from=0&_to=2',
  ],
  [
    'total, limit and offset',
    ({ from, total, records }) => ({ body: { total, limit: 3, offset: from, results: records } }),
    { param: 'offset', isOffset: true },
    { by: 'offset', param: 'offset', first: 0, size: null, end: { shown: 'total_records', path: 'total' } },
  ],
  [
    'Jira: startAt, maxResults and total',
    ({ from, total, records }) => ({ body: { startAt: from, maxResults: 3, total, issues: records } }),
    { param: 'startAt', isOffset: true },
    {
      by: 'offset',
      param: 'startAt',
      first: 0,
      size: null,
      end: { shown: 'total_records', path: 'total' },
    },
  ],
  [
    'Laravel: current_page, last_page and total, without links',
    ({ page, pages, total, records }) => ({
      body: {
        success: true,
        data: { current_page: page, last_page: pages, per_page: 3, total, data: records },
      },
    }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'total_pages', path: 'data.last_page' } },
  ],
  [
    'per_page and total',
    ({ total, records }) => ({ body: { per_page: 3, total, data: records } }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'total_records', path: 'total' } },
  ],
  [
    'an array, with X-Total-Pages and X-Page as headers',
    ({ page, pages, records }) => ({
      body: records,
      headers: { 'x-total-pages': String(pages), 'x-page': String(page) },
    }),
    {},
    { by: 'page', param: 'page', first: 1, end: { shown: 'total_pages', path: 'header:x-total-pages' } },
  ],
  [
    'an array, with X-Total-Count and the offset in the address',
    ({ total, records }) => ({ body: records, headers: { 'x-total-count': String(total) } }),
    { param: '$skip', isOffset: true },
    {
      by: 'offset',
      param: '$skip',
      first: 0,
      size: null,
      end: { shown: 'total_records', path: 'header:x-total-count' },
    },
    '?$top=3&$skip=0',
  ],
  [
    'an array, with Content-Range and the limit in the address',
    ({ from, total, records }) => ({
      body: records,
      headers: { 'content-range': `${from}-${from + records.length - 1}/${total}` },
    }),
    { param: 'offset', isOffset: true },
    {
      by: 'offset',
      param: 'offset',
      first: 0,
      size: null,
      end: { shown: 'total_records', path: 'header:content-range' },
    },
    '?limit=3',
  ],
];

describe.each(shapes.map((shape) => [shape[0], shape] as const))('an answer with %s', (_, shape) => {
  const [, body, served, proposal, query = ''] = shape;
  test('is refused as long as nobody has said how its pages go; the test of the address proposes it', async () => {
    serve(body, served);
    const { code, message } = await refusal({ query });
    expect(code).toBe('more_pages');
    expect(message).toContain('shows more pages behind 3 contacts');
    expect(service.requests).toHaveLength(1);
    const { records, more, pages } = await preview({ query });
    expect(records).toHaveLength(3);
    expect(more).toBe(true);
    expect(pages?.proposed).toEqual(paging.parse(proposal));
  });

  test('is read as a whole as proposed, in as many requests as it has pages', async () => {
    serve(body, served);
    expect(await codes({ query, paging: proposal })).toEqual(everyone(7));
    expect(service.requests).toHaveLength(3);
  });

  test('of one page is whole, whatever is set', async () => {
    serve(body, { ...served, total: 3 });
    expect(await codes({ query })).toEqual(everyone(3));
    serve(body, { ...served, total: 2 });
    expect(await codes({ query, paging: proposal })).toEqual(everyone(2));
    expect((await preview({ query })).pages).toBeNull();
  });
});

test('an answer that is taken as whole is read once, whatever it shows', async () => {
  serve(({ page, pages, records }) => ({ body: { items: records, hasNext: page < pages, next: '/more' } }));
  expect(await codes({ paging: { by: 'none' } })).toEqual(everyone(3));
  expect(service.requests).toHaveLength(1);
});

test('what has the name of a sum elsewhere, or is no number of records, shows no pages', async () => {
  for (const beside of [
    { total: 1530.5 },
    { total: 'R$ 3.000,00' },
    { empresa: { total: 55, paginas: 9, hasNext: true } },
    { filtros: [{ total: 90 }] },
    { count: 2, total: 2, page: 1, totalPages: 1 },
    { next: null, count: 2 },
    { paging: { cursors: { after: 'abc' } } },
    { total: 2, hasNext: false, totalPages: 9 },
    { pagina: 1, limite: 100 },
  ]) {
    service.answer(json({ ...beside, clientes: people(1, 2) }));
    expect(await codes(), JSON.stringify(beside)).toEqual(['1', '2']);
  }
});

describe('a page that is as full as its address asks for, and shows nothing of pages', () => {
  const query = '?pagina=1&limite=3';
  const body: Body = ({ records }) => ({ body: { data: records } });

  test('is not taken for all; the test of the address proposes to read on until a page is empty', async () => {
    serve(body, { param: 'pagina' });
    expect(await refusal({ query })).toEqual({
      code: 'more_pages',
      message:
        'The answer of 127.0.0.1 shows more pages behind 3 contacts: its address asks for 3 (“limite”), and as many have come. Set under “Pages of the answer” how they are fetched (Test URL proposes it), or that one answer has all contacts.',
    });
    const end = { shown: 'empty' } as const;
    const proposal = { by: 'page', param: 'pagina', first: 1, end } as const;
    expect((await preview({ query })).pages?.proposed).toEqual(proposal);
    serve(body, { param: 'pagina' });
    expect(await codes({ query, paging: proposal })).toEqual(everyone(7));
  });

  test('is all where it is not full, or the answer says so', async () => {
    serve(body, { param: 'pagina', total: 2 });
    expect(await codes({ query })).toEqual(everyone(2));
    serve(({ records }) => ({ body: { data: records, total: 3 } }), { param: 'pagina', total: 3 });
    expect(await codes({ query })).toEqual(everyone(3));
    serve(body, { param: 'pagina', total: 3 });
    expect(await codes({ query, paging: { by: 'none' } })).toEqual(everyone(3));
  });
});

test('a link to the next page may be in an object beside its cursor', async () => {
  serve(
    ({ from, total, records }) => ({
      body: {
        results: records,
        ...(from + 3 < total
          ? { paging: { next: { after: `c${from + 3}`, link: `${service.url}?after=c${from + 3}` } } }
          : {}),
      },
    }),
    { param: 'after', isCursor: true },
  );
  expect(await codes()).toEqual(everyone(7));
});

test('the key of the last record is found on a page of many, with all its digits', async () => {
  const big = '98765432109876543210';
  service.requests.length = 0;
  service.answer((request, response) => {
    const isFirst = !(request.url ?? '').includes('after');
    const rows = isFirst ? people(1, 60) : people(61, 1);
    const key = (index: number) => (index === 59 ? big : String(index));
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        `{"data": [${rows.map(({ codigo }, index) => `{"chave": {"n": ${key(index)}}, "codigo": ${codigo}}`).join()}], "more": ${String(isFirst)}}`,
      );
  });
  const end = { shown: 'has_next', path: 'more' } as const;
  expect(await codes({ paging: { by: 'last_record', param: 'after', path: 'chave.n', end } })).toHaveLength(
    61,
  );
  expect(service.requests.map(({ url }) => url)).toEqual(['/contacts', `/contacts?after=${big}`]);
  expect(await refusal({ paging: { by: 'last_record', param: 'after', path: 'x', end } })).toMatchObject({
    code: 'page_attribute_missing',
  });
});

test('a first page that is empty, though there are records, is refused', async () => {
  service.answer(json({ total: 300, offset: 0, data: [] }));
  expect(await refusal()).toMatchObject({ code: 'more_pages' });
});

test('the parameter takes the place of the one in the address; others stay letter by letter', async () => {
  serve(({ records }) => ({ body: records }), { param: 'pagina' });
  const end = { shown: 'empty' } as const;
  await codes({ query: '?a=%20b+c&pagina=1&z=%C3%A9', paging: { by: 'page', param: 'pagina', end } });
  expect(service.requests.map(({ url }) => url)).toEqual(
    [1, 2, 3, 4].map((page) => `/contacts?a=%20b+c&pagina=${page}&z=%C3%A9`),
  );
  serve(({ records }) => ({ body: records }), { param: 'de', isOffset: true });
  const size = { param: 'até', records: 50 };
  await codes({ paging: { by: 'offset', param: 'de', size, end } });
  expect(service.requests.map(({ url }) => url)).toEqual(
    [0, 3, 6, 7].map((offset) => `/contacts?de=${offset}&at%C3%A9=50`),
  );
});

test('a cursor may need one for the first page, and may hold anything', async () => {
  const cursors = ['*', 'a/b+c==&x', 'ç?', null];
  service.requests.length = 0;
  service.answer((request, response) => {
    const at = cursors.indexOf(new URL(request.url ?? '', 'http://x').searchParams.get('cursorMark'));
    json({ docs: people(at * 2 + 1, 2), nextCursorMark: cursors[at + 1] })(request, response);
  });
  const by = { by: 'cursor', param: 'cursorMark', first: '*', path: 'nextCursorMark' } as const;
  expect(await codes({ paging: by })).toEqual(everyone(6));
});

describe('pages that never end', () => {
  const end = { shown: 'empty' } as const;
  test('because the service ignores the parameter are refused at the second', async () => {
    service.answer((_, response) => json({ quando: performance.now(), data: people(1, 3) })(_, response));
    expect(await refusal({ paging: { by: 'page', param: 'p', end } })).toEqual({
      code: 'page_repeated',
      message:
        'Page 2 of 127.0.0.1 is an earlier page again: it has the same contacts. Check the parameter under “Pages of the answer”, which the service may ignore.',
    });
  });

  test('because the cursor stays the same are refused; an empty last page that repeats it is the last', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: people((page += 1), 1), next_cursor: page === 1 ? 'a' : 'b' })(request, response),
    );
    const by = { by: 'cursor', param: 'cursor', path: 'next_cursor' } as const;
    expect(await refusal({ paging: by })).toMatchObject({
      code: 'page_repeated',
      message:
        'Page 4 of 127.0.0.1 is an earlier page again: the answer gives the same cursor twice. Check the attribute under “Pages of the answer”.',
    });
    page = 0;
    service.answer((request, response) =>
      json({ data: people((page += 1), page < 3 ? 1 : 0), next_cursor: page === 1 ? 'a' : 'b' })(
        request,
        response,
      ),
    );
    expect(await codes({ paging: by })).toEqual(['1', '2']);
  });

  test('because there is always another one are followed only so far, in number and in time', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: people((page += 1), 1), hasNext: true })(request, response),
    );
    const by = { by: 'page', param: 'page', end: { shown: 'has_next', path: 'hasNext' } } as const;
    expect(await refusal({ paging: by, limits: { pages: 5 } })).toMatchObject({ code: 'too_many_pages' });
    expect(await refusal({ paging: by, limits: { totalMs: 300 } })).toMatchObject({ code: 'takes_too_long' });
  });
});

describe('an empty page', () => {
  test('ends the reading where the answer only says that there is another one', async () => {
    serve(({ records }) => ({ body: { data: records, hasNext: true } }));
    const end = { shown: 'has_next', path: 'hasNext' } as const;
    expect(await codes({ paging: { by: 'page', param: 'page', end } })).toEqual(everyone(7));
  });

  test('is refused where the answer counts more records than have come', async () => {
    serve(({ records }) => ({ body: { data: records, total: 12 } }));
    const end = { shown: 'total_records', path: 'total' } as const;
    expect(await refusal({ paging: { by: 'page', param: 'page', end } })).toEqual({
      code: 'pages_incomplete',
      message:
        'Page 4 of 127.0.0.1 is empty after 7 contacts, although “total” is 12. If an empty page is the end, set under “Pages of the answer” that the reading ends there.',
    });
    expect(await codes({ paging: { by: 'page', param: 'page', end: { shown: 'empty' } } })).toEqual(
      everyone(7),
    );
  });
});

test('an attribute that the answer does not have, or that is no number, is named', async () => {
  serve(({ records }) => ({ body: { data: records, paginas: 'muitas' } }));
  for (const [shown, path] of [
    ['has_next', 'temMais'],
    ['is_last', 'ultima'],
    ['total_pages', 'paginas'],
    ['total_records', 'header:x-total'],
  ] as const) {
    const end = { shown, path };
    expect(await refusal({ paging: { by: 'page', param: 'page', end } })).toEqual({
      code: 'page_attribute_missing',
      message: `The answer of 127.0.0.1 has no usable value at “${path}”, where the campaign expects to read whether there are more pages. Correct “Pages of the answer”; Test URL proposes it.`,
    });
  }
});

test('a cursor that is looked for in the wrong place is no end, when the answer shows another one', async () => {
  serve(({ records }) => ({ body: { data: records, meta: { next_cursor: 'c3' } } }));
  expect(await refusal({ paging: { by: 'cursor', param: 'c', path: 'next_cursor' } })).toMatchObject({
    code: 'more_pages',
  });
});

test('the test of an address with settings looks at its pages as a run does, and no further than it shows', async () => {
  serve(({ page, pages, records }) => ({ body: { items: records, hasNext: page < pages } }), { total: 30 });
  const end = { shown: 'has_next', path: 'hasNext' } as const;
  const { records, more, pages } = await preview({ paging: { by: 'page', param: 'page', end } });
  expect(records).toHaveLength(10);
  expect({ more, pages }).toEqual({ more: true, pages: null });
  expect(service.requests).toHaveLength(4);
});

test('whatever the number of records, their pages, and how they are told, each comes once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom('has_next', 'is_last', 'total_pages', 'total_records', 'empty', 'cursor'),
      fc.constantFrom('page', 'offset'),
      fc.nat(1),
      async (total, size, shown, by, first) => {
        const isCursor = shown === 'cursor';
        const isOffset = by === 'offset' && !isCursor;
        serve(
          ({ from, total, pages, records }) => {
            const isLast = from + size >= total;
            return {
              body: {
                d: { list: records },
                n: { has_next: !isLast, is_last: isLast, total_pages: pages, total_records: total },
                c: isLast ? null : `c${from + size}`,
              },
            };
          },
          { total, size, param: 'p', first, isOffset, isCursor },
        );
        const end =
          shown === 'empty' || shown === 'cursor'
            ? { shown: 'empty' as const }
            : { shown, path: `n.${shown}` };
        const set: PagingInput = isCursor
          ? { by: 'cursor', param: 'p', path: 'c' }
          : isOffset
            ? { by: 'offset', param: 'p', end: shown === 'total_pages' ? { shown: 'empty' } : end }
            : { by: 'page', param: 'p', first, end };
        expect(await codes({ paging: set })).toEqual(everyone(total));
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
