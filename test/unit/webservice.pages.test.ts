import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { paging } from '../../domain/paging.ts';
import { previewWebservice } from '../../mailing/webservice.ts';
import { codesTo, type PageBody, servePages } from '../kit/paged-webservice.ts';
import { pagingShapes } from '../kit/paging-shapes.ts';
import {
  createWebserviceReader,
  json,
  numberedContacts,
  type ReadOptions,
  startWebservice,
  webserviceDeps,
} from '../kit/webservice.ts';

/** Answers in pages that are fetched by a parameter; webservice.links.test.ts has those that link to the next page. */
const service = await startWebservice(json([]));
afterAll(() => service.close());
const { codes, refusal, requestOf } = createWebserviceReader(service);
const preview = (options: ReadOptions = {}) =>
  previewWebservice(webserviceDeps(options.limits), { ...requestOf(options), count: 10 });

describe.each(pagingShapes.map((shape) => [shape[0], shape] as const))('an answer with %s', (_, shape) => {
  const [, body, served, proposal, query = ''] = shape;
  test('is refused without page settings, and Test URL proposes them', async () => {
    servePages(service, body, served);
    const { code, message } = await refusal({ query });
    expect(code).toBe('more_pages');
    expect(message).toContain('shows more pages after 3 contacts');
    expect(service.requests).toHaveLength(1);
    const { records, more, pages } = await preview({ query });
    expect(records).toHaveLength(3);
    expect(more).toBe(true);
    expect(pages?.proposed).toEqual(paging.parse(proposal));
  });

  test('is read completely with the proposed settings, in one request for each page', async () => {
    servePages(service, body, served);
    expect(await codes({ query, paging: proposal })).toEqual(codesTo(7));
    expect(service.requests).toHaveLength(3);
  });

  test('is complete with and without page settings when it has one page', async () => {
    servePages(service, body, { ...served, total: 3 });
    expect(await codes({ query })).toEqual(codesTo(3));
    servePages(service, body, { ...served, total: 2 });
    expect(await codes({ query, paging: proposal })).toEqual(codesTo(2));
    expect((await preview({ query })).pages).toBeNull();
  });
});

test('an answer that the campaign declares complete is fetched once, even if it shows more pages', async () => {
  servePages(service, ({ page, pages, records }) => ({
    body: { items: records, hasNext: page < pages, next: '/more' },
  }));
  expect(await codes({ paging: { by: 'none' } })).toEqual(codesTo(3));
  expect(service.requests).toHaveLength(1);
});

test('totals that do not count the records show no further pages', async () => {
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
    service.answer(json({ ...beside, clientes: numberedContacts(1, 2) }));
    expect(await codes(), JSON.stringify(beside)).toEqual(['1', '2']);
  }
});

describe('a page that has as many records as its address requests, and no page attributes', () => {
  const query = '?pagina=1&limite=3';
  const body: PageBody = ({ records }) => ({ body: { data: records } });

  test('is refused, and Test URL proposes to read until a page is empty', async () => {
    servePages(service, body, { param: 'pagina' });
    expect(await refusal({ query })).toMatchObject({
      code: 'more_pages',
      message:
        'The answer of 127.0.0.1 shows more pages after 3 contacts: its address requests 3 (“limite”), and it has as many. Set under “Pages of the response” how they are fetched (Test URL suggests it), or that one answer has all contacts.',
    });
    const end = { shown: 'empty' } as const;
    const proposal = { by: 'page', param: 'pagina', first: 1, end } as const;
    expect((await preview({ query })).pages?.proposed).toEqual(proposal);
    servePages(service, body, { param: 'pagina' });
    expect(await codes({ query, paging: proposal })).toEqual(codesTo(7));
  });

  test('is complete when it has fewer records, or when the answer or the campaign declares it complete', async () => {
    servePages(service, body, { param: 'pagina', total: 2 });
    expect(await codes({ query })).toEqual(codesTo(2));
    servePages(service, ({ records }) => ({ body: { data: records, total: 3 } }), {
      param: 'pagina',
      total: 3,
    });
    expect(await codes({ query })).toEqual(codesTo(3));
    servePages(service, body, { param: 'pagina', total: 3 });
    expect(await codes({ query, paging: { by: 'none' } })).toEqual(codesTo(3));
  });
});

