import { z } from 'zod';
import type { AlertKind } from '../alert.ts';
import type { Format } from '../format.ts';
import { runSteps } from '../run.ts';
import type { Locale } from '../user.ts';
import { type ParamsOf, sentence, vocabulary } from './sentence.ts';
import { runStepWords } from './states.ts';

/**
 * What has happened, in one sentence for each kind of alert. Codes, counts and names of campaigns and providers: nothing
 * of a contact, because these sentences leave the deployment by e-mail. The pages of the console have the details.
 */

/** The short form of a run's reason. The reason itself may quote the file of a mailing. */
const runReasons: Record<Locale, Readonly<Record<string, string>>> = {
  en: {
    provider_account: 'the SMS provider refuses the account',
    budget_used_up: 'the month’s budget is used up',
    threshold: 'more messages failed or led to an opt-out than the campaign allows',
    reached_nobody: 'none of its messages was accepted',
    provider_in_doubt: 'the answers of the SMS provider do not show whether it accepted the messages',
    by_user: 'a user paused it',
    by_temporal: 'it was cancelled in Temporal',
    mailing_refused: 'its mailing cannot be read',
    webservice_refused: 'its web service cannot be read',
    workflow_lost: 'its workflow was lost',
    stopped_by_restore: 'the database was restored from a backup',
    hours_never_open: 'its sending hours do not open within a year',
    pending_run: 'an earlier run still has unsent messages',
    campaign_disabled: 'the campaign was disabled',
    beyond_grace: 'the system was down when it was due',
    superseded: 'the system was down, and a later run replaced it',
    missed_by_restore: 'it may have run before the database was restored',
    no_contacts: 'its mailing had no contacts, unlike the one before',
  },
  'pt-BR': {
    provider_account: 'o provedor de SMS recusa a conta',
    budget_used_up: 'o orçamento do mês foi atingido',
    threshold: 'falharam ou levaram a descadastro mais mensagens do que a campanha permite',
    reached_nobody: 'nenhuma mensagem dela foi aceita',
    provider_in_doubt: 'as respostas do provedor de SMS não mostram se ele aceitou as mensagens',
    by_user: 'um usuário a pausou',
    by_temporal: 'foi cancelada no Temporal',
    mailing_refused: 'o mailing não pôde ser lido',
    webservice_refused: 'o webservice não pôde ser lido',
    workflow_lost: 'o workflow se perdeu',
    stopped_by_restore: 'o banco de dados foi restaurado de um backup',
    hours_never_open: 'o horário de execução não abre em um ano',
    pending_run: 'uma execução anterior ainda tem mensagens não enviadas',
    campaign_disabled: 'a campanha foi desabilitada',
    beyond_grace: 'o sistema estava fora do ar na hora',
    superseded: 'o sistema estava fora do ar, e uma execução seguinte a substituiu',
    missed_by_restore: 'pode ter acontecido antes da restauração do banco de dados',
    no_contacts: 'o mailing veio sem contatos, ao contrário do anterior',
  },
};

const ofRun = { run: z.int(), campaign: z.string(), code: z.string(), step: z.enum(runSteps) };
type OfRun = z.output<z.ZodObject<typeof ofRun>>;

function because({ code, step }: OfRun, locale: Locale): string {
  if (code === 'fault') {
    const name = runStepWords[locale][step];
    return locale === 'en' ? `the step “${name}” failed` : `a etapa “${name}” falhou`;
  }
  return runReasons[locale][code] ?? code;
}

const retryingOf = ['campaign', 'reply', 'answer', 'look_ups', 'reports', 'housekeeping'] as const;
const retryingWords: Record<Locale, Record<(typeof retryingOf)[number], string>> = {
  en: {
    campaign: 'Planning the runs of a campaign',
    reply: 'Handling replies',
    answer: 'Sending answers of tickets',
    look_ups: 'Looking up unknown messages',
    housekeeping: 'The system check',
    reports: 'Counting for reports',
  },
  'pt-BR': {
    campaign: 'O planejamento de execuções',
    reply: 'O tratamento de respostas',
    answer: 'O envio de respostas de atendimentos',
    look_ups: 'A consulta de mensagens incertas',
    housekeeping: 'A verificação do sistema',
    reports: 'A contagem dos relatórios',
  },
};

