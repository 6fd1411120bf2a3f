import type { Breakdown } from '../report.ts';
import { dictionary } from './dictionary.ts';

type Names<K extends string> = Record<string, string> & Record<K, string>;

const byPt: Names<Breakdown> = {
  campaign: 'Campanha',
  day: 'Dia',
  month: 'Mês',
  hour: 'Hora',
  region: 'Região',
  customerType: 'Tipo de cliente',
  provider: 'Provedor',
};
const byEn: Names<Breakdown> = {
  campaign: 'Campaign',
  day: 'Day',
  month: 'Month',
  hour: 'Hour',
  region: 'Region',
  customerType: 'Customer type',
  provider: 'Provider',
};

/** The names of a report's columns and rows, for the console and for files. */
export const reportLabels = dictionary(
  {
    by: byPt,
    figures: {
      lines: 'Linhas',
      toSend: 'A enviar',
      accepted: 'Enviadas',
      delivered: 'Entregues',
      undelivered: 'Não entregues',
      sent: 'Sem confirmação',
      failed: 'Falhas',
      unknown: 'Incertas',
      queued: 'Na fila',
      cancelled: 'Canceladas',
      skipped: 'Deixadas de fora',
      replies: 'Respostas',
      optOuts: 'Descadastros',
      tickets: 'Atendimentos',
      answered: 'Atendimentos respondidos',
      firstAnswer: 'Primeira resposta',
      firstAnswerSeconds: 'Primeira resposta, média em segundos',
      segments: 'Segmentos',
      unknownSegments: 'Segmentos incertos',
      cost: 'Custo',
      unpriced: 'Segmentos sem preço',
      currency: 'Moeda',
    },
    reason: 'Motivo',
    status: 'Situação',
    messages: 'Mensagens',
    none: {
      campaign: 'Sem campanha',
      region: 'Sem região',
      customerType: 'Sem tipo de cliente',
      provider: 'Sem provedor',
    },
  },
  {
    by: byEn,
    figures: {
      lines: 'Lines',
      toSend: 'To send',
      accepted: 'Sent',
      delivered: 'Delivered',
      undelivered: 'Undelivered',
      sent: 'No receipt',
      failed: 'Failed',
      unknown: 'Unknown',
      queued: 'Queued',
      cancelled: 'Cancelled',
      skipped: 'Skipped',
      replies: 'Replies',
      optOuts: 'Opt-outs',
      tickets: 'Tickets',
      answered: 'Tickets answered',
      firstAnswer: 'First answer',
      firstAnswerSeconds: 'First answer, average in seconds',
      segments: 'Segments',
      unknownSegments: 'Unknown segments',
      cost: 'Cost',
      unpriced: 'Segments without a price',
      currency: 'Currency',
    },
    reason: 'Reason',
    status: 'Status',
    messages: 'Messages',
    none: {
      campaign: 'No campaign',
      region: 'No region',
      customerType: 'No customer type',
      provider: 'No provider',
    },
  },
);
