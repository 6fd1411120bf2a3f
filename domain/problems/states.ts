import type { MessageStatus } from '../message.ts';
import type { RunStatus, RunStep } from '../run.ts';
import type { Locale, Role } from '../user.ts';

/** The names of states, as pages, files and sentences write them. */
type Names<K extends string> = Readonly<Record<Locale, Readonly<Record<K, string>>>>;

export const roleWords: Names<Role> = {
  'pt-BR': { admin: 'Administrador', operator: 'Operador', viewer: 'Leitor' },
  en: { admin: 'Administrator', operator: 'Operator', viewer: 'Viewer' },
};

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
    skipped: 'Left out',
    unknown: 'Unknown',
    cancelled: 'Cancelled',
  },
};
