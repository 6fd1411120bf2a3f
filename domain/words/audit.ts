import type { Changes, ChangeValue } from '../changes.ts';
import type { Format } from '../format.ts';
import { type Locale, roles } from '../user.ts';
import { localeNames, roleLabels } from './access.ts';
import { alertKindLabels, alertWebhookFieldLabels, emailFieldLabels, smtpSecurityLabels } from './alerts.ts';
import {
  campaignFieldLabels,
  recurrenceLabels,
  sourceLabels,
  ticketPolicyLabels,
  weekdayLabels,
} from './campaigns.ts';
import { privacyFieldLabels } from './customers.ts';
import { type Dictionary, dictionary } from './dictionary.ts';
import { providerFieldLabels } from './providers.ts';
import { automaticTextFieldLabels, replyWordFieldLabels } from './replies.ts';
import { integrationFieldLabels, settingFieldLabels } from './settings.ts';
import {
  ticketAutomationFieldLabels,
  ticketEventLabels,
  ticketLabels,
  ticketPostingFieldLabels,
} from './tickets.ts';

/** The audit log in sentences, for pages and files. */

type Details = Readonly<Record<string, unknown>>;
/** What the actor did, after their name. `subject` begins with its article. */
type Deed = (subject: string, details: Details) => string;

const numberIn = (details: Details, key: string): string => {
  const value = details[key];
  return typeof value === 'number' ? String(value) : '';
};

/** To which numbers a price applies, and from which day. */
const priceOf = ({ prefix, firstDay }: Details, locale: Locale): string => {
  const country = typeof prefix === 'string' && prefix !== '' ? `+${prefix}, ` : '';
  if (typeof firstDay !== 'string') return '';
  return locale === 'en'
    ? ` (${country}from ${firstDay})`
    : ` (${country}a partir de ${firstDay.split('-').toReversed().join('/')})`;
};

const deedsPt = {
  create: (s) => `criou ${s}`,
  update: (s) => `alterou ${s}`,
  delete: (s) => `excluiu ${s}`,
  'campaign.enable': (s) => `habilitou ${s}`,
  'campaign.disable': (s) => `desabilitou ${s}`,
  'campaign.run_now': (s, d) => `iniciou a execução ${numberIn(d, 'runId')} d${s}`,
  'campaign.dry_run': (s, d) => `iniciou a simulação ${numberIn(d, 'runId')} d${s}`,
  'campaign.mailing': (s, d) => `trocou o arquivo d${s} (linhas: ${numberIn(d, 'lines')})`,
  'campaign.test_send': (s) => `fez um envio de teste d${s}`,
  'campaign.archive': (s) => `arquivou ${s}`,
  'campaign.restore': (s) => `restaurou ${s}`,
  'run.pause': (s) => `pausou ${s}`,
  'run.resume': (s, d) => `continuou ${s}${d.beyondBudget === true ? ', além do orçamento' : ''}`,
  'run.approve': (s, d) => `aprovou ${s}${d.beyondBudget === true ? ', além do orçamento' : ''}`,
  'run.cancel': (s) => `cancelou ${s}`,
  'run.retry': (s) => `retomou ${s}, que tinha falhado`,
  'run.seen': (s) => `marcou ${s} como vista`,
  'run.resend': (s) => `reenviou mensagens d${s}`,
  'run.resolve': (s, d) => `resolveu mensagens incertas d${s} (${numberIn(d, 'messages')})`,
  'run.fail_over': (s) => `passou ${s} para o provedor reserva`,
  'run.workflow_lost': (s) => `encontrou ${s} sem o seu workflow`,
  'run.counts_corrected': (s) => `corrigiu as contagens d${s}`,
  'run.messages_ended': (s) => `encerrou mensagens pendentes d${s}`,
  'run.stopped_by_restore': (s) => `parou ${s}, porque o banco foi restaurado de um backup`,
  'restore.complete': () => 'liberou o início de execuções depois da restauração de um backup',
  'message.resolve': (s) => `resolveu ${s}, que estava incerta`,
  'user.profile': () => 'alterou o próprio perfil',
  'user.password': () => 'trocou a própria senha',
  'user.password_reset': () => 'escolheu uma senha nova pelo link do e-mail',
  'user.alerts': () => 'escolheu os avisos que recebe',
  'token.revoke': (s) => `revogou ${s}`,
  'provider.release': (s) => `liberou ${s}, que estava parado`,
  'provider.fallback': (s) => `alterou o provedor reserva d${s}`,
  'provider.set_price': (s, d) => `informou o preço do segmento d${s}${priceOf(d, 'pt-BR')}`,
  'provider.remove_price': (s, d) => `removeu o preço do segmento d${s}${priceOf(d, 'pt-BR')}`,
  'provider.read_again': (s) => `leu de novo as chamadas d${s}`,
  'provider.set_aside': (s) => `descartou chamadas não lidas d${s}`,
  'customer.import': (_, d) => `importou um arquivo de clientes (linhas: ${numberIn(d, 'lines')})`,
  'customer.consent': (s) => `registrou o consentimento d${s}`,
  'opt_out.create': (s) => `registrou ${s}`,
  'opt_out.remove': (s) => `removeu ${s}`,
  'hold.opt_out': (s) => `confirmou ${s}, que era provável`,
  'hold.release': (s) => `decidiu que ${s} não era um descadastro`,
  'hold.undecided': (s) => `confirmou ${s}, por falta de decisão no prazo`,
  'person.export': () => 'exportou os dados de uma pessoa',
  'person.erase': () => 'apagou os dados de uma pessoa',
  'ticket.answer': (s) => `respondeu por SMS ao cliente d${s}`,
  'answer.resolve': (s) => `resolveu ${s}, que estava incerta`,
  'ticket.note': (s) => `incluiu uma nota n${s}`,
  'company.logo': (_, d) =>
    d.removed === true ? 'removeu o logotipo da empresa' : 'trocou o logotipo da empresa',
  'ticket_post.replay': (s) => `enviou ${s} de novo ao helpdesk`,
  'ticket_post.replay_failed': (_, d) =>
    `enviou de novo ao helpdesk os atendimentos que falharam (${numberIn(d, 'replayed')})`,
} satisfies Record<string, Deed>;