export const alertSentences = {
  run_approval: sentence(
    { run: z.int(), campaign: z.string(), messages: z.int() },
    {
      en: ({ run, campaign, messages }, { count }) =>
        `Run ${run} of “${campaign}” waits for approval: ${count(messages, 'message', 'messages')} to send.`,
      'pt-BR': ({ run, campaign, messages }, { count }) =>
        `A execução ${run} de “${campaign}” espera aprovação: ${count(messages, 'mensagem', 'mensagens')} a enviar.`,
    },
  ),
  run_paused: sentence(ofRun, {
    en: (facts) => `Run ${facts.run} of “${facts.campaign}” is paused: ${because(facts, 'en')}.`,
    'pt-BR': (facts) =>
      `A execução ${facts.run} de “${facts.campaign}” está pausada: ${because(facts, 'pt-BR')}.`,
  }),
  run_failed: sentence(ofRun, {
    en: (facts) => `Run ${facts.run} of “${facts.campaign}” has failed: ${because(facts, 'en')}.`,
    'pt-BR': (facts) => `A execução ${facts.run} de “${facts.campaign}” falhou: ${because(facts, 'pt-BR')}.`,
  }),
  run_not_executed: sentence(ofRun, {
    en: (facts) => `Run ${facts.run} of “${facts.campaign}” had no effect: ${because(facts, 'en')}.`,
    'pt-BR': (facts) =>
      `A execução ${facts.run} de “${facts.campaign}” não teve efeito: ${because(facts, 'pt-BR')}.`,
  }),
  run_retrying: sentence(
    { run: z.int(), campaign: z.string() },
    {
      en: ({ run, campaign }) => `Run ${run} of “${campaign}” keeps failing at one step. Torpedo retries it.`,
      'pt-BR': ({ run, campaign }) =>
        `A execução ${run} de “${campaign}” falha sempre na mesma etapa. O Torpedo continua tentando.`,
    },
  ),
  budget: sentence(
    /** `campaign`: null: the budget of all. */
    { campaign: z.string().nullable(), percent: z.int(), usedUp: z.boolean() },
    {
      en: ({ campaign, percent, usedUp }) =>
        `The month’s budget ${campaign === null ? 'of all campaigns' : `of “${campaign}”`} is ${usedUp ? 'used up: runs wait for approval or are paused' : `${percent}% spent`}.`,
      'pt-BR': ({ campaign, percent, usedUp }) =>
        `O orçamento do mês ${campaign === null ? 'de todas as campanhas' : `de “${campaign}”`} ${usedUp ? 'foi atingido: as execuções esperam aprovação ou são pausadas' : `está ${percent}% gasto`}.`,
    },
  ),
  provider_trouble: sentence(
    { provider: z.string(), state: z.enum(['account', 'doubt']), runs: z.int() },
    {
      en: ({ provider, state, runs }, { count }) =>
        state === 'account'
          ? `The SMS provider “${provider}” refuses the account: ${count(runs, 'run waits', 'runs wait')}.`
          : `The answers of the SMS provider “${provider}” do not show whether it accepts messages: nothing is sent through it.`,
      'pt-BR': ({ provider, state, runs }, { count }) =>
        state === 'account'
          ? `O provedor de SMS “${provider}” recusa a conta: ${count(runs, 'execução espera', 'execuções esperam')}.`
          : `As respostas do provedor de SMS “${provider}” não mostram se ele aceita mensagens: nada é enviado por ele.`,
    },
  ),
  unread_calls: sentence(
    { provider: z.string(), calls: z.int() },
    {
      en: ({ provider, calls }, { count }) =>
        `${count(calls, 'call', 'calls')} of the SMS provider “${provider}” could not be read.`,
      'pt-BR': ({ provider, calls }, { count }) =>
        `${count(calls, 'chamada', 'chamadas')} do provedor de SMS “${provider}” não ${calls === 1 ? 'pôde ser lida' : 'puderam ser lidas'}.`,
    },
  ),
  holds: sentence(
    { phones: z.int() },
    {
      en: ({ phones }, { count }) =>
        `${count(phones, 'probable opt-out waits', 'probable opt-outs wait')} for a decision.`,
      'pt-BR': ({ phones }, { count }) =>
        `${count(phones, 'descadastro provável espera', 'descadastros prováveis esperam')} uma decisão.`,
    },
  ),
  ticket_overdue: sentence(
    { ticket: z.int() },
    {
      en: ({ ticket }) => `Ticket ${ticket} is past the target for its first answer.`,
      'pt-BR': ({ ticket }) => `O atendimento ${ticket} espera a primeira resposta além do prazo.`,
    },
  ),
  ticket_posts: sentence(
    { failing: z.boolean(), failed: z.int() },
    {
      en: ({ failing, failed }, { count }) =>
        failing
          ? 'The helpdesk does not accept tickets. They are posted once it does.'
          : `${count(failed, 'post', 'posts')} to the helpdesk could not be delivered.`,
      'pt-BR': ({ failing, failed }, { count }) =>
        failing
          ? 'O helpdesk não aceita atendimentos. Eles serão enviados quando aceitar.'
          : `${count(failed, 'envio ao helpdesk não foi entregue', 'envios ao helpdesk não foram entregues')}.`,
    },
  ),
  retrying: sentence(
    { what: z.enum(retryingOf), campaign: z.string().nullable() },
    {
      en: ({ what, campaign }) =>
        `${retryingWords.en[what]}${campaign === null ? '' : ` (“${campaign}”)`} keeps failing. Torpedo retries it.`,
      'pt-BR': ({ what, campaign }) =>
        `${retryingWords['pt-BR'][what]}${campaign === null ? '' : ` (“${campaign}”)`} falha repetidamente. O Torpedo continua tentando.`,
    },
  ),
} as const satisfies Record<AlertKind, unknown>;

/** The values of a kind's sentence. */
export type AlertFacts<K extends AlertKind = AlertKind> = ParamsOf<(typeof alertSentences)[K]>;

const alertWords = vocabulary(alertSentences);

/** The sentence of a stored alert; null: of another version. */
export function alertSentence(kind: string, facts: unknown, format: Format): string | null {
  const content = alertWords.read({ code: kind, params: facts });
  return content === null ? null : alertWords.words(content, format);
}
