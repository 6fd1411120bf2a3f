import { z } from 'zod';
import type { Locale } from '../user.ts';
import { type Coded, sentence, vocabulary } from './sentence.ts';

const kind = z.enum(['receipts', 'inbound']);
const kindWords: Record<Locale, Record<z.infer<typeof kind>, string>> = {
  en: { receipts: 'receipts', inbound: 'replies' },
  'pt-BR': { receipts: 'recibos', inbound: 'respostas' },
};

/** Why a provider's callback, or a part of it, could not be read: the expected element that is missing. */
export const unreadSentences = {
  not_described: sentence(
    { kind },
    {
      en: ({ kind }) => `The gateway has no description of its ${kindWords.en[kind]}.`,
      'pt-BR': ({ kind }) => `A descrição do gateway não define como ler ${kindWords['pt-BR'][kind]}.`,
    },
  ),
  body_unreadable: sentence(
    {},
    {
      en: 'The body is neither JSON nor a form.',
      'pt-BR': 'O corpo não é um JSON nem um formulário.',
    },
  ),
  field_missing: sentence(
    { field: z.string() },
    {
      en: ({ field }) => `The field “${field}” is missing or contains no text.`,
      'pt-BR': ({ field }) => `Falta o campo “${field}”, ou ele não contém um texto.`,
    },
  ),
  reference_missing: sentence(
    { fields: z.array(z.string()) },
    {
      en: ({ fields }, format) =>
        `Expected our reference or the id of the message in ${format.list(fields.map((field) => `“${field}”`))}: both are missing.`,
      'pt-BR': ({ fields }, format) =>
        `Esperada a nossa referência ou o id da mensagem em ${format.list(fields.map((field) => `“${field}”`))}: faltam os dois.`,
    },
  ),
  reference_unknown: sentence(
    { reference: z.string() },
    {
      en: ({ reference }) => `“${reference}” is not one of our references.`,
      'pt-BR': ({ reference }) => `“${reference}” não é uma referência nossa.`,
    },
  ),
  message_unknown: sentence(
    { reference: z.string() },
    {
      en: ({ reference }) => `No message of this provider has the reference “${reference}”.`,
      'pt-BR': ({ reference }) => `Nenhuma mensagem deste provedor tem a referência “${reference}”.`,
    },
  ),
  status_unknown: sentence(
    { status: z.string() },
    {
      en: ({ status }) => `The status “${status}” is unknown.`,
      'pt-BR': ({ status }) => `O status “${status}” é desconhecido.`,
    },
  ),
  other_type: sentence(
    { type: z.string(), kind },
    {
      en: ({ type, kind }) => `“${type}” is not one of the expected ${kindWords.en[kind]}.`,
      'pt-BR': ({ type, kind }) =>
        `“${type}” não é um tipo esperado neste endereço, que é o das ${kind === 'receipts' ? 'confirmações de entrega' : 'respostas'}.`,
    },
  ),
} as const;
export type UnreadFault = Coded<typeof unreadSentences>;

export const {
  read: readUnreadFault,
  words: unreadWords,
  kept: keptUnreadFault,
} = vocabulary(unreadSentences);