test('a link to the next page is found in an object beside its cursor', async () => {
  servePages(
    service,
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
  expect(await codes()).toEqual(codesTo(7));
});

test('the key of the last record keeps all its digits, also on a page of 60 records', async () => {
  const big = '98765432109876543210';
  service.requests.length = 0;
  service.answer((request, response) => {
    const isFirst = !(request.url ?? '').includes('after');
    const rows = isFirst ? numberedContacts(1, 60) : numberedContacts(61, 1);
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

test('an empty first page is refused when the answer counts records', async () => {
  service.answer(json({ total: 300, offset: 0, data: [] }));
  expect(await refusal()).toMatchObject({ code: 'more_pages' });
});

test('the page parameter replaces the one in the address, and the other parameters stay unchanged', async () => {
  servePages(service, ({ records }) => ({ body: records }), { param: 'pagina' });
  const end = { shown: 'empty' } as const;
  await codes({ query: '?a=%20b+c&pagina=1&z=%C3%A9', paging: { by: 'page', param: 'pagina', end } });
  expect(service.requests.map(({ url }) => url)).toEqual(
    [1, 2, 3, 4].map((page) => `/contacts?a=%20b+c&pagina=${page}&z=%C3%A9`),
  );
  servePages(service, ({ records }) => ({ body: records }), { param: 'de', isOffset: true });
  const size = { param: 'até', records: 50 };
  await codes({ paging: { by: 'offset', param: 'de', size, end } });
  expect(service.requests.map(({ url }) => url)).toEqual(
    [0, 3, 6, 7].map((offset) => `/contacts?de=${offset}&at%C3%A9=50`),
  );
});

test('a cursor can have an initial value and any characters', async () => {
  const cursors = ['*', 'a/b+c==&x', 'ç?', null];
  service.requests.length = 0;
  service.answer((request, response) => {
    const at = cursors.indexOf(new URL(request.url ?? '', 'http://x').searchParams.get('cursorMark'));
    json({ docs: numberedContacts(at * 2 + 1, 2), nextCursorMark: cursors[at + 1] })(request, response);
  });
  const by = { by: 'cursor', param: 'cursorMark', first: '*', path: 'nextCursorMark' } as const;
  expect(await codes({ paging: by })).toEqual(codesTo(6));
});

describe('pages that never end', () => {
  const end = { shown: 'empty' } as const;
  test('are refused at the second page when the service ignores the parameter', async () => {
    service.answer((_, response) =>
      json({ quando: performance.now(), data: numberedContacts(1, 3) })(_, response),
    );
    expect(await refusal({ paging: { by: 'page', param: 'p', end } })).toMatchObject({
      code: 'page_repeated',
      message:
        'Page 2 of 127.0.0.1 repeats an earlier page: it has the same contacts. Check the parameter under “Pages of the response”, which the service may ignore.',
    });
  });

  test('are refused when the cursor repeats; an empty page that repeats it is the last', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: numberedContacts((page += 1), 1), next_cursor: page === 1 ? 'a' : 'b' })(
        request,
        response,
      ),
    );
    const by = { by: 'cursor', param: 'cursor', path: 'next_cursor' } as const;
    expect(await refusal({ paging: by })).toMatchObject({
      code: 'page_repeated',
      message:
        'Page 4 of 127.0.0.1 repeats an earlier page: the answer gives the same cursor twice. Check the attribute under “Pages of the response”.',
    });
    page = 0;
    service.answer((request, response) =>
      json({ data: numberedContacts((page += 1), page < 3 ? 1 : 0), next_cursor: page === 1 ? 'a' : 'b' })(
        request,
        response,
      ),
    );
    expect(await codes({ paging: by })).toEqual(['1', '2']);
  });

  test('are followed up to the limits of pages and time', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: numberedContacts((page += 1), 1), hasNext: true })(request, response),
    );
    const by = { by: 'page', param: 'page', end: { shown: 'has_next', path: 'hasNext' } } as const;
    expect(await refusal({ paging: by, limits: { pages: 5 } })).toMatchObject({ code: 'too_many_pages' });
    expect(await refusal({ paging: by, limits: { totalMs: 300 } })).toMatchObject({ code: 'takes_too_long' });
  });
});

