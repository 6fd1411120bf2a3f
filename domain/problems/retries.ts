import { z } from 'zod';
import type { Format } from '../format.ts';
import { type ParamsOf, type Sentence, sentence, wordsOf } from './sentence.ts';

/** Why a web service gives no mailing now, and may give one later. */
export const passingWebserviceProblems = [
  'dns_failed',
  'connection_refused',
  'connection_failed',
  'connection_lost',
  'timed_out',
  'server_error',
  'too_many_requests',
] as const;
export type PassingWebserviceProblem = (typeof passingWebserviceProblems)[number];

const webserviceWords: Record<'en' | 'pt-BR', Record<PassingWebserviceProblem, string>> = {
  en: {
    dns_failed: 'the host name of the web service cannot be found (DNS)',
    connection_refused: 'the web service refuses the connection',
    connection_failed: 'the web service cannot be reached',
    connection_lost: 'the connection to the web service broke',
    timed_out: 'the web service does not answer in time',
    server_error: 'the web service answers with an error of its own (5xx)',
    too_many_requests: 'the web service asks for fewer requests (429)',
  },
  'pt-BR': {
    dns_failed: 'o endereço do webservice não foi encontrado (DNS)',
    connection_refused: 'o webservice recusa a conexão',
    connection_failed: 'não foi possível chegar ao webservice',
    connection_lost: 'a conexão com o webservice caiu',
    timed_out: 'o webservice não responde a tempo',
    server_error: 'o webservice responde com um erro interno (5xx)',
    too_many_requests: 'o webservice pede menos requisições (429)',
  },
};

/**
 * Why an activity failed and is tried again, as what follows "because". Codes and numbers only: the text of an error may
 * quote a phone, a name or a secret, and stays in the log.
 */
