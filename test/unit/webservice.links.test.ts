import { afterAll, describe, expect, test } from 'vitest';
import { createWebserviceReader, json, numberedContacts, startWebservice } from '../kit/webservice.ts';

const service = await startWebservice(json([]));
afterAll(() => service.close());
const { codes, refusal } = createWebserviceReader(service);

describe('linked pages', () => {
  /** Three pages of two records; `link` writes how a page links to the next. */
  const paged =
    (
      link: (next: string | null) => { body?: object; header?: string },
    ): Parameters<typeof service.answer>[0] =>
    (request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      const { body, header } = link(page < 3 ? `/contacts?page=${page + 1}` : null);
      response
        .writeHead(200, {
          'content-type': 'application/json',
          ...(header === undefined ? {} : { link: header }),
        })
        .end(JSON.stringify({ data: numberedContacts(page * 10, 2), ...body }));
    };

  test.each([
    ['next', (next: string | null) => ({ body: { next } })],
    ['links.next', (next: string | null) => ({ body: { links: { self: 'x', next } } })],
    [
      '_links.next.href',
      (next: string | null) => ({ body: { _links: next === null ? {} : { next: { href: next } } } }),
    ],
    [
      '@odata.nextLink',
      (next: string | null) => ({ body: next === null ? {} : { '@odata.nextLink': next } }),
    ],
    [
      'meta.pagination.next_page_url',
      (next: string | null) => ({ body: { meta: { pagination: { next_page_url: next } } } }),
    ],
    ['d.__next', (next: string | null) => ({ body: { d: { __next: next } } })],
    [
      'an array of links',
      (next: string | null) => ({
        body: {
          links: [
            { rel: 'self', href: '/contacts' },
            ...(next === null ? [] : [{ rel: 'next', href: next }]),
          ],
        },
      }),
    ],
    [
      'the Link header',
      (next: string | null) => ({
        header:
          next === null
            ? '</contacts>; rel="first"'
            : `</contacts>; rel="first", <${next}>; title="a, b"; rel="last next"`,
      }),
    ],
  ])('are followed by %s', async (_, link) => {
    service.answer(paged(link));
    expect(await codes()).toEqual(['10', '11', '20', '21', '30', '31']);
  });

  test('are refused when the next one is not given as an address, because contacts would be missing', async () => {
    for (const [next, reason] of [
      [2, '“next” has a value'],
      ['eyJpZCI6MTB9', '“next” has a value'],
      [true, '“next” is true'],
    ]) {
      service.answer(json({ data: numberedContacts(1, 2), next }));
      expect(await refusal()).toMatchObject({
        code: 'more_pages',
        message: `The answer of 127.0.0.1 shows more pages after 2 contacts: ${String(reason)}. Set under “Pages of the response” how they are fetched (Test URL suggests it), or that one answer has all contacts.`,
      });
    }
    service.answer(json({ data: numberedContacts(1, 1), next: 'ftp://files/x' }));
    expect(await refusal()).toMatchObject({ code: 'next_page_unreadable' });
  });

  test('are refused when the links form a circle; a page that links to itself is the last', async () => {
    service.answer((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      json({ data: numberedContacts(page, 1), next: `/contacts?page=${page === 3 ? 2 : page + 1}` })(
        request,
        response,
      );
    });
    expect(await refusal()).toMatchObject({
      code: 'page_repeated',
      message: 'Page 4 of 127.0.0.1 repeats an earlier page: its links to the next page form a loop.',
    });
    service.answer((request, response) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      json({ data: numberedContacts(page, 1), next: `/contacts?page=${Math.min(page + 1, 3)}` })(
        request,
        response,
      );
    });
    expect(await codes()).toEqual(['1', '2', '3']);
  });

  test('are followed up to the maximum number of pages', async () => {
    let page = 0;
    service.answer((request, response) =>
      json({ data: numberedContacts(page, 1), next: `/contacts?page=${++page}` })(request, response),
    );
    expect(await refusal({ limits: { pages: 5 } })).toMatchObject({
      code: 'too_many_pages',
      message: '127.0.0.1 has more than 5 pages, the maximum. Request more records on each page.',
    });
  });
});