describe('an empty page', () => {
  test('is the last page when the answer shows only that there are more', async () => {
    servePages(service, ({ records }) => ({ body: { data: records, hasNext: true } }));
    const end = { shown: 'has_next', path: 'hasNext' } as const;
    expect(await codes({ paging: { by: 'page', param: 'page', end } })).toEqual(codesTo(7));
  });

  test('is refused when the answer counts more records than were read', async () => {
    servePages(service, ({ records }) => ({ body: { data: records, total: 12 } }));
    const end = { shown: 'total_records', path: 'total' } as const;
    expect(await refusal({ paging: { by: 'page', param: 'page', end } })).toMatchObject({
      code: 'pages_incomplete',
      message:
        'Page 4 of 127.0.0.1 is empty after 7 contacts, although “total” is 12. If an empty page is the end, set under “Pages of the response” that the reading ends there.',
    });
    expect(await codes({ paging: { by: 'page', param: 'page', end: { shown: 'empty' } } })).toEqual(
      codesTo(7),
    );
  });
});

test('a configured attribute that is missing or not a number is named in the refusal', async () => {
  servePages(service, ({ records }) => ({ body: { data: records, paginas: 'muitas' } }));
  for (const [shown, path] of [
    ['has_next', 'temMais'],
    ['is_last', 'ultima'],
    ['total_pages', 'paginas'],
    ['total_records', 'header:x-total'],
  ] as const) {
    const end = { shown, path };
    expect(await refusal({ paging: { by: 'page', param: 'page', end } })).toMatchObject({
      code: 'page_attribute_missing',
      message: `The answer of 127.0.0.1 has no usable value at “${path}”, where the campaign expects to read whether there are more pages. Correct “Pages of the response”; Test URL suggests it.`,
    });
  }
});

test('a cursor that is missing at the configured path is not the end when the answer has another cursor', async () => {
  servePages(service, ({ records }) => ({ body: { data: records, meta: { next_cursor: 'c3' } } }));
  expect(await refusal({ paging: { by: 'cursor', param: 'c', path: 'next_cursor' } })).toMatchObject({
    code: 'more_pages',
  });
});

test('Test URL fetches pages by the configured settings, and only as many as it shows', async () => {
  servePages(service, ({ page, pages, records }) => ({ body: { items: records, hasNext: page < pages } }), {
    total: 30,
  });
  const end = { shown: 'has_next', path: 'hasNext' } as const;
  const { records, more, pages } = await preview({ paging: { by: 'page', param: 'page', end } });
  expect(records).toHaveLength(10);
  expect({ more, pages }).toEqual({ more: true, pages: null });
  expect(service.requests).toHaveLength(4);
});

test('every record is read once, for any number of records, page size and page settings', async () => {
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
        servePages(
          service,
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
        const set: z.input<typeof paging> = isCursor
          ? { by: 'cursor', param: 'p', path: 'c' }
          : isOffset
            ? { by: 'offset', param: 'p', end: shown === 'total_pages' ? { shown: 'empty' } : end }
            : { by: 'page', param: 'p', first, end };
        expect(await codes({ paging: set })).toEqual(codesTo(total));
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);
