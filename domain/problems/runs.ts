import { z } from 'zod';
import { overBudget, type OverBudget } from '../budget.ts';
import type { Failover } from '../failover.ts';
import type { Format } from '../format.ts';
import type { Preflight } from '../preflight.ts';
import type { RunReason } from '../run.ts';
import type { LookUpResult, LookUpState } from '../unknown.ts';
import type { Locale } from '../user.ts';
import { problemWords, readFault } from './catalog.ts';
import { providerDetailWords, readProviderDetail } from './providers.ts';
import { readRetryCause, retryCauseWords } from './retries.ts';
import { sentence, vocabulary, type Wording, worded } from './sentence.ts';
import { messageReasonWords, runStepWords } from './states.ts';

type ReasonCode = RunReason['code'];
type ReasonOf<C extends ReasonCode> = Extract<RunReason, { code: C }>;

/** Why a run is paused, or ended other than by finishing, and what a user can do about it. */
export const runReasonWordings: { readonly [C in ReasonCode]: Wording<ReasonOf<C>> } = {
  pending_run: {
    en: ({ runId, unsent }, { count }) =>
      unsent === null
        ? `Run ${runId} of this campaign has not finished yet.`
        : `Run ${runId} of this campaign still has ${count(unsent, 'unsent message', 'unsent messages')}. Retry or cancel it, or allow runs despite pending ones.`,
    'pt-BR': ({ runId, unsent }, { count }) =>
      unsent === null
        ? `A execução ${runId} desta campanha ainda não terminou.`
        : `A execução ${runId} desta campanha ainda tem ${count(unsent, 'mensagem não enviada', 'mensagens não enviadas')}. Retome-a ou cancele-a, ou permita executar mesmo com pendência.`,
  },
  campaign_disabled: {
    en: 'The campaign was disabled before this run began. Enable it and use “Run now” if you still want this run.',
    'pt-BR':
      'A campanha foi desabilitada antes de esta execução começar. Habilite-a e use “Executar agora”, se ainda for o caso.',
  },
  beyond_grace: {
    en: ({ lateMs, graceMs }, { duration }) =>
      `The system was down: the run is ${duration(lateMs)} late, which exceeds the grace period of ${duration(graceMs)}.`,
    'pt-BR': ({ lateMs, graceMs }, { duration }) =>
      `O sistema estava fora do ar: o atraso de ${duration(lateMs)} passa da tolerância de ${duration(graceMs)}.`,
  },
  superseded: {
    en: ({ by }, { instant }) => `The system was down. The later occurrence of ${instant(by)} runs instead.`,
    'pt-BR': ({ by }, { instant }) =>
      `O sistema estava fora do ar. A ocorrência seguinte, de ${instant(by)}, é executada no lugar desta.`,
  },
  missed_by_restore: {
    en: ({ backupAt }, { instant }) =>
      `The database was restored from a backup of ${instant(backupAt)}, and this run may have been executed after that. If it was not, run the campaign now.`,
    'pt-BR': ({ backupAt }, { instant }) =>
      `O banco de dados foi restaurado de um backup de ${instant(backupAt)}, e esta execução pode ter acontecido depois dele. Se não aconteceu, execute a campanha agora.`,
  },
  stopped_by_restore: {
    en: ({ backupAt }, { instant }) =>
      `The database was restored from a backup of ${instant(backupAt)}. Messages that were queued then may have been sent since; those that the provider lists are marked as sent. Retry the run to send the rest, or cancel it.`,
    'pt-BR': ({ backupAt }, { instant }) =>
      `O banco de dados foi restaurado de um backup de ${instant(backupAt)}. O que estava na fila pode ter sido enviado depois dele; o que o provedor lista já consta como enviado. Retome a execução para enviar o resto, ou cancele-a.`,
  },
  expired: {
    en: ({ expiresAt }, { instant }) =>
      `It expired at ${instant(expiresAt)}. The remaining messages are cancelled.`,
    'pt-BR': ({ expiresAt }, { instant }) => `Expirou em ${instant(expiresAt)}: o que faltava foi cancelado.`,
  },
  no_contacts: {
    en: ({ runId, lines }, { number }) =>
      `The mailing had no contacts, and that of run ${runId} before it had ${number(lines)}. Check the source of the mailing: it may have returned nothing by mistake.`,
    'pt-BR': ({ runId, lines }, { number }) =>
      `O mailing veio sem nenhum contato, e o da execução ${runId}, antes desta, tinha ${number(lines)}. Confira a origem do mailing: ela pode ter respondido vazio por engano.`,
  },
  hours_never_open: {
    en: 'The sending hours do not open within a year. Correct them and retry the run, or cancel it.',
    'pt-BR': 'O horário de execução não abre em um ano. Corrija-o e tente a execução de novo, ou cancele-a.',
  },
  by_user: {
    en: ({ user, name, at }, { instant }) =>
      `At the request of ${name ?? user.replace(':', ' ')}${at === undefined ? '' : `, at ${instant(at)}`}.`,
    'pt-BR': ({ user, name, at }, { instant }) =>
      `A pedido de ${name ?? user.replace(/^user:/, 'usuário ').replace(':', ' ')}${at === undefined ? '' : `, em ${instant(at)}`}.`,
  },
  by_temporal: { en: 'Cancelled in Temporal.', 'pt-BR': 'Cancelada no Temporal.' },
  provider_account: {
    en: ({ providerCode, detail }, format) =>
      `The SMS provider refuses the account (${providerCode})${refusalOf(detail, format)} Fix it there, then resume the run.`,
    'pt-BR': ({ providerCode, detail }, format) =>
      `O provedor de SMS recusa a conta (${providerCode})${refusalOf(detail, format)} Resolva com o provedor e continue a execução.`,
  },
  threshold: {
    en: ({ failures, outcomes, percent, stopAtPercent, canary }, { number }) =>
      `${number(failures)} of ${canary ? 'the first ' : ''}${number(outcomes)} messages (${percent}%) failed or led to an opt-out, more than the ${stopAtPercent}% that the campaign allows. Look into the failures, then resume or cancel the run. Once resumed, only what happens from then on is measured.`,
    'pt-BR': ({ failures, outcomes, percent, stopAtPercent, canary }, { number }) =>
      `${number(failures)} ${canary ? 'das primeiras' : 'de'} ${number(outcomes)} mensagens (${percent}%) falharam ou levaram a um descadastro, mais do que os ${stopAtPercent}% que a campanha permite. Veja as falhas e depois continue ou cancele a execução. Depois disso, só conta o que acontecer dali em diante.`,
  },
  reached_nobody: {
    en: ({ failures }, { number }) =>
      `It has reached nobody: ${number(failures)} messages failed, and none was accepted. Check the failures: the sender, the account or the text may be wrong for all of them.`,
    'pt-BR': ({ failures }, { number }) =>
      `Não chegou a ninguém: ${number(failures)} mensagens falharam e nenhuma foi aceita. Veja as falhas: o remetente, a conta ou o texto pode estar errado para todas.`,
  },
  provider_in_doubt: {
    en: ({ answers, providerCode }, { number }) =>
      `The last ${number(answers)} answers of the SMS provider (${providerCode}) do not show whether it accepted the messages. Torpedo does not send them again: resolve them when you know the outcome. Resume the run when the provider answers again.`,
    'pt-BR': ({ answers, providerCode }, { number }) =>
      `As últimas ${number(answers)} respostas do provedor de SMS (${providerCode}) não mostram se ele aceitou as mensagens. O Torpedo não as reenvia: resolva-as quando souber o resultado. Continue a execução quando o provedor voltar a responder.`,
  },
  budget_used_up: {
    en: ({ scope, month, currency, budget, spent }, { money, month: monthName }) =>
      `The budget of ${scope === 'campaign' ? 'this campaign' : 'all campaigns'} for ${monthName(month)}, ${money(budget, currency)}, is used up: ${money(spent, currency)} has been spent. Resume the run to send the rest beyond the budget, or cancel it.`,
    'pt-BR': ({ scope, month, currency, budget, spent }, { money, month: monthName }) =>
      `O orçamento de ${monthName(month)} ${scope === 'campaign' ? 'desta campanha' : 'de todas as campanhas'}, ${money(budget, currency)}, foi atingido: já foram gastos ${money(spent, currency)}. Continue a execução para enviar o resto além do orçamento, ou cancele-a.`,
  },
  mailing_refused: {
    en: (reason, format) =>
      `The mailing cannot be read: ${faultOf(reason, format)} Replace the file of the campaign, then retry the run.`,
    'pt-BR': (reason, format) =>
      `O mailing não pôde ser lido: ${faultOf(reason, format)} Substitua o arquivo na campanha e retome a execução.`,
  },
  webservice_refused: {
    en: (reason, format) =>
      `The web service cannot be read: ${faultOf(reason, format)} Fix it there or in the campaign, then retry the run.`,
    'pt-BR': (reason, format) =>
      `O webservice não pôde ser lido: ${faultOf(reason, format)} Corrija lá ou na campanha e retome a execução.`,
  },
  workflow_lost: {
    en: 'Its workflow in Temporal was terminated or lost. Retry the run to continue where it stopped, or cancel it.',
    'pt-BR':
      'O workflow no Temporal foi encerrado ou perdido. Retome a execução para seguir de onde estava, ou cancele-a.',
  },
  fault: {
    en: ({ step, cause }, format) =>
      `The step “${runStepWords.en[step]}” failed, because ${causeOf(cause, format)}. Retry the run once this is fixed.`,
    'pt-BR': ({ step, cause }, format) =>
      `A etapa “${runStepWords['pt-BR'][step]}” falhou, porque ${causeOf(cause, format)}. Retome a execução quando estiver resolvido.`,
  },
};

