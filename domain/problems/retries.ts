import { z } from 'zod';
import type { Format } from '../format.ts';
import { type Coded, sentence, vocabulary } from './sentence.ts';

/** Why a web service returns no mailing now, but may later. */
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
    server_error: 'the web service answers with a server error (5xx)',
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
 * Why an activity failed and is retried, as the clause after "because". Only codes and numbers: the text of an error
 * may contain a phone, a name or a secret, and stays in the log.
 */
export const retryCauseSentences = {
  /** Most sends fail. */
  provider_unavailable: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider accepts no messages (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS não aceita mensagens (${providerCode})`,
    },
  ),
  /** It answers, but asks for pauses (429, 503 with Retry-After) instead of taking messages. */
  provider_pauses: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider asks to wait (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS pede para esperar (${providerCode})`,
    },
  ),
  /** It refuses the account (credentials, credit): it takes no message until a user acts. */
  provider_account: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider refuses the account (${providerCode})`,
      'pt-BR': ({ providerCode }) => `o provedor de SMS recusa a conta (${providerCode})`,
    },
  ),
  message_not_taken: sentence(
    { providerCode: z.string() },
    {
      en: ({ providerCode }) => `the SMS provider did not accept a message (${providerCode})`,
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
  /** `status`: the HTTP status of its answer; null: no answer. */
  helpdesk_unavailable: sentence(
    { status: z.int().nullable() },
    {
      en: ({ status }) =>
        status === null ? 'the helpdesk does not answer' : `the helpdesk answers with the status ${status}`,
      'pt-BR': ({ status }) =>
        status === null ? 'o helpdesk não responde' : `o helpdesk responde com o status ${status}`,
    },
  ),
  /** An e-mail, or a post to the webhook of alerts. */
  notification_undelivered: sentence(
    { channel: z.enum(['email', 'webhook']) },
    {
      en: ({ channel }) =>
        channel === 'email'
          ? 'the SMTP server does not accept e-mails'
          : 'the webhook does not accept alerts',
      'pt-BR': ({ channel }) =>
        channel === 'email' ? 'o servidor SMTP não aceita e-mails' : 'o webhook não aceita avisos',
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
    { en: 'the database was unavailable', 'pt-BR': 'o banco de dados ficou fora do ar' },
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
  /** Its worker stopped, or the attempt timed out. */
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

export type RetryCause = Coded<typeof retryCauseSentences>;

export const {
  kept: keptRetryCause,
  read: readRetryCause,
  words: retryCauseWords,
} = vocabulary(retryCauseSentences);

/** A workflow's activity that failed and is retried. */
export interface Retrying {
  /** The name of the activity, as in activities/. Of several in one workflow, the last one that failed. */
  activity: string;
  /** How many activities of the workflow are being retried. */
  activities: number;
  /** The first failure of the first of them. */
  since: Date;
  /** The number of the attempt that failed. */
  attempt: number;
  cause: RetryCause;
  /** When the next attempt is due. */
  nextAt: Date;
  /** The start of the current attempt; null: it has not started. */
  tryingSince: Date | null;
  /** When the activity is given up; null: no time limit. */
  givesUpAt: Date | null;
  /** How many attempts are left; null: no limit. */
  attemptsLeft: number | null;
}

/** If an attempt is this late, no worker is available for it. */
const lateMs = 20_000;

/** Since when, why, the next attempt, and the limit. */
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
        ? `A tentativa ${next} estava prevista para ${moment(nextAt)}, mas nenhum worker a começou.`
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

/** A provider's code that may be shown and stored in a history; omits one that may contain a phone or a text. */
export const showableCode = (code: string): string =>
  /^[\w.:-]{1,40}$/.test(code) && !/\d{7}/.test(code) ? code : '…';