/** Of any noun. */
type CommonDeed = 'create' | 'update' | 'delete';
/** What an entry records: `campaign.enable`. Each has its words. */
export type AuditAction = Exclude<keyof typeof deedsPt, CommonDeed> | `${string}.${CommonDeed}`;

const deedsEn: Record<keyof typeof deedsPt, Deed> = {
  create: (s) => `created ${s}`,
  update: (s) => `changed ${s}`,
  delete: (s) => `deleted ${s}`,
  'campaign.enable': (s) => `enabled ${s}`,
  'campaign.disable': (s) => `disabled ${s}`,
  'campaign.run_now': (s, d) => `started run ${numberIn(d, 'runId')} of ${s}`,
  'campaign.dry_run': (s, d) => `started dry run ${numberIn(d, 'runId')} of ${s}`,
  'campaign.mailing': (s, d) => `replaced the file of ${s} (lines: ${numberIn(d, 'lines')})`,
  'campaign.test_send': (s) => `made a test send of ${s}`,
  'campaign.archive': (s) => `archived ${s}`,
  'campaign.restore': (s) => `restored ${s}`,
  'run.pause': (s) => `paused ${s}`,
  'run.resume': (s, d) => `resumed ${s}${d.beyondBudget === true ? ', beyond the budget' : ''}`,
  'run.approve': (s, d) => `approved ${s}${d.beyondBudget === true ? ', beyond the budget' : ''}`,
  'run.cancel': (s) => `cancelled ${s}`,
  'run.retry': (s) => `retried ${s}, which had failed`,
  'run.seen': (s) => `marked ${s} as seen`,
  'run.resend': (s) => `resent messages of ${s}`,
  'run.resolve': (s, d) => `resolved unknown messages of ${s} (${numberIn(d, 'messages')})`,
  'run.fail_over': (s) => `moved ${s} to the fallback provider`,
  'run.workflow_lost': (s) => `found ${s} without its workflow`,
  'run.counts_corrected': (s) => `corrected the counts of ${s}`,
  'run.messages_ended': (s) => `ended pending messages of ${s}`,
  'run.stopped_by_restore': (s) => `stopped ${s}, because the database was restored from a backup`,
  'restore.complete': () => 'allowed runs to start after the restore of a backup',
  'message.resolve': (s) => `resolved ${s}, which was unknown`,
  'user.profile': () => 'changed their own profile',
  'user.password': () => 'changed their own password',
  'user.password_reset': () => 'chose a new password with the link from an e-mail',
  'user.alerts': () => 'chose the alerts that they receive',
  'token.revoke': (s) => `revoked ${s}`,
  'provider.release': (s) => `released ${s}, which was stopped`,
  'provider.fallback': (s) => `changed the fallback of ${s}`,
  'provider.set_price': (s, d) => `set the price of a segment of ${s}${priceOf(d, 'en')}`,
  'provider.remove_price': (s, d) => `removed the price of a segment of ${s}${priceOf(d, 'en')}`,
  'provider.read_again': (s) => `read the calls of ${s} again`,
  'provider.set_aside': (s) => `dismissed unread calls of ${s}`,
  'customer.import': (_, d) => `imported a file of customers (lines: ${numberIn(d, 'lines')})`,
  'customer.consent': (s) => `recorded the consent of ${s}`,
  'opt_out.create': (s) => `recorded ${s}`,
  'opt_out.remove': (s) => `removed ${s}`,
  'hold.opt_out': (s) => `confirmed ${s}, which was probable`,
  'hold.release': (s) => `decided that ${s} was not an opt-out`,
  'hold.undecided': (s) => `confirmed ${s}, because it was not decided in time`,
  'person.export': () => 'exported the data of a person',
  'person.erase': () => 'erased the data of a person',
  'ticket.answer': (s) => `answered the customer of ${s} by SMS`,
  'answer.resolve': (s) => `resolved ${s}, which was unknown`,
  'ticket.note': (s) => `added a note to ${s}`,
  'company.logo': (_, d) =>
    d.removed === true ? 'removed the logo of the company' : 'replaced the logo of the company',
  'ticket_post.replay': (s) => `posted ${s} to the helpdesk again`,
  'ticket_post.replay_failed': (_, d) =>
    `posted the failed tickets to the helpdesk again (${numberIn(d, 'replayed')})`,
};
const deeds: Readonly<Record<Locale, Readonly<Record<string, Deed>>>> = { 'pt-BR': deedsPt, en: deedsEn };