export const runReasonWords = (reason: RunReason, format: Format): string =>
  worded<never>(runReasonWordings[reason.code], reason as never, format);

/** The problem of the mailing; for an erased person, nothing is quoted. */
function faultOf({ mailingCode, params }: { mailingCode: string; params: object }, format: Format): string {
  const fault = readFault(mailingCode, params);
  return fault === null ? `${mailingCode}.` : problemWords(fault, format);
}

const refusalOf = (kept: unknown, format: Format): string => {
  const detail = readProviderDetail(kept);
  return detail === null ? '.' : `: ${providerDetailWords(detail, format)}`;
};

const causeOf = (kept: unknown, format: Format): string =>
  retryCauseWords(readRetryCause(kept) ?? { code: 'no_answer', params: {} }, format);

const overBudgetWording: Wording<OverBudget> = {
  en: ({ scope, month, currency, budget, spent, estimate }, { money, month: monthName }) =>
    `It would cost about ${money(estimate, currency)}, more than the remaining budget of ${scope === 'campaign' ? 'this campaign' : 'all campaigns'} for ${monthName(month)}: ${money(budget, currency)}, of which ${money(spent, currency)} has been spent.`,
  'pt-BR': ({ scope, month, currency, budget, spent, estimate }, { money, month: monthName }) =>
    `A execução custaria cerca de ${money(estimate, currency)}, mais do que resta do orçamento de ${monthName(month)} ${scope === 'campaign' ? 'desta campanha' : 'de todas as campanhas'}: ${money(budget, currency)}, dos quais já foram gastos ${money(spent, currency)}.`,
};
/** Why a run needs approval before it exceeds a budget. */
export const overBudgetWords = (over: OverBudget, format: Format): string =>
  worded(overBudgetWording, over, format);

