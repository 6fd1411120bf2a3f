import { extraTypes } from '../contact.ts';
import { z } from 'zod';
import { sentence } from './sentence.ts';

const fieldType = z.enum(extraTypes);
const typeWords = {
  en: { text: 'text', number: 'number', money: 'money', date: 'date', boolean: 'yes or no' },
  'pt-BR': { text: 'texto', number: 'número', money: 'dinheiro', date: 'data', boolean: 'sim ou não' },
} as const;

const status = z.enum(['open', 'in_progress', 'waiting', 'finished']);
const statusWords = {
  en: { open: 'open', in_progress: 'in progress', waiting: 'waiting', finished: 'finished' },
  'pt-BR': { open: 'Aberto', in_progress: 'Em andamento', waiting: 'Aguardando', finished: 'Finalizado' },
} as const;
const inBraces = (name: string): string => `{${name}}`;
/** The English names of placeholders that every message has. */
const englishNames: ReadonlyMap<string, string> = new Map([
  ['codigo', 'code'],
  ['nome', 'name'],
  ['primeiro_nome', 'first_name'],
]);

/** Problems of a campaign's schedule, hours, message, extra fields and tickets, and what it needs to be enabled. */
export const campaignSentences = {
  // The calendar
  weekday_expected: sentence(
    {},
    {
      en: 'Expected a day of the week: monday, tuesday, wednesday, thursday, friday, saturday or sunday.',
      'pt-BR': 'Escolha um dia da semana.',
    },
  ),
  weekday_missing: sentence(
    {},
    { en: 'Choose at least one day of the week.', 'pt-BR': 'Escolha ao menos um dia da semana.' },
  ),
  weekday_repeated: sentence(
    {},
    { en: 'A day of the week is listed twice.', 'pt-BR': 'Um dia da semana aparece duas vezes.' },
  ),
  timezone_unknown: sentence(
    {},
    {
      en: 'This time zone is not known. Expected an IANA name such as America/Sao_Paulo.',
      'pt-BR': 'Fuso horário desconhecido. Informe um nome como America/Sao_Paulo.',
    },
  ),
  date_time_format: sentence(
    {},
    { en: 'Expected a date and time such as 2026-03-31T09:00.', 'pt-BR': 'Informe data e hora.' },
  ),
  date_time_unreal: sentence(
    {},
    { en: 'The calendar has no such date or time.', 'pt-BR': 'Esta data não existe no calendário.' },
  ),
  year_range: sentence(
    {},
    { en: 'Expected a year from 1970 to 2199.', 'pt-BR': 'O ano deve estar entre 1970 e 2199.' },
  ),
  time_format: sentence(
    {},
    { en: 'Expected a time from 00:00 to 23:59.', 'pt-BR': 'Informe um horário de 00:00 a 23:59.' },
  ),
  closing_time_format: sentence(
    {},
    { en: 'Expected a time from 00:00 to 24:00.', 'pt-BR': 'Informe um horário de 00:00 a 24:00.' },
  ),
  window_empty: sentence(
    {},
    {
      en: 'The window ends when it starts. For a whole day enter 00:00 to 24:00.',
      'pt-BR': 'A janela termina quando começa. Para o dia inteiro, informe 00:00 a 24:00.',
    },
  ),
  window_missing: sentence(
    {},
    {
      en: 'Enter at least one window in which messages may be sent.',
      'pt-BR': 'Informe ao menos uma janela de envio.',
    },
  ),
  date_repeated: sentence({}, { en: 'A date is listed twice.', 'pt-BR': 'Uma data aparece duas vezes.' }),

  // The schedule
  interval_whole: sentence(
    {},
    { en: 'The interval is a whole number.', 'pt-BR': 'O intervalo é um número inteiro.' },
  ),
  interval_too_small: sentence({}, { en: 'The interval is at least 1.', 'pt-BR': 'O intervalo mínimo é 1.' }),
  interval_too_large: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }, { number }) => `The interval is at most ${number(maximum)}.`,
      'pt-BR': ({ maximum }, { number }) => `O intervalo máximo é ${number(maximum)}.`,
    },
  ),
  day_of_month: sentence(
    {},
    {
      en: 'Expected a day of the month from 1 to 31, or last.',
      'pt-BR': 'Informe um dia de 1 a 31, ou o último.',
    },
  ),
  recurrence_unknown: sentence(
    {},
    {
      en: 'Expected every to be one of once, minutes, hours, day, week, month, rule.',
      'pt-BR': 'Escolha a periodicidade.',
    },
  ),
  end_before_start: sentence(
    {},
    {
      en: 'The end is not after the start. Expected a later date and time, or none.',
      'pt-BR': 'O fim deve ser depois do início. Informe uma data posterior, ou nenhuma.',
    },
  ),
  never_occurs: sentence(
    {},
    {
      en: 'This schedule has no occurrence: check the recurrence, its start and its end.',
      'pt-BR': 'Este agendamento nunca ocorre: confira a periodicidade, o início e o fim.',
    },
  ),
  no_next_occurrence: sentence(
    {},
    {
      en: 'The schedule has no occurrence from now on: change its start or its end.',
      'pt-BR': 'O agendamento não tem mais nenhuma ocorrência: mude o início ou o fim.',
    },
  ),
  rule_too_long: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }, { number }) => `The rule has at most ${number(maximum)} characters.`,
      'pt-BR': ({ maximum }, { number }) => `A regra tem no máximo ${number(maximum)} caracteres.`,
    },
  ),
  rule_empty: sentence(
    {},
    {
      en: 'Enter a rule such as FREQ=WEEKLY;BYDAY=MO,WE.',
      'pt-BR': 'Informe uma regra como FREQ=WEEKLY;BYDAY=MO,WE.',
    },
  ),
  rule_dtstart: sentence(
    {},
    {
      en: 'Remove DTSTART: the rule starts with the schedule.',
      'pt-BR': 'Remova DTSTART: a regra começa com o agendamento.',
    },
  ),
  rule_bysecond: sentence(
    {},
    {
      en: 'Remove BYSECOND: the seconds are those of the start.',
      'pt-BR': 'Remova BYSECOND: os segundos são os do início.',
    },
  ),
  rule_freq_missing: sentence(
    {},
    { en: 'FREQ is missing, as in FREQ=DAILY.', 'pt-BR': 'Falta FREQ, como em FREQ=DAILY.' },
  ),
  rule_part_unreadable: sentence(
    { part: z.string() },
    {
      en: ({ part }) => `"${part}" is not a part of a rule. Expected NAME=VALUE, separated by semicolons.`,
      'pt-BR': ({ part }) =>
        `“${part}” não é uma parte de regra. O esperado é NOME=VALOR, separados por ponto e vírgula.`,
    },
  ),
  rule_part_unknown: sentence(
    { name: z.string(), known: z.array(z.string()) },
    {
      en: ({ name, known }, { choice }) =>
        `${name} is not a known part of a rule. Expected ${choice(known)}.`,
      'pt-BR': ({ name, known }, { choice }) =>
        `${name} não é uma parte de regra conhecida. O esperado é ${choice(known)}.`,
    },
  ),
  rule_part_repeated: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `The rule contains ${name} twice.`,
      'pt-BR': ({ name }) => `${name} aparece duas vezes na regra.`,
    },
  ),
  rule_part_choice: sentence(
    { name: z.string(), value: z.string(), options: z.array(z.string()) },
    {
      en: ({ name, value, options }, { choice }) =>
        `${name}=${value} is not valid. Expected ${choice(options)}.`,
      'pt-BR': ({ name, value, options }, { choice }) =>
        `${name}=${value} não é válido. O esperado é ${choice(options)}.`,
    },
  ),
  rule_part_number: sentence(
    { name: z.string(), value: z.string(), from: z.int(), to: z.int(), list: z.boolean() },
    {
      en: ({ name, value, from, to, list }, { number }) =>
        `${name}=${value} is not valid. Expected a whole number from ${number(from)} to ${number(to)}${list ? ', or several separated by commas' : ''}.`,
      'pt-BR': ({ name, value, from, to, list }, { number }) =>
        `${name}=${value} não é válido. O esperado é um número inteiro de ${number(from)} a ${number(to)}${list ? ', ou vários separados por vírgulas' : ''}.`,
    },
  ),
  rule_part_position: sentence(
    { name: z.string(), value: z.string(), last: z.int() },
    {
      en: ({ name, value, last }) =>
        `${name}=${value} is not valid. Expected a whole number from 1 to ${last} or from -${last} to -1, or several separated by commas.`,
      'pt-BR': ({ name, value, last }) =>
        `${name}=${value} não é válido. O esperado é um número inteiro de 1 a ${last} ou de -${last} a -1, ou vários separados por vírgulas.`,
    },
  ),
  rule_part_days: sentence(
    { name: z.string(), value: z.string() },
    {
      en: ({ name, value }) =>
        `${name}=${value} is not valid. Expected days such as MO, 1MO or -1FR, separated by commas.`,
      'pt-BR': ({ name, value }) =>
        `${name}=${value} não é válido. O esperado são dias como MO, 1MO ou -1FR, separados por vírgulas.`,
    },
  ),
  rule_until: sentence(
    { value: z.string() },
    {
      en: ({ value }) =>
        `UNTIL=${value} is not valid. Expected a date (20261231), a local time (20261231T180000) or a time in UTC (20261231T210000Z).`,
      'pt-BR': ({ value }) =>
        `UNTIL=${value} não é válido. O esperado é uma data (20261231), um horário local (20261231T180000) ou um horário em UTC (20261231T210000Z).`,
    },
  ),
  rule_count_and_until: sentence(
    {},
    { en: 'Use COUNT or UNTIL, not both.', 'pt-BR': 'Use COUNT ou UNTIL, não os dois.' },
  ),
  rule_only_with: sentence(
    { part: z.string(), needs: z.array(z.string()) },
    {
      en: ({ part, needs }, { choice }) => `${part} works only with ${choice(needs)}.`,
      'pt-BR': ({ part, needs }, { choice }) => `${part} só funciona com ${choice(needs)}.`,
    },
  ),
  rule_not_with: sentence(
    { part: z.string(), others: z.array(z.string()) },
    {
      en: ({ part, others }, { choice }) => `${part} does not work with ${choice(others)}.`,
      'pt-BR': ({ part, others }, { choice }) => `${part} não funciona com ${choice(others)}.`,
    },
  ),
  rule_numbered_day: sentence(
    {},
    {
      en: 'A numbered day in BYDAY, such as 1MO, works only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO.',
      'pt-BR':
        'Um dia numerado em BYDAY, como 1MO, só funciona com FREQ=MONTHLY, ou FREQ=YEARLY sem BYWEEKNO.',
    },
  ),
  rule_yearday_yearly: sentence(
    {},
    {
      en: 'With FREQ=YEARLY, BYYEARDAY does not work with BYDAY, BYMONTHDAY, BYWEEKNO or BYSETPOS.',
      'pt-BR': 'Com FREQ=YEARLY, BYYEARDAY não funciona com BYDAY, BYMONTHDAY, BYWEEKNO ou BYSETPOS.',
    },
  ),
  rule_weekno: sentence(
    {},
    {
      en: 'BYWEEKNO works only with BYDAY, and without BYMONTHDAY and BYSETPOS.',
      'pt-BR': 'BYWEEKNO só funciona com BYDAY, e sem BYMONTHDAY e BYSETPOS.',
    },
  ),
  rule_numbered_monthday: sentence(
    {},
    {
      en: 'A numbered day in BYDAY, such as 1MO, does not work with BYMONTHDAY.',
      'pt-BR': 'Um dia numerado em BYDAY, como 1MO, não funciona com BYMONTHDAY.',
    },
  ),
  rule_setpos_alone: sentence(
    {},
    {
      en: 'BYSETPOS needs another part to choose from, such as BYDAY.',
      'pt-BR': 'BYSETPOS precisa de outra parte para escolher, como BYDAY.',
    },
  ),
  rule_too_many_times: sentence(
    { maximum: z.int() },
    {
      en: ({ maximum }, { number }) =>
        `BYHOUR and BYMINUTE result in too many times a day. Expected at most ${number(maximum)}; for more use FREQ=MINUTELY.`,
      'pt-BR': ({ maximum }, { number }) =>
        `BYHOUR e BYMINUTE geram horários demais por dia. O máximo é ${number(maximum)}; para mais, use FREQ=MINUTELY.`,
    },
  ),

  // The message
  template_empty: sentence({}, { en: 'The message has no text.', 'pt-BR': 'A mensagem está vazia.' }),
  template_too_long: sentence(
    { length: z.int(), maximum: z.int() },
    {
      en: ({ length, maximum }, { count, number }) =>
        `The message has ${count(length, 'character', 'characters')}. The maximum is ${number(maximum)}.`,
      'pt-BR': ({ length, maximum }, { count, number }) =>
        `A mensagem tem ${count(length, 'caractere', 'caracteres')}. O máximo é ${number(maximum)}.`,
    },
  ),
  character_forbidden: sentence(
    {},
    {
      en: 'The message has a control character, which no phone displays.',
      'pt-BR': 'A mensagem tem um caractere de controle, que nenhum telefone mostra.',
    },
  ),
  placeholder_unknown: sentence(
    // Omitted for a contact's own message, which is not quoted.
    { written: z.string().optional(), known: z.array(z.string()).default([]) },
    {
      en: ({ written, known }, { list }) =>
        written === undefined
          ? 'The message of this contact has an unknown placeholder or a single brace.'
          : `{${written}} is not a placeholder. The placeholders are ${list(known.map((name) => inBraces(englishNames.get(name) ?? name)))}.`,
      'pt-BR': ({ written, known }, { list }) =>
        written === undefined
          ? 'A mensagem própria deste contato tem uma tag desconhecida ou uma chave sozinha.'
          : `{${written}} não é uma tag. As tags são ${list(known.map(inBraces))}.`,
    },
  ),
  placeholder_undeclared: sentence(
    { name: z.string() },
    {
      en: ({ name }) =>
        `The message uses {${name}}, which is not an extra field yet. Declare it here, or correct the message.`,
      'pt-BR': ({ name }) =>
        `A mensagem usa {${name}}, que ainda não é um campo extra. Declare-o aqui ou corrija a mensagem.`,
    },
  ),
  brace_unbalanced: sentence(
    { brace: z.enum(['{', '}']) },
    {
      en: ({ brace }) =>
        `This ${brace} has no matching brace. Use braces only for placeholders, one pair for each.`,
      'pt-BR': ({ brace }) =>
        `Esta chave ${brace} não faz par com outra. Chaves servem só para tags, um par para cada.`,
    },
  ),
  fallback_archived: sentence(
    {},
    {
      en: 'The fallback of this provider has been archived: set another one, or none.',
      'pt-BR': 'O provedor reserva deste provedor foi arquivado: defina outro para ele, ou nenhum.',
    },
  ),

  // Extra fields
  extra_field_name: sentence(
    {},
    {
      en: 'Use up to 40 lower-case letters without accents, digits and _, starting with a letter.',
      'pt-BR': 'Use até 40 letras minúsculas sem acento, números e _, começando com uma letra.',
    },
  ),
  extra_field_reserved: sentence(
    {},
    {
      en: 'This name belongs to a field that every mailing has: choose another.',
      'pt-BR': 'Este nome é de um campo que todo mailing tem: escolha outro.',
    },
  ),
  extra_field_repeated: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `The extra field "${name}" is declared twice.`,
      'pt-BR': ({ name }) => `O campo extra “${name}” foi declarado duas vezes.`,
    },
  ),
  group_field_repeated: sentence(
    {},
    { en: 'A field is listed twice.', 'pt-BR': 'Um campo aparece duas vezes.' },
  ),
  extra_field_type: sentence(
    { name: z.string(), wanted: fieldType, declared: fieldType },
    {
      en: ({ name, wanted, declared }) =>
        `The subcategory of the tickets needs "${name}" as ${typeWords.en[wanted]}; here it is ${typeWords.en[declared]}.`,
      'pt-BR': ({ name, wanted, declared }) =>
        `A ocorrência dos atendimentos precisa de “${name}” como ${typeWords['pt-BR'][wanted]}; aqui é ${typeWords['pt-BR'][declared]}.`,
    },
  ),
  extra_field_missing: sentence(
    { name: z.string(), wanted: fieldType, declared: z.boolean() },
    {
      en: ({ name, wanted, declared }) =>
        `The subcategory of the tickets requires the extra field "${name}" (${typeWords.en[wanted]}): ${declared ? 'make it required' : 'declare it'} in the mailing.`,
      'pt-BR': ({ name, wanted, declared }) =>
        `A ocorrência dos atendimentos exige o campo extra “${name}” (${typeWords['pt-BR'][wanted]}): ${declared ? 'marque-o como obrigatório' : 'declare-o'} no mailing.`,
    },
  ),

  // Tickets
  resolution_without_finish: sentence(
    {},
    {
      en: 'Only the status "finished" has a resolution.',
      'pt-BR': 'A solução só se aplica ao status Finalizado.',
    },
  ),
  subcategory_of_another_category: sentence(
    {},
    {
      en: 'This subcategory belongs to another category: choose one of this category.',
      'pt-BR': 'Esta ocorrência é de outro tipo: escolha uma deste.',
    },
  ),
  move_not_allowed: sentence(
    { from: status, allowed: z.array(status) },
    {
      en: ({ from, allowed }, { choice }) =>
        `A ticket that is ${statusWords.en[from]} can only move to ${choice(allowed.map((to) => statusWords.en[to]))}.`,
      'pt-BR': ({ from, allowed }, { choice }) =>
        `Um atendimento ${statusWords['pt-BR'][from]} só pode passar para ${choice(allowed.map((to) => statusWords['pt-BR'][to]))}.`,
    },
  ),
  answer_opts_out: sentence(
    { words: z.array(z.string()) },
    {
      en: ({ words }, { list }) =>
        `The text offers these words as answers, and they opt out the customer: ${list(words)}. If they should not, enter them under “Answers that do not opt out”.`,
      'pt-BR': ({ words }, { list }) =>
        `O texto oferece como resposta palavras que descadastram quem as escreve: ${list(words)}. Se não devem, informe-as em “Respostas que não descadastram”.`,
    },
  ),
  extra_field_not_in_file: sentence(
    { name: z.string() },
    {
      en: ({ name }) =>
        `The current file has no column “${name}”. Upload a file that has it; if the campaign is enabled, disable it first.`,
      'pt-BR': ({ name }) =>
        `O arquivo atual não tem a coluna “${name}”. Importe um arquivo com ela; se a campanha está habilitada, desabilite-a antes.`,
    },
  ),
  attribute_not_in_answer: sentence(
    { name: z.string() },
    {
      en: ({ name }) =>
        `No record in the last test of the address had “${name}”: the field stays empty without it. Test URL shows what the records have.`,
      'pt-BR': ({ name }) =>
        `Nenhum registro do último teste da URL tinha “${name}”: sem ele o campo fica vazio. Testar URL mostra o que os registros têm.`,
    },
  ),
  file_columns_not_declared: sentence(
    { columns: z.array(z.string()) },
    {
      en: ({ columns }, { list }) =>
        `The current file has columns that are not extra fields of the campaign: ${list(columns)}. Declare them, or upload a file without them.`,
      'pt-BR': ({ columns }, { list }) =>
        `O arquivo atual tem colunas que não são campos extras da campanha: ${list(columns)}. Declare-os ou importe um arquivo sem elas.`,
    },
  ),
} as const;