export const auditWords = dictionary(
  {
    at: 'Quando',
    actor: 'Quem',
    what: 'O quê',
    kind: 'Tipo',
    id: 'Número',
    day: 'Dia',
    changes: 'O que mudou',
    system: 'O sistema',
    token: (name: string) => `O token “${name}”`,
    other: (action: string, subject: string) => `fez “${action}” em ${subject}`,
    change: (field: string, from: string, to: string) => `${field}: de ${from} para ${to}`,
    yes: 'sim',
    no: 'não',
    nothing: 'vazio',
    fields: {
      archived: 'Arquivado',
      enabled: 'Ativo',
      role: 'Perfil',
      login: 'Usuário',
      password: 'Senha',
      newSecrets: 'Credenciais',
      consentRequired: 'Exigir consentimento',
      monthly: 'Valor por mês',
      price: 'Preço',
    },
    /** With their articles; without them, the names of the kinds. */
    subjects: {
      campaign: 'a campanha',
      run: 'a execução',
      message: 'a mensagem',
      user: 'o usuário',
      token: 'o token',
      provider: 'o provedor',
      sending_hours: 'o horário de execução',
      holiday_calendar: 'o calendário de feriados',
      region: 'a região',
      customer_type: 'o tipo de cliente',
      department: 'o setor',
      assignee: 'o responsável',
      category: 'o tipo de ocorrência',
      subcategory: 'a ocorrência',
      extra_field_group: 'o grupo de campos extras',
      quick_reply: 'a resposta rápida',
      resolution: 'a solução',
      integration: 'a integração',
      customer: 'o cliente',
      opt_out: 'o descadastro',
      restore: 'a restauração de backup',
      reply_words: 'as palavras de resposta',
      automatic_texts: 'os textos automáticos',
      ticket: 'o atendimento',
      answer: 'a resposta ao cliente',
      budget: 'o orçamento',
      ticket_automation: 'a movimentação automática de atendimentos',
      ticket_posting: 'o envio de atendimentos',
      alert_settings: 'os avisos por perfil',
      email_settings: 'o servidor de e-mail',
      alert_webhook: 'o webhook de avisos',
      company: 'a empresa',
      privacy: 'a privacidade',
    },
  },
  {
    at: 'When',
    actor: 'Who',
    what: 'What',
    kind: 'Kind',
    id: 'Number',
    day: 'Day',
    changes: 'What changed',
    system: 'The system',
    token: (name) => `The token “${name}”`,
    other: (action, subject) => `performed “${action}” on ${subject}`,
    change: (field, from, to) => `${field}: from ${from} to ${to}`,
    yes: 'yes',
    no: 'no',
    nothing: 'empty',
    fields: {
      archived: 'Archived',
      enabled: 'Active',
      role: 'Role',
      login: 'Login',
      password: 'Password',
      newSecrets: 'Credentials',
      consentRequired: 'Require consent',
      monthly: 'Amount per month',
      price: 'Price',
    },
    subjects: {
      campaign: 'the campaign',
      run: 'the run',
      message: 'the message',
      user: 'the user',
      token: 'the token',
      provider: 'the provider',
      sending_hours: 'the sending hours',
      holiday_calendar: 'the holiday calendar',
      region: 'the region',
      customer_type: 'the customer type',
      department: 'the department',
      assignee: 'the assignee',
      category: 'the category',
      subcategory: 'the subcategory',
      extra_field_group: 'the extra-field group',
      quick_reply: 'the quick reply',
      resolution: 'the resolution',
      integration: 'the integration',
      customer: 'the customer',
      opt_out: 'the opt-out',
      restore: 'the restore of a backup',
      reply_words: 'the reply words',
      automatic_texts: 'the automatic texts',
      ticket: 'the ticket',
      answer: 'the answer to a customer',
      budget: 'the budget',
      ticket_automation: 'the automatic moves of tickets',
      ticket_posting: 'the ticket posting',
      alert_settings: 'the alerts by role',
      email_settings: 'the e-mail server',
      alert_webhook: 'the webhook of alerts',
      company: 'the company',
      privacy: 'the privacy settings',
    },
  },
);

