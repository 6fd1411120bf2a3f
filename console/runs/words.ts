import type { FailureReason, MessageStatus, SkipReason } from '../../domain/message.ts';
import type { RunReason, RunStatus, RunStep, RunTrigger } from '../../domain/run.ts';
import { problemWords, readFault } from '../../domain/problems/catalog.ts';
import type { waitingCodes } from '../../domain/waiting.ts';
import type { Format } from '../../domain/format.ts';
import { counted, dictionary } from '../kit/dictionary.ts';

type Names<K extends string> = Record<string, string> & Record<K, string>;

const statusPt: Names<RunStatus> = {
  running: 'Em execução',
  paused: 'Pausada',
  cancelling: 'Cancelando',
  finished: 'Concluída',
  skipped: 'Não executada',
  missed: 'Perdida',
  cancelled: 'Cancelada',
  failed: 'Falhou',
};
const statusEn: Names<RunStatus> = {
  running: 'Running',
  paused: 'Paused',
  cancelling: 'Cancelling',
  finished: 'Finished',
  skipped: 'Skipped',
  missed: 'Missed',
  cancelled: 'Cancelled',
  failed: 'Failed',
};
const stepPt: Names<RunStep> = {
  due: 'Na hora',
  hours: 'Horário de execução',
  pending_check: 'Pendências',
  mailing: 'Mailing',
  preflight: 'Conferência',
  approval: 'Aprovação',
  sending: 'Envio',
  tickets: 'Atendimentos',
  done: 'Concluída',
};
const stepEn: Names<RunStep> = {
  due: 'Due',
  hours: 'Sending hours',
  pending_check: 'Pending runs',
  mailing: 'Mailing',
  preflight: 'Pre-flight',
  approval: 'Approval',
  sending: 'Sending',
  tickets: 'Tickets',
  done: 'Done',
};
/** What a run that is at a step is doing. */
const doingPt: Names<RunStep> = {
  due: 'Começando',
  hours: 'Esperando o horário de execução',
  pending_check: 'Procurando pendências',
  mailing: 'Lendo o mailing',
  preflight: 'Conferindo antes do envio',
  approval: 'Esperando aprovação',
  sending: 'Enviando',
  tickets: 'Abrindo atendimentos',
  done: 'Terminando',
};
const doingEn: Names<RunStep> = {
  due: 'Starting',
  hours: 'Waiting for the sending hours',
  pending_check: 'Looking for pending runs',
  mailing: 'Reading the mailing',
  preflight: 'Checking before it sends',
  approval: 'Waiting for approval',
  sending: 'Sending',
  tickets: 'Opening tickets',
  done: 'Ending',
};
const triggerPt: Names<RunTrigger> = {
  schedule: 'Agendamento',
  manual: 'Executar agora',
  dry_run: 'Simulação',
  resend: 'Reenvio',
};
const triggerEn: Names<RunTrigger> = {
  schedule: 'Schedule',
  manual: 'Run now',
  dry_run: 'Dry run',
  resend: 'Resend',
};
const messagePt: Names<MessageStatus> = {
  queued: 'Na fila',
  sending: 'Enviando',
  sent: 'Enviadas',
  delivered: 'Entregues',
  undelivered: 'Não entregues',
  failed: 'Com falha',
  skipped: 'Deixadas de fora',
  unknown: 'Incertas',
  cancelled: 'Canceladas',
};
/** Of one message. */
const onePt: Names<MessageStatus> = {
  ...messagePt,
  sent: 'Enviada',
  delivered: 'Entregue',
  undelivered: 'Não entregue',
  skipped: 'Deixada de fora',
  unknown: 'Incerta',
  cancelled: 'Cancelada',
};
const messageEn: Names<MessageStatus> = {
  queued: 'Queued',
  sending: 'Sending',
  sent: 'Sent',
  delivered: 'Delivered',
  undelivered: 'Undelivered',
  failed: 'Failed',
  skipped: 'Left out',
  unknown: 'Unknown',
  cancelled: 'Cancelled',
};
const reasonPt: Names<SkipReason | FailureReason | 'dry_run'> = {
  phone_missing: 'Sem telefone',
  phone_invalid: 'Telefone inválido',
  not_a_mobile: 'Não é celular',
  duplicate_phone: 'Telefone repetido',
  no_consent: 'Sem consentimento',
  opted_out: 'Descadastrado',
  message_too_long: 'Mensagem longa demais',
  message_empty: 'Mensagem vazia',
  placeholder_unknown: 'Tag desconhecida na mensagem própria',
  value_missing: 'Falta um valor do texto',
  line_invalid: 'Linha inválida',
  number_invalid: 'Número não existe',
  number_not_mobile: 'Número não recebe SMS',
  number_unreachable: 'Número fora de alcance',
  number_opted_out: 'Bloqueado pelo destinatário',
  content_refused: 'Conteúdo recusado',
  sender_refused: 'Remetente recusado',
  request_refused: 'Pedido recusado pelo provedor',
  not_delivered: 'Não entregue',
  expired_at_carrier: 'Expirou na operadora',
  carrier_filtered: 'Filtrado pela operadora',
  temporary_failure: 'Falha temporária persistente',
  not_sent: 'Não enviada até o fim da execução',
  no_answer: 'Provedor não respondeu',
  sender_died: 'Envio interrompido',
  dry_run: 'Simulação',
};
const reasonEn: Names<SkipReason | FailureReason | 'dry_run'> = {
  phone_missing: 'No phone',
  phone_invalid: 'Invalid phone',
  not_a_mobile: 'Not a mobile',
  duplicate_phone: 'Repeated phone',
  no_consent: 'No consent',
  opted_out: 'Opted out',
  message_too_long: 'Message too long',
  message_empty: 'Empty message',
  placeholder_unknown: 'Unknown placeholder in its own message',
  value_missing: 'A value of the text is missing',
  line_invalid: 'Invalid line',
  number_invalid: 'No such number',
  number_not_mobile: 'Number takes no SMS',
  number_unreachable: 'Number out of reach',
  number_opted_out: 'Blocked by the recipient',
  content_refused: 'Content refused',
  sender_refused: 'Sender refused',
  request_refused: 'Refused by the provider',
  not_delivered: 'Not delivered',
  expired_at_carrier: 'Expired at the carrier',
  carrier_filtered: 'Filtered by the carrier',
  temporary_failure: 'Lasting temporary failure',
  not_sent: 'Not sent before the run ended',
  no_answer: 'No answer from the provider',
  sender_died: 'Sending interrupted',
  dry_run: 'Dry run',
};