/** An instant in ISO 8601. */
const at = z.string();

/** What a live run is waiting for. */
export const waitingSentences = {
  approval: sentence(
    {
      expiresAt: at.nullable(),
      /** The budget because of which it waits. */
      overBudget: overBudget.nullable(),
    },
    {
      en: ({ expiresAt, overBudget }, format) =>
        `Waits for a user to approve it${expiresAt === null ? '' : `, and expires at ${format.instant(expiresAt)}`}.${overBudget === null ? '' : ` ${overBudgetWords(overBudget, format)}`}`,
      'pt-BR': ({ expiresAt, overBudget }, format) =>
        `Aguarda a aprovação de um usuário${expiresAt === null ? '' : `, e expira em ${format.instant(expiresAt)}`}.${overBudget === null ? '' : ` ${overBudgetWords(overBudget, format)}`}`,
    },
  ),
  resume: sentence(
    { expiresAt: at.nullable() },
    {
      en: ({ expiresAt }, { instant }) =>
        `Waits for a user to resume or cancel it${expiresAt === null ? '' : `, and expires at ${instant(expiresAt)}`}.`,
      'pt-BR': ({ expiresAt }, { instant }) =>
        `Aguarda um usuário continuar ou cancelar${expiresAt === null ? '' : `, e expira em ${instant(expiresAt)}`}.`,
    },
  ),
  hours: sentence(
    {
      opensAt: at,
      /** The expiry, if it comes before they open. */
      expiresAt: at.nullable(),
    },
    {
      en: ({ opensAt, expiresAt }, { instant }) =>
        `Outside the sending hours. They open at ${instant(opensAt)}${expiresAt === null ? '' : `, after its expiry at ${instant(expiresAt)}`}.`,
      'pt-BR': ({ opensAt, expiresAt }, { instant }) =>
        `Fora do horário de execução, que abre em ${instant(opensAt)}${expiresAt === null ? '' : `, depois de expirar em ${instant(expiresAt)}`}.`,
    },
  ),
  canary: sentence(
    { messages: z.int().nullable(), until: at },
    {
      en: ({ messages, until }, { number, instant }) =>
        `The first ${messages === null ? '' : `${number(messages)} `}messages were sent. The others wait for their receipts and answers until ${instant(until)}.`,
      'pt-BR': ({ messages, until }, { number, instant }) =>
        `As primeiras ${messages === null ? '' : `${number(messages)} `}mensagens foram enviadas. As demais esperam os avisos e as respostas delas até ${instant(until)}.`,
    },
  ),
  /** Its provider asked for a pause (429, 503 with Retry-After). */
  provider_pause: sentence(
    { providerCode: z.string(), until: at },
    {
      en: ({ providerCode, until }, { instant }) =>
        `The SMS provider asks to wait (${providerCode}): nothing is sent until ${instant(until)}, or until a user ends the pause on the page of the provider.`,
      'pt-BR': ({ providerCode, until }, { instant }) =>
        `O provedor de SMS pede para esperar (${providerCode}): nada é enviado até ${instant(until)}, ou até um usuário encerrar a pausa na página do provedor.`,
    },
  ),
  /** Its provider's answers leave the outcome of messages unknown. */
  provider_doubt: sentence(
    { providerCode: z.string(), answers: z.int(), nextAt: at },
    {
      en: ({ providerCode, answers, nextAt }, { number, instant }) =>
        `The last ${number(answers)} answers of the SMS provider (${providerCode}) do not show whether it accepted the messages. The next attempt, with one message, is at ${instant(nextAt)}.`,
      'pt-BR': ({ providerCode, answers, nextAt }, { number, instant }) =>
        `As últimas ${number(answers)} respostas do provedor de SMS (${providerCode}) não mostram se ele aceitou as mensagens. A próxima tentativa, com uma mensagem, será em ${instant(nextAt)}.`,
    },
  ),
} as const;
export const { codes: waitingCodes, read: readWaiting, words: waitingWords } = vocabulary(waitingSentences);