export const retryCauseSentences = {
  /** Most sends fail. */
  provider_unavailable: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider takes no messages (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS não aceita mensagens (${providerCode})`,
    },
  ),
  /** It answers, and asks for pauses (429, 503 with Retry-After) instead of taking messages. */
  provider_pauses: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider asks to wait (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS pede para esperar (${providerCode})`,
    },
  ),
  message_not_taken: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider did not take a message (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS não aceitou uma mensagem (${providerCode})`,
    },
  ),
  webservice_unavailable: sentence(
    { problem: z.enum(passingWebserviceProblems) },
    {
      en: ({ problem }) => webserviceWords.en[problem],
      'pt-BR': ({ problem }) => webserviceWords['pt-BR'][problem],
    },
  ),
  /** `status`: of its HTTP answer; null: no answer. */
  helpdesk_unavailable: sentence(
    { status: z.int().nullable() },
    {
      en: ({ status }) =>
        status === null ? 'the helpdesk does not answer' : `the helpdesk answers with the status ${status}`,
      'pt-BR': ({ status }) =>
        status === null ? 'o helpdesk não responde' : `o helpdesk responde com o status ${status}`,
    },
  ),
  secret_key_missing: sentence(
    { keyId: z.string() },
    {
      en: ({ keyId }) => `a secret is sealed with the key “${keyId}”, which SECRET_KEYS lacks`,
      'pt-BR': ({ keyId }) => `um segredo foi cifrado com a chave “${keyId}”, que falta em SECRET_KEYS`,
    },
  ),
  database_unavailable: sentence(
    {},
    { en: 'the database was away', 'pt-BR': 'o banco de dados ficou fora do ar' },
  ),
  database_full: sentence(
    {},
    { en: 'the disk of the database is full', 'pt-BR': 'o disco do banco de dados está cheio' },
  ),
  database_schema: sentence(
    { sqlState: z.string() },
    {
      en: ({ sqlState }) =>
        `the database lacks a table or a column, so its schema is not that of this version (${sqlState})`,
      'pt-BR': ({ sqlState }) =>
        `falta uma tabela ou coluna no banco de dados, cujo esquema não é o desta versão (${sqlState})`,
    },
  ),
  database_busy: sentence(
    { sqlState: z.string() },
    {
      en: ({ sqlState }) => `the database took too long (${sqlState})`,
      'pt-BR': ({ sqlState }) => `o banco de dados demorou demais (${sqlState})`,
    },
  ),
  database_error: sentence(
    { sqlState: z.string() },
    {
      en: ({ sqlState }) => `the database refused a statement (${sqlState})`,
      'pt-BR': ({ sqlState }) => `o banco de dados recusou um comando (${sqlState})`,
    },
  ),
  /** Its worker stopped, or it took too long. */
  no_answer: sentence(
    {},
    {
      en: 'an attempt ended without an answer: its worker stopped, or it took too long',
      'pt-BR': 'uma tentativa terminou sem resposta: o worker parou ou ela demorou demais',
    },
  ),
  /** An error in the code; `name` is its class. */
  fault: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `an error occurred in Torpedo (${name}), which the log of the worker shows`,
      'pt-BR': ({ name }) => `ocorreu um erro no Torpedo (${name}), que aparece no log do worker`,
    },
  ),
} as const;

export type RetryCauseCode = keyof typeof retryCauseSentences;
type CauseParams<C extends RetryCauseCode> = ParamsOf<(typeof retryCauseSentences)[C]>;
export type RetryCause<C extends RetryCauseCode = RetryCauseCode> = {
  [K in C]: { readonly code: K; readonly params: CauseParams<K> };
}[C];
const byCode: { readonly [C in RetryCauseCode]: Sentence<CauseParams<C>> } = retryCauseSentences;

export const retryCauseCodes = Object.keys(retryCauseSentences) as [RetryCauseCode, ...RetryCauseCode[]];

/** A cause as it was kept. Its shape in the API's document; `readRetryCause` reads it with its parameters. */
export const keptRetryCause = z.object({
  code: z.enum(retryCauseCodes),
  params: z.record(z.string(), z.unknown()),
});

/** Null for what is none. */
export function readRetryCause(kept: unknown): RetryCause | null {
  const cause = keptRetryCause.safeParse(kept);
  if (!cause.success) return null;
  const { code } = cause.data;
  const params = byCode[code].params.safeParse(cause.data.params);
  return params.success ? ({ code, params: params.data } as RetryCause) : null;
}

export const retryCauseWords = <C extends RetryCauseCode>(
  { code, params }: RetryCause<C>,
  format: Format,
): string => wordsOf(byCode[code], params, format);

/** An activity of a workflow that failed and is tried again. */
export interface Retrying {
  /** The name of the activity, as in activities/. Of several in one workflow, the one that failed last. */
  activity: string;
  /** How many of the workflow are tried again. */
  activities: number;
  /** When the first of them failed for the first time. */
  since: Date;
  /** The number of the attempt that failed. */
  attempt: number;
  cause: RetryCause;
  /** When the next attempt is due. */
  nextAt: Date;
  /** Since when it is under way; null: it has not begun. */
  tryingSince: Date | null;
  /** When the activity is given up; null: never by time. */
  givesUpAt: Date | null;
  /** After how many more attempts; null: their number does not matter. */
  attemptsLeft: number | null;
}

/** An attempt that is so late has no worker to make it. */
const lateMs = 20_000;

/** Since when, why, when next, and when no more. */
export function retryWords(retrying: Retrying, format: Format, now: Date): string {
  const { since, attempt, nextAt, tryingSince, givesUpAt, attemptsLeft } = retrying;
  const { moment, count, locale } = format;
  const cause = retryCauseWords(retrying.cause, format);
  const next = attempt + 1;
  const isLate = now.getTime() - nextAt.getTime() > lateMs;
  const toFallback = retrying.cause.code === 'provider_unavailable';
  if (locale === 'en') {
    return [
      `Retried since ${moment(since)} because ${cause}.`,
      tryingSince !== null
        ? `Attempt ${next} began at ${moment(tryingSince)}.`
        : isLate
          ? `Attempt ${next} was due at ${moment(nextAt)}, but no worker has begun it.`
          : `Attempt ${next} is due at ${moment(nextAt)}.`,
      givesUpAt !== null
        ? `It gives up at ${moment(givesUpAt)}.`
        : attemptsLeft === null
          ? 'It is tried until it succeeds.'
          : toFallback
            ? `After ${count(attemptsLeft, 'more attempt', 'more attempts')} the fallback provider takes over.`
            : `It gives up after ${count(attemptsLeft, 'more attempt', 'more attempts')}.`,
    ].join(' ');
  }
  return [
    `Repetindo desde ${moment(since)} porque ${cause}.`,
    tryingSince !== null
      ? `A tentativa ${next} começou em ${moment(tryingSince)}.`
      : isLate
        ? `A tentativa ${next} era para ${moment(nextAt)}, mas nenhum worker a começou.`
        : `A tentativa ${next} será em ${moment(nextAt)}.`,
    givesUpAt !== null
      ? `Desiste em ${moment(givesUpAt)}.`
      : attemptsLeft === null
        ? 'Tenta até dar certo.'
        : toFallback
          ? `Depois de mais ${count(attemptsLeft, 'tentativa', 'tentativas')}, o provedor reserva assume.`
          : `Desiste depois de mais ${count(attemptsLeft, 'tentativa', 'tentativas')}.`,
  ].join(' ');
}

/** A code of a provider as it may be shown and kept in a history: one that may hold a phone or a text is left out. */
export const showableCode = (code: string): string =>
  /^[\w.:-]{1,40}$/.test(code) && !/\d{7}/.test(code) ? code : '…';