/** Runs and their messages. */
export const runs = dictionary(
  {
    title: 'Execuções',
    run: (id: string) => `Execução ${id}`,
    status: statusPt,
    step: stepPt,
    doing: doingPt,
    trigger: triggerPt,
    message: messagePt,
    oneMessage: onePt,
    reason: reasonPt,
    campaign: 'Campanha',
    state: 'Situação',
    occurrence: 'Data',
    lines: 'Linhas',
    sent: 'Enviadas',
    failed: 'Falhas',
    empty: 'Nenhuma execução ainda',
    emptyText: 'Uma campanha habilitada executa nas datas do seu agendamento, ou quando você pede.',
    toCampaigns: 'Ver campanhas',
    nothingFound: 'Nenhuma execução com este filtro',
    nothingFoundText: 'Escolha outra situação ou limpe os filtros.',
    progress: 'Andamento',
    rate: 'Velocidade',
    perSecond: (rate: string) => `${rate} por segundo`,
    limit: (limit: string) => `limite do provedor: ${counted(limit, 'segmento', 'segmentos')} por segundo`,
    timeLeft: 'Tempo restante',
    segments: 'Segmentos',
    byStatus: 'Por situação',
    byReason: 'Por motivo',
    noReasons: 'Nenhuma falha e nada deixado de fora.',
    chart: 'Mensagens enviadas por segundo',
    chartHelp: 'Desde o início do envio; continua sozinho enquanto a página está aberta.',
    chartOver: 'Do início ao fim do envio.',
    chartEmpty: 'Aparece quando o envio começa.',
    perSecondSent: 'Enviadas por segundo',
    perSecondFailed: 'Falhas por segundo',
    asTable: 'Ver como tabela',
    until: 'Até',
    sentByThen: 'Enviadas até então',
    failedByThen: 'Falhas até então',
    details: 'Detalhes',
    how: 'Origem',
    started: 'Início',
    mailingRead: 'Mailing lido',
    sendingBegan: 'Início do envio',
    finished: 'Fim',
    expires: 'Expira',
    approved: 'Aprovada',
    temporal: 'Ver no Temporal',
    pause: 'Pausar',
    resume: 'Continuar',
    approve: 'Aprovar e enviar',
    retry: 'Retomar de onde parou',
    cancelRun: 'Cancelar execução',
    cancelText: (unsent: string) => {
      const few: Readonly<Record<string, string>> = {
        0: 'Nada mais será enviado',
        1: 'A mensagem que ainda não saiu nunca será enviada',
      };
      return `${few[unsent] ?? `As ${unsent} mensagens que ainda não saíram nunca serão enviadas`}. As que já saíram continuam valendo.`;
    },
    cancelled: 'Cancelamento pedido.',
    paused: 'Execução pausada.',
    resumed: 'Execução retomada.',
    approvedNotice: 'Execução aprovada.',
    retried: 'A execução continua de onde parou.',
    approveText: (unsent: string) =>
      `Depois de aprovada, a execução envia ${counted(unsent, 'mensagem', 'mensagens')}.`,
    resend: 'Reenviar as que falharam',
    resendOf: 'Reenvio da',
    resends: 'Reenviada por',
    toCampaign: 'Ir para a campanha',
    more: 'Ver e baixar',
    allMessages: 'Mensagens desta execução',
    messagesCsv: 'Baixar as mensagens (CSV)',
    badLines: 'Baixar as linhas deixadas de fora, para corrigir e enviar (CSV)',
    answer: 'Baixar a resposta do webservice (JSON)',
    replies: 'Respostas a esta execução',
    tickets: 'Atendimentos desta execução',
    of: (done: string, total: string) => `${done} de ${total}`,
    why: 'Motivo',
    retryingState: (status: string) => `${status}, repetindo após falha`,
    waiting: {
      approval: 'Aguarda a aprovação de uma pessoa.',
      resume: 'Aguarda alguém continuar ou cancelar.',
      hours: (at: string) => `Fora do horário de execução. Continua em ${at}.`,
      hoursNever: 'Fora do horário de execução.',
      canary: (at: string) =>
        `As primeiras mensagens saíram. As demais esperam os avisos e as respostas delas até ${at}.`,
    },
    fetching: (records: string, size: string) =>
      `O webservice está respondendo: até agora ${counted(records, 'registro', 'registros')}, ${size}.`,
    fetched: (records: string, size: string) =>
      `O webservice respondeu: ${counted(records, 'registro', 'registros')}, ${size}. O mailing está sendo lido.`,
    preflight: 'Conferência antes do envio',
    preflightFacts: {
      lines: 'Linhas',
      toSend: 'A enviar',
      leftOut: 'Deixadas de fora',
      segments: 'Segmentos',
      duration: 'Duração prevista',
      starts: 'Começa a sair',
      ends: 'Término previsto',
      durationUnknown: 'Desconhecida: o provedor não tem limite de velocidade',
    },
    fits: {
      nothing_to_send: 'Não há nada a enviar.',
      first_opening: 'Cabe no horário de execução.',
      later_opening: 'Não cabe em um só período do horário de execução: continua no próximo.',
      expires: 'Expira antes de terminar.',
      never: 'Com este horário não terminaria em um ano.',
      unknown: '',
    },
    segmentsLeft: (segments: string) =>
      `Cerca de ${counted(segments, 'segmento ficaria', 'segmentos ficariam')} sem envio.`,
    dryRunDone: 'Simulação: nada foi enviado.',
    causes: {
      pending_run: (run: string, unsent: string | null) =>
        unsent === null
          ? `A execução ${run} desta campanha ainda não terminou.`
          : `A execução ${run} desta campanha ainda tem ${unsent} mensagens não enviadas. Retome-a ou cancele-a, ou permita executar mesmo com pendência.`,
      beyond_grace: (late: string, grace: string) =>
        `O sistema estava fora do ar: ${late} de atraso passam da tolerância de ${grace}.`,
      superseded: (by: string) => `O sistema estava fora do ar; executou a ocorrência seguinte, de ${by}.`,
      missed_by_restore: (at: string) =>
        `O banco de dados foi restaurado de um backup de ${at}, e esta execução pode ter acontecido depois dele. Se não aconteceu, execute a campanha agora.`,
      stopped_by_restore: (at: string) =>
        `Parada: o banco de dados foi restaurado de um backup de ${at}. O que estava na fila pode ter sido enviado depois dele; o que o provedor lista já consta como enviado. Retome a execução para enviar o resto, ou cancele-a.`,
      expired: (at: string) => `Expirou em ${at}: o que faltava foi cancelado.`,
      no_contacts: (run: string, lines: string) =>
        `O mailing veio sem nenhum contato, e o da execução ${run}, antes desta, tinha ${lines}. Confira a origem do mailing: ela pode ter respondido vazio por engano.`,
      hours_never_open:
        'O horário de execução não abre em um ano. Esta execução fica com ele, mesmo ao tentar de novo: cancele-a, corrija o horário e execute a campanha de novo.',
      by_user: 'A pedido de uma pessoa.',
      by_temporal: 'Cancelada no Temporal.',
      provider_account: (code: string, detail: string) =>
        `O provedor de SMS recusa a conta (${code}): ${detail} Resolva com o provedor e continue a execução.`,
      threshold: (failures: string, outcomes: string, percent: string, limit: string) =>
        `Parada: ${failures} de ${outcomes} mensagens (${percent} %) falharam ou levaram a um descadastro, mais do que os ${limit} % que a campanha permite. Veja as falhas e depois continue ou cancele a execução.`,
      mailing_refused: (detail: string) =>
        `O mailing não pôde ser lido: ${detail} Substitua o arquivo na campanha e retome a execução.`,
      webservice_refused: (detail: string) =>
        `O webservice não pôde ser lido: ${detail} Corrija lá ou na campanha e retome a execução.`,
      fault: (step: string, detail: string) =>
        `Falha do sistema na etapa "${step}": ${detail} Retome a execução quando estiver resolvida.`,
      workflow_lost:
        'O workflow no Temporal foi encerrado ou perdido. Retome a execução para seguir de onde estava, ou cancele-a.',
    },
  },
  {
    title: 'Runs',
    run: (id) => `Run ${id}`,
    status: statusEn,
    step: stepEn,
    doing: doingEn,
    trigger: triggerEn,
    message: messageEn,
    oneMessage: messageEn,
    reason: reasonEn,
    campaign: 'Campaign',
    state: 'State',
    occurrence: 'Date',
    lines: 'Lines',
    sent: 'Sent',
    failed: 'Failures',
    empty: 'No runs yet',
    emptyText: 'An enabled campaign runs on the dates of its schedule, or when you ask for it.',
    toCampaigns: 'See campaigns',
    nothingFound: 'No run with this filter',
    nothingFoundText: 'Choose another state or clear the filters.',
    progress: 'Progress',
    rate: 'Rate',
    perSecond: (rate) => `${rate} per second`,
    limit: (limit) => `provider's limit: ${counted(limit, 'segment', 'segments')} per second`,
    timeLeft: 'Time left',
    segments: 'Segments',
    byStatus: 'By status',
    byReason: 'By reason',
    noReasons: 'No failures, and nothing left out.',
    chart: 'Messages sent per second',
    chartHelp: 'Since the sending began; it goes on by itself while this page is open.',
    chartOver: 'From the beginning of the sending to its end.',
    chartEmpty: 'It shows up when the sending begins.',
    perSecondSent: 'Sent per second',
    perSecondFailed: 'Failures per second',
    asTable: 'See as a table',
    until: 'Until',
    sentByThen: 'Sent by then',
    failedByThen: 'Failed by then',
    details: 'Details',
    how: 'Started by',
    started: 'Start',
    mailingRead: 'Mailing read',
    sendingBegan: 'Sending began',
    finished: 'End',
    expires: 'Expires',
    approved: 'Approved',
    temporal: 'See in Temporal',
    pause: 'Pause',
    resume: 'Resume',
    approve: 'Approve and send',
    retry: 'Retry from where it stopped',
    cancelRun: 'Cancel the run',
    cancelText: (unsent) => {
      const few: Readonly<Record<string, string>> = {
        0: 'Nothing more will be sent',
        1: 'The message that has not left will never be sent',
      };
      return `${few[unsent] ?? `The ${unsent} messages that have not left will never be sent`}. What has left stays sent.`;
    },
    cancelled: 'Asked to cancel.',
    paused: 'The run is paused.',
    resumed: 'The run goes on.',
    approvedNotice: 'The run is approved.',
    retried: 'The run goes on from where it stopped.',
    approveText: (unsent) => `Once approved, the run sends ${counted(unsent, 'message', 'messages')}.`,
    resend: 'Resend what failed',
    resendOf: 'Resend of',
    resends: 'Sent again by',
    toCampaign: 'Go to the campaign',
    more: 'See and download',
    allMessages: 'Messages of this run',
    messagesCsv: 'Download the messages (CSV)',
    badLines: 'Download the lines left out, to mend and send (CSV)',
    answer: 'Download the answer of the web service (JSON)',
    replies: 'Replies to this run',
    tickets: 'Tickets of this run',
    of: (done, total) => `${done} of ${total}`,
    why: 'Reason',
    retryingState: (status) => `${status}, retrying after a failure`,
    waiting: {
      approval: 'Waits for a person to approve it.',
      resume: 'Waits for someone to resume or cancel it.',
      hours: (at) => `Outside the sending hours. Goes on at ${at}.`,
      hoursNever: 'Outside the sending hours.',
      canary: (at) =>
        `The first messages have left. The others wait for their receipts and answers until ${at}.`,
    },
    fetching: (records, size) =>
      `The web service is answering: ${counted(records, 'record', 'records')} so far, ${size}.`,
    fetched: (records, size) =>
      `The web service has answered: ${counted(records, 'record', 'records')}, ${size}. The mailing is being read.`,
    preflight: 'Pre-flight',
    preflightFacts: {
      lines: 'Lines',
      toSend: 'To send',
      leftOut: 'Left out',
      segments: 'Segments',
      duration: 'Expected duration',
      starts: 'Begins to leave',
      ends: 'Expected end',
      durationUnknown: 'Not known: the provider has no rate limit',
    },
    fits: {
      nothing_to_send: 'There is nothing to send.',
      first_opening: 'It fits the sending hours.',
      later_opening: 'It does not fit into one opening of the sending hours: it goes on at the next.',
      expires: 'It expires before its end.',
      never: 'With these sending hours it would not end within a year.',
      unknown: '',
    },
    segmentsLeft: (segments) => `About ${counted(segments, 'segment', 'segments')} would stay unsent.`,
    dryRunDone: 'Dry run: nothing was sent.',
    causes: {
      pending_run: (run, unsent) =>
        unsent === null
          ? `Run ${run} of this campaign has not finished yet.`
          : `Run ${run} of this campaign still has ${unsent} unsent messages. Retry or cancel it, or allow runs despite pending ones.`,
      beyond_grace: (late, grace) =>
        `The system was down: ${late} late is beyond the grace period of ${grace}.`,
      superseded: (by) => `The system was down; the later occurrence of ${by} ran instead.`,
      missed_by_restore: (at) =>
        `The database was restored from a backup of ${at}, and this run may have been done after that. If it was not, run the campaign now.`,
      stopped_by_restore: (at) =>
        `Stopped: the database was restored from a backup of ${at}. What was queued then may have been sent since; what the provider lists is marked as sent. Retry the run to send the rest, or cancel it.`,
      expired: (at) => `It expired at ${at}: what was left is cancelled.`,
      no_contacts: (run, lines) =>
        `The mailing had no contacts, while that of run ${run} before it had ${lines}. Check its source, which may have answered with nothing by mistake.`,
      hours_never_open:
        'The sending hours do not open within a year. This run keeps them, also when it is retried: cancel it, correct them, then run the campaign again.',
      by_user: 'Asked for by a person.',
      by_temporal: 'Cancelled in Temporal.',
      provider_account: (code, detail) =>
        `The SMS provider refuses the account (${code}): ${detail} Mend it there, then resume the run.`,
      threshold: (failures, outcomes, percent, limit) =>
        `Stopped: ${failures} of ${outcomes} messages (${percent} %) failed or led to an opt-out, more than the ${limit} % that the campaign allows. Look into the failures, then resume or cancel the run.`,
      mailing_refused: (detail) =>
        `The mailing can't be read: ${detail} Replace the file of the campaign, then retry the run.`,
      webservice_refused: (detail) =>
        `The web service can't be read: ${detail} Once that is mended, there or in the campaign, retry the run.`,
      fault: (step, detail) =>
        `A fault of the system in the step "${step}": ${detail} Retry the run once it is mended.`,
      workflow_lost:
        'Its workflow in Temporal was terminated or lost. Retry the run to go on where it was, or cancel it.',
    },
  },
);
type RunWords = (typeof runs)['en'];