/** Whether a run fits its sending hours. */
export const fitWordings: Readonly<Record<Preflight['fits'], Wording<Preflight>>> = {
  nothing_to_send: { en: 'There is nothing to send.', 'pt-BR': 'Não há nada a enviar.' },
  first_opening: {
    en: ({ endsAt }, format) => `It ends at ${instantOf(endsAt, format)}, before the sending hours close.`,
    'pt-BR': ({ endsAt }, format) =>
      `Termina em ${instantOf(endsAt, format)}, antes do fim do horário de execução.`,
  },
  later_opening: {
    en: ({ endsAt }, format) =>
      `It does not fit into one opening of the sending hours, and ends at ${instantOf(endsAt, format)}.`,
    'pt-BR': ({ endsAt }, format) =>
      `Não cabe em um só período do horário de execução, e termina em ${instantOf(endsAt, format)}.`,
  },
  expires: {
    en: ({ expiresAt, segmentsLeft }, format) =>
      `It expires at ${instantOf(expiresAt, format)} with about ${format.count(segmentsLeft ?? 0, 'segment', 'segments')} unsent.`,
    'pt-BR': ({ expiresAt, segmentsLeft }, format) =>
      `Expira em ${instantOf(expiresAt, format)} com cerca de ${format.count(segmentsLeft ?? 0, 'segmento', 'segmentos')} sem envio.`,
  },
  never: {
    en: 'With these sending hours it would not end within a year.',
    'pt-BR': 'Com este horário de execução não terminaria em um ano.',
  },
  unknown: {
    en: 'The duration is unknown, because the provider has no rate limit.',
    'pt-BR': 'A duração é desconhecida, porque o provedor não tem limite de velocidade.',
  },
};
export const fitWords = (flight: Preflight, format: Format): string =>
  worded(fitWordings[flight.fits], flight, format);

const instantOf = (text: string | null, format: Format): string =>
  text === null ? '—' : format.instant(text);

