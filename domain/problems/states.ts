import type { AnswerReason } from '../answer.ts';
import type { CancelReason, FailureReason, MessageStatus, SkipReason } from '../message.ts';
import type { RunStatus, RunStep } from '../run.ts';
import type { Locale } from '../user.ts';

/** The names of states in pages, files and sentences. */
type Names<K extends string> = Readonly<Record<Locale, Readonly<Record<K, string>>>>;

export const runStatusWords: Names<RunStatus> = {
  'pt-BR': {
    running: 'Em execução',
    paused: 'Pausada',
    cancelling: 'Cancelando',
    finished: 'Concluída',
    skipped: 'Não executada',
    missed: 'Perdida',
    cancelled: 'Cancelada',
    failed: 'Falhou',
  },
  en: {
    running: 'Running',
    paused: 'Paused',
    cancelling: 'Cancelling',
    finished: 'Finished',
    skipped: 'Skipped',
    missed: 'Missed',
    cancelled: 'Cancelled',
    failed: 'Failed',
  },
};

export const runStepWords: Names<RunStep> = {
  'pt-BR': {
    due: 'Na hora',
    hours: 'Horário de execução',
    pending_check: 'Pendências',
    mailing: 'Mailing',
    preflight: 'Conferência',
    approval: 'Aprovação',
    sending: 'Envio',
    tickets: 'Atendimentos',
    done: 'Concluída',
  },
  en: {
    due: 'Due',
    hours: 'Sending hours',
    pending_check: 'Pending runs',
    mailing: 'Mailing',
    preflight: 'Pre-flight',
    approval: 'Approval',
    sending: 'Sending',
    tickets: 'Tickets',
    done: 'Done',
  },
};

/** Of one message. */
export const messageStatusWords: Names<MessageStatus> = {
  'pt-BR': {
    queued: 'Na fila',
    sending: 'Enviando',
    sent: 'Enviada',
    delivered: 'Entregue',
    undelivered: 'Não entregue',
    failed: 'Com falha',
    skipped: 'Deixada de fora',
    unknown: 'Incerta',
    cancelled: 'Cancelada',
  },
  en: {
    queued: 'Queued',
    sending: 'Sending',
    sent: 'Sent',
    delivered: 'Delivered',
    undelivered: 'Undelivered',
    failed: 'Failed',
    skipped: 'Skipped',
    unknown: 'Unknown',
    cancelled: 'Cancelled',
  },
};

/** Of several, as the heading of their number. */
export const messagesStatusWords: Names<MessageStatus> = {
  'pt-BR': {
    queued: 'Na fila',
    sending: 'Enviando',
    sent: 'Enviadas',
    delivered: 'Entregues',
    undelivered: 'Não entregues',
    failed: 'Com falha',
    skipped: 'Deixadas de fora',
    unknown: 'Incertas',
    cancelled: 'Canceladas',
  },
  en: messageStatusWords.en,
};

type MessageReason = SkipReason | FailureReason | CancelReason | AnswerReason;

/** Why messages were skipped, failed or were cancelled. */
export const messageReasonWords: Readonly<
  Record<Locale, Readonly<Record<MessageReason, string> & Record<string, string>>>
> = {
  'pt-BR': {
    phone_missing: 'Sem telefone',
    phone_invalid: 'Telefone inválido',
    not_a_mobile: 'Não é celular',
    duplicate_phone: 'Telefone repetido',
    no_consent: 'Sem consentimento',
    opted_out: 'Descadastrado',
    held: 'Descadastro provável, a decidir',
    message_too_long: 'Mensagem longa demais',
    word_exceeds_segment: 'Palavra longa demais para um segmento',
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
    erased: 'Dados apagados',
    stated_unsent: 'Não enviada, segundo um usuário',
  },
  en: {
    phone_missing: 'No phone',
    phone_invalid: 'Invalid phone',
    not_a_mobile: 'Not a mobile',
    duplicate_phone: 'Repeated phone',
    no_consent: 'No consent',
    opted_out: 'Opted out',
    held: 'Probable opt-out, to be decided',
    message_too_long: 'Message too long',
    word_exceeds_segment: 'Word too long for a segment',
    message_empty: 'Empty message',
    placeholder_unknown: 'Unknown placeholder in its own message',
    value_missing: 'A value of the text is missing',
    line_invalid: 'Invalid line',
    number_invalid: 'No such number',
    number_not_mobile: 'Number cannot receive SMS',
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
    erased: 'Data erased',
    stated_unsent: 'Not sent, according to a user',
  },
};
