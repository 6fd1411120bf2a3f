import { z } from 'zod';
import { sentence } from './sentence.ts';

/** The message for an empty required field, if it can be more specific than "this field is required". */
const missingWords = {
  template: { en: 'Write the message.', 'pt-BR': 'Escreva a mensagem.' },
  provider: { en: 'Choose the SMS provider.', 'pt-BR': 'Escolha o provedor de SMS.' },
  source: { en: 'Choose where the contacts come from.', 'pt-BR': 'Escolha de onde vêm os contatos.' },
  file: {
    en: 'Upload the CSV file with the contacts.',
    'pt-BR': 'Envie o arquivo CSV com os contatos.',
  },
  upload: {
    en: 'Send the file as the body, or as the file of a form.',
    'pt-BR': 'Escolha o arquivo.',
  },
  webservice: {
    en: 'Enter the address of the web service.',
    'pt-BR': 'Informe o endereço do webservice.',
  },
  sending_hours: {
    en: 'Choose the hours in which messages may be sent.',
    'pt-BR': 'Escolha o horário de execução.',
  },
  department: { en: 'Choose the department of the tickets.', 'pt-BR': 'Escolha o setor dos atendimentos.' },
  assignee: {
    en: 'Choose the assignee of the tickets.',
    'pt-BR': 'Escolha o responsável pelos atendimentos.',
  },
  category: { en: 'Choose the category of the tickets.', 'pt-BR': 'Escolha o tipo de ocorrência.' },
  subcategory: { en: 'Choose the subcategory of the tickets.', 'pt-BR': 'Escolha a ocorrência.' },
  resolution_on_success: {
    en: 'Choose the resolution of tickets whose SMS was sent.',
    'pt-BR': 'Escolha a solução para o caso de sucesso.',
  },
  resolution_on_failure: {
    en: 'Choose the resolution of tickets whose SMS failed.',
    'pt-BR': 'Escolha a solução para o caso de falha.',
  },
  resolution_of_finished: {
    en: 'A ticket that opens as finished needs a resolution.',
    'pt-BR': 'Um atendimento que abre como Finalizado precisa da solução.',
  },
  resolution: {
    en: 'A ticket is finished with a resolution: choose one.',
    'pt-BR': 'Um atendimento é finalizado com uma solução: escolha uma.',
  },
  code_or_phone: {
    en: 'Enter a code or a phone: a mailing finds the customer by one of them.',
    'pt-BR': 'Informe o código ou um telefone: o mailing encontra o cliente por um deles.',
  },
  phone_customer_campaign_or_day: {
    en: 'Enter a phone, a customer, a campaign or a day.',
    'pt-BR': 'Informe um telefone, um cliente, uma campanha ou um dia.',
  },
  day_of_text: {
    en: 'Choose a day too: texts are searched within a day or a run, because all of them would take minutes.',
    'pt-BR':
      'Escolha também o dia: o texto é procurado dentro de um dia ou de uma execução, porque em todas as mensagens levaria minutos.',
  },
  password: { en: 'Enter the password.', 'pt-BR': 'Informe a senha.' },
  token: { en: 'Enter the token.', 'pt-BR': 'Informe o token.' },
  key: { en: 'Enter the key.', 'pt-BR': 'Informe a chave.' },
  client_secret: { en: 'Enter the client secret.', 'pt-BR': 'Informe o client secret.' },
  region_and_edge: {
    en: 'Enter both the region and the edge, or neither of them.',
    'pt-BR': 'Informe a região e a borda (edge), ou nenhuma das duas.',
  },
  api_key_secret: {
    en: 'Enter the secret of the API key.',
    'pt-BR': 'Informe o segredo da chave de API.',
  },
  shared_key_secret: {
    en: 'Enter the secret of the SharedKey.',
    'pt-BR': 'Informe o segredo da SharedKey.',
  },
  provider_secrets: {
    en: 'Enter the secrets of this kind of provider.',
    'pt-BR': 'Informe os segredos deste tipo de provedor.',
  },
  signing_secret: {
    en: 'Enter the secret that the posts are signed with.',
    'pt-BR': 'Informe o segredo com que os envios são assinados.',
  },
} as const;
export type Missing = keyof typeof missingWords;
const missing = z.enum(Object.keys(missingWords) as [Missing, ...Missing[]]);