export const preflightWording: Wording<Preflight> = {
  en: (flight, format) => {
    const { lines, toSend, segments, ratePerSecond, durationMs } = flight;
    const { count, number, duration } = format;
    return [
      `${count(lines, 'line', 'lines')}: ${number(toSend)} to send in ${count(segments, 'segment', 'segments')}, ${
        lines === toSend ? 'none skipped' : `${number(lines - toSend)} skipped (${leftOutOf(flight, format)})`
      }.`,
      ...(ratePerSecond === null || durationMs === null || toSend === 0
        ? []
        : [
            `At ${count(ratePerSecond, 'segment', 'segments')} a second it takes ${duration(durationMs)} of open hours.`,
          ]),
      fitWords(flight, format),
    ].join(' ');
  },
  'pt-BR': (flight, format) => {
    const { lines, toSend, segments, ratePerSecond, durationMs } = flight;
    const { count, number, duration } = format;
    return [
      `${count(lines, 'linha', 'linhas')}: ${number(toSend)} a enviar em ${count(segments, 'segmento', 'segmentos')}, ${
        lines === toSend
          ? 'nenhuma deixada de fora'
          : `${number(lines - toSend)} deixadas de fora (${leftOutOf(flight, format)})`
      }.`,
      ...(ratePerSecond === null || durationMs === null || toSend === 0
        ? []
        : [
            `A ${count(ratePerSecond, 'segmento', 'segmentos')} por segundo, leva ${duration(durationMs)} de horário aberto.`,
          ]),
      fitWords(flight, format),
    ].join(' ');
  },
};
const leftOutOf = ({ leftOut }: Preflight, { locale, number }: Format): string =>
  leftOut
    .map(({ reason, messages }) => `${messageReasonWords[locale][reason] ?? reason}: ${number(messages)}`)
    .join(', ');

/** The pre-flight of a run, in numbers and words. */
export const preflightWords = (flight: Preflight, format: Format): string =>
  worded(preflightWording, flight, format);

export const failoverWording: Wording<Failover> = {
  en: ({ at, from, to, cause, providerCode, unknown, tooLong }, { instant, number }) =>
    [
      `Since ${instant(at)} it sends through “${to.name}”, because “${from.name}” ${
        cause === 'account' ? 'refused the account' : 'accepted nothing for too long'
      } (${providerCode}).`,
      ...(unknown > 0
        ? [`Messages that “${from.name}” may have accepted stay unknown: ${number(unknown)}.`]
        : []),
      ...(tooLong > 0 ? [`Skipped, because their texts are too long there: ${number(tooLong)}.`] : []),
    ].join(' '),
  'pt-BR': ({ at, from, to, cause, providerCode, unknown, tooLong }, { instant, number }) =>
    [
      `Desde ${instant(at)} envia por “${to.name}”, porque “${from.name}” ${
        cause === 'account' ? 'recusou a conta' : 'não aceitou nada por tempo demais'
      } (${providerCode}).`,
      ...(unknown > 0 ? [`Incertas que “${from.name}” pode ter aceitado: ${number(unknown)}.`] : []),
      ...(tooLong > 0
        ? [`Deixadas de fora, porque ali os textos são longos demais: ${number(tooLong)}.`]
        : []),
    ].join(' '),
};
/** The failover of a run to the fallback of its provider. */
export const failoverWords = (failover: Failover, format: Format): string =>
  worded(failoverWording, failover, format);

/** The result of looking up an unknown message; `waiting`: not looked up yet. */
export const lookUpResultWords: Readonly<Record<Locale, Readonly<Record<LookUpResult | 'waiting', string>>>> =
  {
    en: {
      waiting: 'Not looked up at the provider yet',
      not_found: 'Not found at the provider, which proves nothing',
      ambiguous: 'The provider lists another message with the same text to the same number',
      unavailable: 'The provider did not answer',
      not_offered: 'The provider offers no look-up',
    },
    'pt-BR': {
      waiting: 'Consulta ao provedor pendente',
      not_found: 'Sem registro no provedor, o que não prova nada',
      ambiguous: 'O provedor lista outra mensagem com o mesmo texto para o mesmo número',
      unavailable: 'O provedor não respondeu',
      not_offered: 'O provedor não oferece consulta',
    },
  };

export const lookUpWording: Wording<LookUpState> = {
  en: ({ result, dueAt }, { moment }) =>
    [
      `${lookUpResultWords.en[result ?? 'waiting']}.`,
      ...(result === null
        ? []
        : dueAt === null
          ? ['It is not looked up any more: look for it there by number and time, and resolve it.']
          : [`It is looked up again at ${moment(dueAt)}.`]),
    ].join(' '),
  'pt-BR': ({ result, dueAt }, { moment }) =>
    [
      `${lookUpResultWords['pt-BR'][result ?? 'waiting']}.`,
      ...(result === null
        ? []
        : dueAt === null
          ? ['Não será mais consultada: procure-a lá por número e horário, e resolva-a.']
          : [`Será consultada de novo em ${moment(dueAt)}.`]),
    ].join(' '),
};
/** The same as a sentence, with the next step. */
export const lookUpWords = (state: LookUpState, format: Format): string =>
  worded(lookUpWording, state, format);
