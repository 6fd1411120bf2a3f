import { z } from 'zod';
import { sentence } from './sentence.ts';

/** Users, replies, integrations, providers and gateways. */
export const settingSentences = {
  // Users
  login_format: sentence(
    {},
    {
      en: 'Use up to 100 letters without accents, digits and . _ @ + -',
      'pt-BR': 'Use até 100 letras sem acento, números e . _ @ + -',
    },
  ),
  password_too_short: sentence(
    { minimum: z.number() },
    {
      en: ({ minimum }) => `Choose a password of at least ${minimum} characters.`,
      'pt-BR': ({ minimum }) => `Escolha uma senha de ao menos ${minimum} caracteres.`,
    },
  ),
  password_too_long: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }) => `Choose a password of at most ${maximum} characters.`,
      'pt-BR': ({ maximum }) => `Escolha uma senha de no máximo ${maximum} caracteres.`,
    },
  ),
  code_of_many: sentence(
    {},
    {
      en: 'Too many lines have this code: it does not identify one person.',
      'pt-BR': 'Este código está em linhas demais: não identifica uma só pessoa.',
    },
  ),
  is_customer: sentence(
    { customerIds: z.array(z.int()) },
    {
      en: ({ customerIds }, { choice }) =>
        `This belongs to a customer: use customerId ${choice(customerIds.map(String))}.`,
      'pt-BR': ({ customerIds }, { choice }) =>
        `Isto é de um cliente: informe customerId ${choice(customerIds.map(String))}.`,
    },
  ),

  // Words of replies
  word_empty: sentence(
    {},
    { en: 'A word needs a letter or a digit.', 'pt-BR': 'Uma palavra precisa de uma letra ou de um número.' },
  ),
  word_too_long: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }) => `A word has at most ${maximum} characters.`,
      'pt-BR': ({ maximum }) => `Uma palavra tem no máximo ${maximum} caracteres.`,
    },
  ),
  too_many_words: sentence(
    { maximum: z.number() },
    {
      en: ({ maximum }) => `Enter at most ${maximum} words.`,
      'pt-BR': ({ maximum }) => `Informe no máximo ${maximum} palavras.`,
    },
  ),
  opt_out_word_missing: sentence(
    {},
    {
      en: 'Enter at least one word that opts out.',
      'pt-BR': 'Informe ao menos uma palavra que descadastra.',
    },
  ),
  word_is_reply_word: sentence(
    { word: z.string() },
    {
      en: ({ word }) => `“${word}” is a reply word: it opts out, opts in or asks for help.`,
      'pt-BR': ({ word }) => `“${word}” é uma palavra de resposta: descadastra, recadastra ou pede ajuda.`,
    },
  ),
  word_repeated: sentence(
    { word: z.string() },
    {
      en: ({ word }) => `“${word}” is listed twice: each word has one meaning.`,
      'pt-BR': ({ word }) => `“${word}” aparece mais de uma vez: cada palavra tem um só significado.`,
    },
  ),

  // Integrations
  user_name_format: sentence(
    {},
    {
      en: 'A user name has no colon and no control character.',
      'pt-BR': 'Um usuário não tem dois-pontos nem caracteres de controle.',
    },
  ),
  origin_missing: sentence(
    {},
    { en: 'Enter the addresses that may receive it.', 'pt-BR': 'Informe os endereços que podem recebê-la.' },
  ),
  origin_format: sentence(
    {},
    {
      en: 'Enter an address such as https://api.example.com, with its port if it has one, and without a path.',
      'pt-BR': 'Escreva um endereço como https://api.exemplo.com.br, com a porta se houver, e sem caminho.',
    },
  ),
  attribute_path: sentence(
    {},
    {
      en: 'Write attribute names with dots between them, like cliente.celular.',
      'pt-BR': 'Escreva nomes de atributos com pontos entre eles, como cliente.celular.',
    },
  ),
  param_brace: sentence(
    { brace: z.string() },
    {
      en: ({ brace }) =>
        `This ${brace} belongs to no placeholder. To write ${brace} itself, double it: ${brace}${brace}.`,
      'pt-BR': ({ brace }) =>
        `Esta chave ${brace} não é de nenhuma tag. Para escrever ${brace}, repita: ${brace}${brace}.`,
    },
  ),
  date_form_unknown: sentence(
    { form: z.string() },
    {
      en: ({ form }) =>
        `“${form}” is not a date format. Write it with yyyy, MM, dd, HH, mm, ss, like dd/MM/yyyy.`,
      'pt-BR': ({ form }) =>
        `“${form}” não é um formato de data. Use yyyy, MM, dd, HH, mm, ss, como dd/MM/yyyy.`,
    },
  ),

  // Posts to the helpdesk
  event_missing: sentence({}, { en: 'Choose at least one event.', 'pt-BR': 'Escolha ao menos um evento.' }),
  signing_secret_format: sentence(
    {},
    {
      en: 'Use 24 to 200 characters without spaces or accents.',
      'pt-BR': 'Use de 24 a 200 caracteres sem espaços nem acentos.',
    },
  ),

  // Providers
  account_sid: sentence(
    {},
    {
      en: 'An account SID is AC and 32 hexadecimal digits.',
      'pt-BR': 'O account SID é AC e 32 dígitos hexadecimais.',
    },
  ),
  api_key_sid: sentence(
    {},
    {
      en: 'The SID of an API key is SK and 32 hexadecimal digits.',
      'pt-BR': 'O SID de uma chave de API é SK e 32 dígitos hexadecimais.',
    },
  ),
  shared_key_id: sentence(
    {},
    {
      en: 'Enter the ID of the SharedKey: up to 100 letters, digits, _ and -.',
      'pt-BR': 'Informe o ID da SharedKey: até 100 letras, números, _ e -.',
    },
  ),
  twilio_host_label: sentence(
    {},
    {
      en: 'Enter a name as Twilio writes it, in lower case: ie1, dublin.',
      'pt-BR': 'Informe um nome como a Twilio o escreve, em minúsculas: ie1, dublin.',
    },
  ),
  profile_of_infobip: sentence(
    {},
    {
      en: 'Only Infobip supports the Portuguese tables.',
      'pt-BR': 'Só a Infobip oferece as tabelas do português.',
    },
  ),
  twilio_sender: sentence(
    {},
    {
      en: 'Enter a number with +, a short code, a name of up to 11 letters, or the SID of a Messaging Service (MG…).',
      'pt-BR':
        'Informe um número com +, um código curto, um nome de até 11 letras ou o SID de um Messaging Service (MG…).',
    },
  ),
  provider_token: sentence(
    {},
    {
      en: 'Enter a token without spaces or control characters.',
      'pt-BR': 'Informe um token sem espaços.',
    },
  ),
  callback_secret: sentence(
    {},
    {
      en: 'Enter a random secret of 20 to 128 letters, digits, _ and -.',
      'pt-BR': 'Informe um segredo aleatório de 20 a 128 letras, números, _ e -.',
    },
  ),
  infobip_url: sentence(
    {},
    {
      en: "Enter the account's own address, https://xxxxx.api.infobip.com.",
      'pt-BR': 'Informe o endereço da própria conta, https://xxxxx.api.infobip.com.',
    },
  ),
  cycle: sentence(
    {},
    {
      en: 'The fallbacks would form a loop back to this provider.',
      'pt-BR': 'As reservas levariam de volta ao próprio provedor.',
    },
  ),

  // Gateways
  gateway_brace: sentence(
    { template: z.string() },
    {
      en: ({ template }) => `"${template}" has a single brace. To write a brace itself, double it: {{ or }}.`,
      'pt-BR': ({ template }) =>
        `“${template}” tem uma chave sozinha. Para escrever uma chave, repita: {{ ou }}.`,
    },
  ),
  gateway_placeholder: sentence(
    { name: z.string(), known: z.array(z.string()) },
    {
      en: ({ name, known }, { list }) =>
        `{${name}} is not a placeholder. The placeholders are ${list(known.map((one) => `{${one}}`))}, and {secret.name} for your secrets.`,
      'pt-BR': ({ name, known }, { list }) =>
        `{${name}} não é um marcador. Os marcadores são ${list(known.map((one) => `{${one}}`))}, e {secret.nome} para os seus segredos.`,
    },
  ),
  gateway_not_alone: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `{json:${name}} must be the whole text of a value in a JSON body: "{json:${name}}".`,
      'pt-BR': ({ name }) => `{json:${name}} fica sozinho em um texto do corpo em JSON: "{json:${name}}".`,
    },
  ),
  gateway_not_in_header: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `{${name}} is not allowed in a header.`,
      'pt-BR': ({ name }) => `{${name}} não pode ficar em um cabeçalho.`,
    },
  ),
  gateway_url_characters: sentence(
    {},
    {
      en: 'An address cannot contain spaces or accents: encode them, such as %20 for a space.',
      'pt-BR': 'Um endereço não pode ter espaços nem acentos: codifique-os, como %20 para um espaço.',
    },
  ),
  gateway_url_host: sentence(
    {},
    {
      en: 'The address begins with http:// or https:// and a host without placeholders.',
      'pt-BR': 'O endereço começa com http:// ou https:// e um host sem marcadores.',
    },
  ),
  gateway_url_invalid: sentence({}, { en: 'This is not an address.', 'pt-BR': 'Isto não é um endereço.' }),
  gateway_url_credentials: sentence(
    {},
    {
      en: 'The address has credentials: use a header or a secret.',
      'pt-BR': 'Credenciais não ficam no endereço: use um cabeçalho ou um segredo.',
    },
  ),
  gateway_url_fragment: sentence(
    {},
    { en: 'What follows # is never sent.', 'pt-BR': 'O que vem depois de # nunca é enviado.' },
  ),
  gateway_header_name: sentence(
    {},
    {
      en: 'The name of a header has letters, digits and -.',
      'pt-BR': 'O nome de um cabeçalho tem letras, números e -.',
    },
  ),
  gateway_header_value: sentence(
    {},
    { en: 'A header has only ASCII characters.', 'pt-BR': 'Um cabeçalho só tem caracteres ASCII.' },
  ),
  gateway_json: sentence({}, { en: 'This is not JSON.', 'pt-BR': 'Isto não é um JSON.' }),
  gateway_get_body: sentence({}, { en: 'A GET has no body.', 'pt-BR': 'Um GET não tem corpo.' }),
  gateway_no_writer: sentence(
    {},
    {
      en: 'Enter the field that contains the phone of the sender, or the field that identifies the answered message.',
      'pt-BR': 'Informe o campo com o telefone do remetente, ou o que identifica a mensagem respondida.',
    },
  ),
  gateway_answer_empty: sentence(
    {},
    { en: 'An answer with this status has no body.', 'pt-BR': 'Uma resposta com este status não tem corpo.' },
  ),
  gateway_secret_name: sentence(
    {},
    {
      en: 'Use letters and digits, starting with a lower-case letter.',
      'pt-BR': 'Use letras e números, começando por minúscula.',
    },
  ),
  gateway_secret_value: sentence(
    {},
    {
      en: 'A secret has no line breaks and no accents.',
      'pt-BR': 'Um segredo não tem quebras de linha nem acentos.',
    },
  ),
} as const;