const kindWords = {
  text: { en: 'a text', 'pt-BR': 'um texto' },
  number: { en: 'a number', 'pt-BR': 'um número' },
  whole_number: { en: 'a whole number', 'pt-BR': 'um número inteiro' },
  boolean: { en: 'true or false', 'pt-BR': 'verdadeiro ou falso' },
  list: { en: 'a list', 'pt-BR': 'uma lista' },
  object: { en: 'an object', 'pt-BR': 'um objeto' },
  null: { en: 'null', 'pt-BR': 'null' },
} as const;
export type ValueKind = keyof typeof kindWords;
export const valueKind = z.enum(Object.keys(kindWords) as [ValueKind, ...ValueKind[]]);
export const kindInWords = (kind: ValueKind, locale: 'en' | 'pt-BR'): string => kindWords[kind][locale];

/** Problems that any field may have. */
export const fieldSentences = {
  missing: sentence(
    { what: missing.optional() },
    {
      en: ({ what }) => (what === undefined ? 'This field is required.' : missingWords[what].en),
      'pt-BR': ({ what }) => (what === undefined ? 'Preencha este campo.' : missingWords[what]['pt-BR']),
    },
  ),
  missing_header: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `Enter the value of the header ${name}.`,
      'pt-BR': ({ name }) => `Informe o valor do cabeçalho ${name}.`,
    },
  ),
  missing_template_secret: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `A template uses {secret.${name}}: enter its value.`,
      'pt-BR': ({ name }) => `Um modelo usa {secret.${name}}: informe o valor.`,
    },
  ),
  unknown_field: sentence({}, { en: 'There is no such field.', 'pt-BR': 'Este campo não existe.' }),
  wrong_type: sentence(
    { expected: valueKind },
    {
      en: ({ expected }) => `Expected ${kindWords[expected].en}.`,
      'pt-BR': ({ expected }) => `O esperado é ${kindWords[expected]['pt-BR']}.`,
    },
  ),
  not_an_option: sentence(
    { options: z.array(z.string()) },
    {
      en: ({ options }, { choice }) => `Expected ${choice(options)}.`,
      'pt-BR': ({ options }, { choice }) => `O esperado é ${choice(options)}.`,
    },
  ),
  invalid: sentence({}, { en: 'This value is not valid.', 'pt-BR': 'Este valor não é válido.' }),
  too_short: sentence(
    { minimum: z.number() },
    {
      en: ({ minimum }, { count }) => `Use at least ${count(minimum, 'character', 'characters')}.`,
      'pt-BR': ({ minimum }, { count }) => `Use ao menos ${count(minimum, 'caractere', 'caracteres')}.`,
    },
  ),
  too_long: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }, { count }) => `Use at most ${count(maximum, 'character', 'characters')}.`,
      'pt-BR': ({ maximum }, { count }) => `Use no máximo ${count(maximum, 'caractere', 'caracteres')}.`,
    },
  ),
  too_few: sentence(
    { minimum: z.number() },
    {
      en: ({ minimum }, { count }) => `Enter at least ${count(minimum, 'entry', 'entries')}.`,
      'pt-BR': ({ minimum }, { count }) => `Informe ao menos ${count(minimum, 'item', 'itens')}.`,
    },
  ),
  too_many: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }, { count }) => `Enter at most ${count(maximum, 'entry', 'entries')}.`,
      'pt-BR': ({ maximum }, { count }) => `Informe no máximo ${count(maximum, 'item', 'itens')}.`,
    },
  ),
  too_small: sentence(
    { minimum: z.number() },
    {
      en: ({ minimum }, { number }) => `Expected at least ${number(minimum)}.`,
      'pt-BR': ({ minimum }, { number }) => `O mínimo é ${number(minimum)}.`,
    },
  ),
  too_big: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }, { number }) => `Expected at most ${number(maximum)}.`,
      'pt-BR': ({ maximum }, { number }) => `O máximo é ${number(maximum)}.`,
    },
  ),
  text_unfit: sentence(
    {},
    {
      en: 'The text has a character that cannot be stored (NUL or half of a surrogate pair). Enter it again by hand.',
      'pt-BR': 'O texto tem um caractere que não pode ser guardado. Digite-o de novo, sem colar.',
    },
  ),
  name_unfit: sentence(
    {},
    {
      en: 'A name has a character that cannot be stored (NUL or half of a surrogate pair).',
      'pt-BR': 'Um nome tem um caractere que não pode ser guardado.',
    },
  ),
  nested_too_deep: sentence(
    {},
    { en: 'The value has too many levels.', 'pt-BR': 'O valor tem níveis demais.' },
  ),
  control_character: sentence(
    {},
    { en: 'Control characters are not allowed.', 'pt-BR': 'Caracteres de controle não são permitidos.' },
  ),
  taken: sentence(
    { what: z.enum(['name', 'login', 'code']) },
    {
      en: ({ what }) => `This ${what} is taken.`,
      'pt-BR': ({ what }) =>
        ({
          name: 'Este nome já está em uso.',
          login: 'Este usuário já existe.',
          code: 'Este código já está em uso.',
        })[what],
    },
  ),
  unknown: sentence({}, { en: 'There is no such entry.', 'pt-BR': 'Esta opção não existe mais.' }),
  archived: sentence(
    {},
    {
      en: 'This entry has been archived: choose another.',
      'pt-BR': 'Esta opção foi arquivada: escolha outra.',
    },
  ),
  wrong_password: sentence(
    {},
    { en: 'This is not your current password.', 'pt-BR': 'Esta não é a sua senha atual.' },
  ),
  idempotency_key: sentence(
    {},
    {
      en: 'Expected 1 to 100 visible ASCII characters.',
      'pt-BR': 'São esperados de 1 a 100 caracteres ASCII visíveis.',
    },
  ),
  which_person: sentence(
    {},
    {
      en: 'Enter one of a customer, a phone, a code and a message.',
      'pt-BR': 'Informe um cliente, um telefone, um código ou uma mensagem, e só um deles.',
    },
  ),
  same_password: sentence(
    {},
    {
      en: 'Choose a password other than the current one.',
      'pt-BR': 'Escolha uma senha diferente da atual.',
    },
  ),
  enter_again: sentence(
    {},
    {
      en: 'The stored secret was entered for another address. Enter it again to send it to this one.',
      'pt-BR':
        'O segredo guardado foi informado para outro endereço. Informe-o de novo para que seja enviado a este.',
    },
  ),
  mobile_expected: sentence(
    {},
    { en: 'Enter a mobile number that can receive SMS.', 'pt-BR': 'Informe um celular válido.' },
  ),
  phone_expected: sentence({}, { en: 'Enter a phone number.', 'pt-BR': 'Informe um número de telefone.' }),
  date_in_future: sentence({}, { en: 'This date is in the future.', 'pt-BR': 'Esta data está no futuro.' }),
  date_before_1970: sentence(
    {},
    { en: 'This date is before 1970.', 'pt-BR': 'Esta data é anterior a 1970.' },
  ),
  date_format: sentence(
    {},
    { en: 'Expected a date such as 2026-03-31.', 'pt-BR': 'Informe uma data como 2026-03-31.' },
  ),
  instant_format: sentence(
    {},
    {
      en: 'Expected a date and time with its offset, such as 2026-03-31T09:00:00-03:00.',
      'pt-BR': 'Informe data e hora com o fuso, como 2026-03-31T09:00:00-03:00.',
    },
  ),
  price_format: sentence(
    {},
    {
      en: 'Enter a price such as 0.085, below 100,000 and with at most six decimals.',
      'pt-BR': 'Informe um preço como 0,085, menor que 100.000 e com no máximo seis casas decimais.',
    },
  ),
  amount_format: sentence(
    {},
    {
      en: 'Enter an amount above zero, such as 15000.00.',
      'pt-BR': 'Informe um valor maior que zero, como 15.000,00.',
    },
  ),
  calling_code_unknown: sentence(
    {},
    {
      en: 'No country has this calling code. Enter one such as 55 or 351, or leave it empty for all countries.',
      'pt-BR': 'Nenhum país tem este código. Informe um como 55 ou 351, ou deixe vazio para todos os países.',
    },
  ),
  birth_year_range: sentence(
    {},
    { en: 'Expected a year from 1900 to 2199.', 'pt-BR': 'O ano deve estar entre 1900 e 2199.' },
  ),
  id_expected: sentence({}, { en: 'Expected an id.', 'pt-BR': 'O esperado é um número de identificação.' }),
  url_expected: sentence(
    {},
    {
      en: 'Enter an address that begins with https:// or http://.',
      'pt-BR': 'Informe um endereço que comece com https:// ou http://.',
    },
  ),
  url_credentials: sentence(
    {},
    {
      en: 'Leave the user and password out of the address: store them in an integration.',
      'pt-BR': 'Deixe usuário e senha fora do endereço: guarde-os em uma integração.',
    },
  ),
  url_credentials_as_header: sentence(
    {},
    {
      en: 'Leave the user and password out of the address: send them as a header.',
      'pt-BR': 'Deixe usuário e senha fora do endereço: informe-os em um cabeçalho.',
    },
  ),
  logo_type: sentence(
    {},
    {
      en: 'The file is not an image of a supported format. Choose a PNG, JPEG or WebP file; an SVG may contain scripts.',
      'pt-BR':
        'O arquivo não é uma imagem de um formato aceito. Escolha um arquivo PNG, JPEG ou WebP; um SVG pode conter scripts.',
    },
  ),
  logo_size: sentence(
    { width: z.int(), height: z.int(), maximum: z.int() },
    {
      en: ({ width, height, maximum }, { number }) =>
        `The image has ${number(width)} × ${number(height)} pixels. Each side may have at most ${number(maximum)}.`,
      'pt-BR': ({ width, height, maximum }, { number }) =>
        `A imagem tem ${number(width)} × ${number(height)} pixels. Cada lado pode ter no máximo ${number(maximum)}.`,
    },
  ),
  header_name: sentence(
    {},
    { en: 'This is not a valid header name.', 'pt-BR': 'Este não é um nome de cabeçalho válido.' },
  ),
  header_reserved: sentence(
    {},
    {
      en: 'HTTP or Torpedo sets this header.',
      'pt-BR': 'Este cabeçalho é definido pelo HTTP ou pelo Torpedo.',
    },
  ),
  header_value: sentence(
    {},
    {
      en: 'Use printable ASCII characters, without a space at the start or the end.',
      'pt-BR': 'Use só caracteres ASCII visíveis, sem espaço no início ou no fim.',
    },
  ),
  header_repeated: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `The header ${name} is listed twice, or the authentication sets it.`,
      'pt-BR': ({ name }) => `O cabeçalho ${name} aparece duas vezes, ou a autenticação já o define.`,
    },
  ),
  header_unknown: sentence(
    {},
    {
      en: 'The configuration has no such header, or already contains its value.',
      'pt-BR': 'A configuração não tem este cabeçalho, ou já contém o valor dele.',
    },
  ),
  header_secret: sentence(
    {},
    {
      en: 'It is sent in a header: use printable ASCII characters, without a space at the start or the end.',
      'pt-BR': 'É enviado em um cabeçalho: use só caracteres ASCII visíveis, sem espaço no início ou no fim.',
    },
  ),
} as const;
