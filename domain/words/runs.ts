import type { RunTrigger } from '../run.ts';
import { dictionary } from './dictionary.ts';

type Names<K extends string> = Record<string, string> & Record<K, string>;

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

/** The labels of a run's fields, in pages and in files. */
export const runLabels = dictionary(
  {
    number: 'Execução',
    trigger: triggerPt,
    campaign: 'Campanha',
    state: 'Situação',
    currentStep: 'Etapa',
    occurrence: 'Data',
    day: 'Dia',
    lines: 'Linhas',
    how: 'Origem',
    started: 'Início',
    mailingRead: 'Mailing lido',
    sendingBegan: 'Início do envio',
    finished: 'Fim',
    why: 'Motivo',
  },
  {
    number: 'Run',
    trigger: triggerEn,
    campaign: 'Campaign',
    state: 'State',
    currentStep: 'Step',
    occurrence: 'Date',
    day: 'Day',
    lines: 'Lines',
    how: 'Started by',
    started: 'Start',
    mailingRead: 'Mailing read',
    sendingBegan: 'Sending began',
    finished: 'End',
    why: 'Reason',
  },
);
