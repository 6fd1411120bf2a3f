import type { z } from 'zod';
import type { paging } from '../../domain/paging.ts';
import type { PageBody, PagedAnswer } from './paged-webservice.ts';

type PagingShape = readonly [
  name: string,
  body: PageBody,
  answer: PagedAnswer,
  proposal: z.input<typeof paging>,
  query?: string,
];

/** How services in use divide an answer into pages, and the settings that Test URL proposes for each. */
export const pagingShapes: readonly PagingShape[] = [
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
    'retorno with pagina and numero_paginas as strings',
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
    'nextCursor in meta, omitted at the end',
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
    'Airtable: an offset that is not a number',
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
    'an array, with the X-Pagination header of ASP.NET',
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