/** What is wrong with a web service, in the reader's language where it is kept by its parts. */
function refusalWords(
  { mailingCode, params, detail }: Extract<RunReason, { code: 'webservice_refused' }>,
  format: Format,
): string {
  const known = params === undefined ? null : readFault(mailingCode, params);
  return known === null ? detail : problemWords(known, format);
}

/** Why a run is paused, or ended other than by finishing, for a person. */
export function causeWords(t: RunWords, format: Format, reason: RunReason): string {
  switch (reason.code) {
    case 'pending_run':
      return t.causes.pending_run(
        String(reason.runId),
        reason.unsent === null ? null : format.number(reason.unsent),
      );
    case 'beyond_grace':
      return t.causes.beyond_grace(format.duration(reason.lateMs), format.duration(reason.graceMs));
    case 'superseded':
      return t.causes.superseded(instantWords(format, reason.by));
    case 'missed_by_restore':
      return t.causes.missed_by_restore(instantWords(format, reason.backupAt));
    case 'stopped_by_restore':
      return t.causes.stopped_by_restore(instantWords(format, reason.backupAt));
    case 'expired':
      return t.causes.expired(instantWords(format, reason.expiresAt));
    case 'provider_account':
      return t.causes.provider_account(reason.providerCode, reason.detail);
    case 'threshold':
      return t.causes.threshold(
        format.number(reason.failures),
        format.number(reason.outcomes),
        format.number(reason.percent),
        format.number(reason.stopAtPercent),
      );
    case 'no_contacts':
      return t.causes.no_contacts(String(reason.runId), format.number(reason.lines));
    case 'mailing_refused':
      return t.causes.mailing_refused(reason.detail);
    case 'webservice_refused':
      return t.causes.webservice_refused(refusalWords(reason, format));
    case 'fault':
      return t.causes.fault(t.step[reason.step], reason.detail);
    case 'hours_never_open':
    case 'by_user':
    case 'by_temporal':
    case 'workflow_lost':
      return t.causes[reason.code];
  }
}

/** What a run waits for, for a person. */
export function waitingWords(
  t: RunWords,
  format: Format,
  { code, until }: { code: (typeof waitingCodes)[number]; until: Date | null },
): string {
  switch (code) {
    case 'approval':
    case 'resume':
      return t.waiting[code];
    case 'canary':
      return t.waiting.canary(until ? format.dateTime(until) : '—');
    case 'hours':
      return until ? t.waiting.hours(format.dateTime(until)) : t.waiting.hoursNever;
  }
}

/** What is an instant in ISO 8601 is shown in the reader's zone; anything else as it is. */
function instantWords(format: Format, text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : format.dateTime(at);
}