/** An entry of the log. */
export interface Deeds {
  /** `user:7`, `token:3`, `system` */
  actor: string;
  actorName: string;
  action: string;
  subjectKind: string;
  subjectId: number | null;
  /** Null: a subject without a name, or whose name is personal data. */
  subjectName: string | null;
  details: Details;
  changes: Changes;
}

/** The name of a kind of subject, as a heading: without its article. */
export function subjectWords(kind: string, { locale }: Format): string {
  const named: Readonly<Record<string, string>> = auditWords[locale].subjects;
  const name = (named[kind] ?? kind).replace(/^\S+ /, '');
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Who did what: `Maria mudou a campanha “Cobrança”`. */
export function deedWords(entry: Deeds, { locale }: Format): string {
  const t = auditWords[locale];
  const { action, actorName, subjectKind, subjectId, subjectName } = entry;
  const subjects: Readonly<Record<string, string>> = t.subjects;
  const kind = subjects[subjectKind] ?? subjectKind;
  const name =
    subjectName === null
      ? subjectId === null || kind === subjectKind
        ? ''
        : ` ${subjectId}`
      : ` “${subjectName}”`;
  const number = subjectKind === 'run' && subjectId !== null ? ` ${subjectId}` : '';
  const subject =
    subjectKind === 'run' && subjectName !== null ? `${kind}${number} (“${subjectName}”)` : kind + name;
  const who =
    entry.actor === 'system' ? t.system : entry.actor.startsWith('token:') ? t.token(actorName) : actorName;
  const deed = deeds[locale][action] ?? deeds[locale][action.split('.').at(-1) ?? ''];
  return `${who} ${deed ? deed(subject, entry.details) : t.other(action, subject)}`;
}

/** The labels of the fields of those that are no entries of the settings. */
const fieldLabels: Readonly<Record<string, Labels>> = {
  campaign: campaignFieldLabels,
  provider: providerFieldLabels,
  integration: integrationFieldLabels,
  reply_words: replyWordFieldLabels,
  automatic_texts: automaticTextFieldLabels,
  ticket_automation: ticketAutomationFieldLabels,
  ticket_posting: ticketPostingFieldLabels,
  alert_settings: roleLabels,
  alert_webhook: alertWebhookFieldLabels,
  email_settings: emailFieldLabels,
  privacy: privacyFieldLabels,
};

type Labels = Dictionary<Readonly<Record<string, string>>>;

/** The words of fields whose values are codes, by kind of subject. */
const valueLabels: Readonly<Record<string, Readonly<Record<string, Labels>>>> = {
  campaign: {
    'schedule.recurrence.every': recurrenceLabels,
    'schedule.recurrence.days': weekdayLabels,
    'mailing.source': sourceLabels,
    'ticketPolicy.when': ticketPolicyLabels,
    'ticketPolicy.channel': dictionary({ sms: 'SMS' }, { sms: 'SMS' }),
    'ticketPolicy.status': dictionary(ticketLabels['pt-BR'].statuses, ticketLabels.en.statuses),
  },
  user: { role: roleLabels },
  token: { role: roleLabels },
  ticket_posting: { events: ticketEventLabels },
  alert_settings: Object.fromEntries(roles.map((role) => [role, alertKindLabels])),
  alert_webhook: { kinds: alertKindLabels, locale: dictionary(localeNames, localeNames) },
  email_settings: { security: smtpSecurityLabels },
};

/** What changed, a line for each field: `Mensagem: de “Olá” para “Bom dia”`. */
export function changeWords({ subjectKind, changes, details }: Deeds, format: Format): string[] {
  const t = auditWords[format.locale];
  const labels: Readonly<Record<string, string>> = {
    ...t.fields,
    ...settingFieldLabels[format.locale],
    ...fieldLabels[subjectKind]?.[format.locale],
  };
  const lines = Object.entries(changes).flatMap(([field, [from, to]]) => {
    const label = labels[field] ?? field;
    if (from === null && to === null) return [label];
    const before = wordsOf(subjectKind, field, from, format);
    const after = wordsOf(subjectKind, field, to, format);
    // What was never set and what is empty are the same to a reader.
    return before === after ? [] : [t.change(label, before, after)];
  });
  if (details.newSecrets === true) lines.push(t.fields.newSecrets);
  return lines;
}

/** Fields with an amount of money: a decimal with a point. */
const amounts: ReadonlySet<string> = new Set(['monthly', 'price', 'safeguards.monthlyBudget']);

function wordsOf(subject: string, field: string, value: ChangeValue, format: Format): string {
  const words = valueLabels[subject]?.[field]?.[format.locale];
  if (words && value !== null && value !== '' && [value].flat().length > 0) {
    return format.list([value].flat().map((one) => words[String(one)] ?? String(one)));
  }
  return amounts.has(field) && typeof value === 'string' && value !== ''
    ? format.number(Number(value), { minimumFractionDigits: 2, maximumFractionDigits: 6 })
    : valueWords(value, format);
}

function valueWords(value: ChangeValue, format: Format): string {
  const t = auditWords[format.locale];
  if (value === null || value === '') return t.nothing;
  if (typeof value === 'boolean') return value ? t.yes : t.no;
  if (typeof value === 'number') return format.number(value);
  if (typeof value !== 'string') {
    return value.length === 0 ? t.nothing : format.list(value.map(String));
  }
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(value)
    ? format.wallTime(value.slice(0, 16))
    : `“${value}”`;
}
