import { type AnswerAttribute, isPageName, type PageFacts } from '../domain/page-signs.ts';
import { foldAttribute } from '../domain/webservice.ts';
import {
  answerErrorOf,
  type AnswerValue,
  elementError,
  failureMessageOf,
  isAsideList,
  messageOf,
  reportsError,
  withoutPersonalData,
} from './answer-error.ts';
import { isLinksPath, nextLinkOf, relNext } from './next-link.ts';
import { WebserviceRefused } from './refused.ts';

/** The maximum number of values kept beside the records of one answer. */
const mostValues = 200;
const mostAsides = 5;
const longestText = 1000;
const longestCursor = 8000;

/** Objects that describe the answer, besides those that contain its records. */
const containers: ReadonlySet<string> = new Set([
  ...[
    'links',
    'paging',
    'pagination',
    'meta',
    'page',
    'd',
    'pageinfo',
    'pager',
    'metadata',
    'responsemetadata',
  ],
  ...['cursors', 'info', 'resultinfo', 'paginacao', 'pagina', 'cabecalho', 'header', 'pageable', 'status'],
]);

/** Objects that describe paging, anywhere: Pipedrive's `additional_data.pagination`. */
const pageContainers: ReadonlySet<string> = new Set(
  'paging pagination pageinfo pager paginacao cursors resultinfo responsemetadata'.split(' '),
);

/** The values of an answer beside its records: its next page, whether there are more, whether it is an error. */
export class Envelope {
  readonly #host: string;
  readonly #wanted: ReadonlySet<string>;
  readonly #attributes: (AnswerAttribute & { above: readonly string[] })[] = [];
  readonly #values: AnswerValue[] = [];
  readonly #links: { above: readonly string[]; link: string }[] = [];
  #asides = 0;
  #recordsAt: readonly string[] | null = null;
  #emptyAt: readonly string[] | null = null;

  /** `wanted`: paths that the campaign names. */
  constructor({ host, wanted }: { host: string; wanted: ReadonlySet<string> }) {
    this.#host = host;
    this.#wanted = wanted;
  }

  /** A text, number, boolean or null under objects. */
  take(keys: readonly string[], value: unknown): void {
    const link = nextLinkOf(keys, value);
    if (link !== null) this.#links.push(link);
    const path = keys.join('.');
    const { name, above } = nameOf(keys);
    if (this.#wanted.has(path) || (isPageName(name) && this.#attributes.length < mostValues)) {
      const attribute = attributeOf(value, this.#wanted.has(path) ? longestCursor : longestText);
      if (attribute !== undefined) this.#attributes.push({ above, path, name, value: attribute });
    }
    this.#keep(keys, value);
  }

  /** Whether a list at these keys contains no contacts, unless the campaign names it: links, errors, column names. */
  isAside(keys: readonly string[]): boolean {
    return isLinksPath(keys) || isAsideList(keys);
  }

  /** An element of such a list. */
  takeAside(keys: readonly string[], element: unknown): void {
    const link = isLinksPath(keys) ? relNext(element) : null;
    if (link !== null) this.#links.push({ above: keys.slice(0, -1), link });
    // Each may be as large as a record.
    if (!isLinksPath(keys) && this.#asides++ < mostAsides) this.#keep(keys, element);
  }

  listOfRecords(keys: readonly string[]): void {
    this.#recordsAt = [...keys];
  }

  emptyList(keys: readonly string[]): void {
    this.#emptyAt ??= [...keys];
  }

  /** @throws {WebserviceRefused} if it is an error and not a contact */
  requireContact(first: unknown): void {
    const words = elementError(first);
    if (words !== null) throw this.#error({ path: '', words });
  }

  /** @throws {WebserviceRefused} if an answer reports an error, or has a message instead of a list */
  requireWell({ records, hasList }: { records: number; hasList: boolean }): void {
    const isOfAnswer = (parents: readonly string[]): boolean => this.#isOfAnswer(parents);
    const error = answerErrorOf(this.#values, { records, isOfAnswer });
    if (error !== null) throw this.#error(error);
    const message = hasList
      ? records === 0
        ? failureMessageOf(this.#values)
        : null
      : messageOf(this.#values);
    if (message !== null) {
      throw WebserviceRefused.of({
        code: 'service_error',
        params: { host: this.#host, path: null, words: withoutPersonalData(message) },
      });
    }
  }

  /** The next page in the body: an address, or a relative one. The last one, if there are several. */
  get nextLink(): string | null {
    return this.#links.findLast(({ above }) => this.#isOfAnswer(above))?.link ?? null;
  }

  facts(records: number): PageFacts {
    return {
      attributes: this.#attributes
        .filter(
          ({ above, path }) =>
            this.#wanted.has(path) ||
            this.#isOfAnswer(above) ||
            pageContainers.has(foldAttribute(above.at(-1) ?? '')),
        )
        .map(({ path, name, value }) => ({ path, name, value })),
      records,
    };
  }

  #error({ path, words }: { path: string; words: string | null }): WebserviceRefused {
    const params = { host: this.#host, path, words: words === null ? null : withoutPersonalData(words) };
    return WebserviceRefused.of({ code: 'service_error', params });
  }

  #keep(keys: readonly string[], value: unknown): void {
    if (this.#values.length >= mostValues || !reportsError(keys)) return;
    const kept = typeof value === 'string' ? value.slice(0, longestText) : value;
    this.#values.push({ keys: [...keys], value: kept });
  }

  /** Whether the object at these keys contains the records, or describes the answer inside such an object. */
  #isOfAnswer(parents: readonly string[]): boolean {
    const toRecords = (this.#recordsAt ?? this.#emptyAt ?? []).slice(0, -1);
    let at = 0;
    while (at < parents.length && parents[at] === toRecords[at]) at++;
    return parents.slice(at).every((key) => containers.has(foldAttribute(key)));
  }
}

/**
 * The name of an attribute that may describe paging, and the keys above it. `next.after`, `pages.total` and
 * `total.value` are names in two parts.
 */
function nameOf(keys: readonly string[]): { name: string; above: readonly string[] } {
  const name = keys.at(-1) ?? '';
  const parent = keys.at(-2);
  if (parent !== undefined && !containers.has(foldAttribute(parent)) && isPageName(`${parent}_${name}`))
    return { name: `${parent}_${name}`, above: keys.slice(0, -2) };
  return { name, above: keys.slice(0, -1) };
}

function attributeOf(value: unknown, longest: number): AnswerAttribute['value'] | undefined {
  if (typeof value === 'string') return value.length > longest ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}
