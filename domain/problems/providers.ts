import { z } from 'zod';
import type { Locale } from '../user.ts';
import { type Coded, type Sentence, sentence, vocabulary } from './sentence.ts';

/** A built-in provider, or a gateway that an admin has described. */
const provider = z.enum(['Twilio', 'Zenvia', 'Infobip', 'gateway']);
export type ProviderName = z.infer<typeof provider>;

const gatewayWords: Record<Locale, string> = { en: 'The gateway', 'pt-BR': 'O gateway' };
const named = (name: ProviderName, locale: Locale): string =>
  name === 'gateway' ? gatewayWords[locale] : name;

/** The predicate after the provider's name. */
const by = (en: string, pt: string): Sentence<{ provider: ProviderName }> =>
  sentence(
    { provider },
    {
      en: ({ provider }) => `${named(provider, 'en')} ${en}.`,
      'pt-BR': ({ provider }) => `${named(provider, 'pt-BR')} ${pt}.`,
    },
  );
/** The same, with a code of the provider or the transport, or an HTTP status. */
const byCode = (
  en: (code: string) => string,
  pt: (code: string) => string,
): Sentence<{ provider: ProviderName; code: string }> =>
  sentence(
    { provider, code: z.string() },
    {
      en: ({ provider, code }) => `${named(provider, 'en')} ${en(code)}.`,
      'pt-BR': ({ provider, code }) => `${named(provider, 'pt-BR')} ${pt(code)}.`,
    },
  );
/** A sentence without the provider's name. */
const always = (en: string, pt: string): Sentence<{ provider: ProviderName }> =>
  sentence({ provider }, { en: `${en}.`, 'pt-BR': `${pt}.` });

/** The outcome of a send by the provider's answer, for users. Contains no phone and no text. */
export const providerDetailSentences = {
  // Transport errors, for every provider.
  unreachable: byCode(
    (code) => `cannot be reached (${code})`,
    (code) => `não pode ser alcançado (${code})`,
  ),
  unanswered: byCode(
    (code) => `did not answer (${code}): it may have accepted the message`,
    (code) => `não respondeu (${code}): pode ter aceitado a mensagem`,
  ),
  id_unreadable: byCode(
    (code) => `answered ${code}, but the id of the message cannot be read`,
    (code) => `respondeu ${code}, mas o id da mensagem não pode ser lido`,
  ),
  asks_to_wait: byCode(
    (code) => `asks to try later (${code})`,
    (code) => `pede para tentar mais tarde (${code})`,
  ),
  failed: byCode(
    (code) => `failed (${code}): it may have accepted the message`,
    (code) => `falhou (${code}): pode ter aceitado a mensagem`,
  ),
  refuses_requests: byCode(
    (code) => `refuses the request (${code}): check the account`,
    (code) => `recusa o pedido (${code}): confira a conta`,
  ),
  refuses_message: sentence(
    {
      provider,
      code: z.string(),
      /** Where the provider documents the code. */
      more: z.string().nullable(),
    },
    {
      en: ({ provider, code, more }) =>
        `${named(provider, 'en')} refuses the message (${code}).${more === null ? '' : ` ${more}`}`,
      'pt-BR': ({ provider, code, more }) =>
        `${named(provider, 'pt-BR')} recusa a mensagem (${code}).${more === null ? '' : ` ${more}`}`,
    },
  ),
  refuses_account: byCode(
    (code) => `refuses the account (${code})`,
    (code) => `recusa a conta (${code})`,
  ),
  perhaps_taken: byCode(
    (code) => `may have accepted the message (${code})`,
    (code) => `pode ter aceitado a mensagem (${code})`,
  ),
  address_refused: always(
    'The address of the gateway is in a private or reserved network. An operator of this deployment can allow it',
    'O endereço do gateway fica numa rede privada ou reservada. Quem opera esta instalação pode permitir',
  ),
  number_abroad: always(
    'The gateway accepts only Brazilian numbers, and this is another',
    'O gateway só aceita números do Brasil, e este é de outro país',
  ),
  not_in_charset: always(
    'The text has characters that the charset of the gateway does not contain',
    'O texto tem caracteres que faltam na codificação do gateway',
  ),
  no_access_token: byCode(
    (code) => `issues no access token (${code})`,
    (code) => `não emite um token de acesso (${code})`,
  ),
  says_not_taken: by('reports that it has not accepted the message', 'informa que não aceitou a mensagem'),
  code_not_described: byCode(
    (code) =>
      `returned a code that its description does not list (${code}): it may have accepted the message`,
    (code) => `retornou um código que não está na descrição (${code}): pode ter aceitado a mensagem`,
  ),
  secret_missing: sentence(
    { name: z.string() },
    {
      en: ({ name }) => `The provider has no secret “${name}”.`,
      'pt-BR': ({ name }) => `O provedor não tem o segredo “${name}”.`,
    },
  ),

  // The account.
  credentials: by('does not accept the credentials of the account', 'não aceita as credenciais da conta'),
  account_inactive: by('reports that the account is not active', 'informa que a conta não está ativa'),
  account_suspended: by('has suspended the account', 'suspendeu a conta'),
  account_unknown: by('does not know this account', 'não conhece esta conta'),
  account_without_access: by(
    'does not give the account access to this service',
    'não dá à conta acesso a este serviço',
  ),
  credits_used_up: by(
    'reports that the account has no credits left',
    'informa que a conta não tem mais créditos',
  ),
  credits_expired: by(
    'reports that the credits of the account have expired',
    'informa que os créditos da conta venceram',
  ),
  account_without_route: by(
    'has no route for messages of the account',
    'não tem rota para mensagens da conta',
  ),
  callback_address: by(
    'does not accept the public URL of this deployment as the address for receipts',
    'não aceita o endereço público desta instalação para os avisos de entrega',
  ),
  sender_invalid: by('does not accept the sender', 'não aceita o remetente'),
  sender_missing: always('The sender is missing', 'Falta o remetente'),
  sender_unknown: by(
    'does not know the sender: check its spelling there',
    'não conhece o remetente: confira como ele está escrito lá',
  ),
  sender_of_another: by(
    'has registered the sender for another account',
    'tem o remetente cadastrado em outra conta',
  ),
  sender_without_sms: always('The sender cannot send SMS', 'O remetente não pode enviar SMS'),
  sender_blocked: by('has blocked the sender', 'bloqueou o remetente'),

  sender_ambiguous: by(
    'has several senders of this name',
    'não sabe qual remetente é: tem vários com este nome',
  ),
  service_without_numbers: always(
    'The Messaging Service of the sender has no number',
    'O Messaging Service do remetente não tem nenhum número',
  ),
  daily_limit: by(
    'has sent as many messages as the account may send in a day',
    'já enviou todas as mensagens que a conta pode enviar em um dia',
  ),

  // To be retried.
  maintenance: by('is down for maintenance', 'está em manutenção'),
  carrier_busy: always(
    'The carrier accepts no more messages at the moment',
    'A operadora não aceita mais mensagens no momento',
  ),
  fewer_requests: by('asks for fewer requests', 'pede menos requisições'),
  queue_full: by('has a full queue for the sender', 'está com a fila do remetente cheia'),
  too_many_to_number: by(
    'has sent this number too many messages within an hour',
    'já enviou mensagens demais a este número em uma hora',
  ),
  failed_try_again: by('failed, and asks to try again', 'falhou e pede para tentar de novo'),
  duplicate: by('already has this message', 'já tem esta mensagem'),

  // The number.
  number_invalid: by('does not accept the number as valid', 'não aceita o número como válido'),
  number_missing: always('The number is missing', 'Falta o número'),
  number_unknown: always('The carrier does not know the number', 'A operadora não conhece o número'),
  number_not_mobile: always('The number is not a mobile number', 'O número não é de celular'),
  landline: always('The number is a landline', 'O número é de telefone fixo'),
  landline_or_carrier: always(
    'The number is a landline, or its carrier cannot be reached',
    'O número é fixo, ou a operadora dele não pode ser alcançada',
  ),
  number_is_sender: always('The number is the sender itself', 'O número é o próprio remetente'),
  prefix_unknown: by('does not know the prefix of the number', 'não conhece o prefixo do número'),
  takes_no_sms: always('The number cannot receive SMS', 'O número não recebe SMS'),
  phone_off: always('The phone is off or has no signal', 'O celular está desligado ou sem sinal'),
  phone_full: always('The memory of the phone is full', 'A memória do celular está cheia'),
  opted_out: always(
    'The recipient has opted out of this sender at the provider',
    'O destinatário pediu ao provedor para não receber mais mensagens deste remetente',
  ),
  blocked_by_recipient: always(
    'The recipient has blocked this sender',
    'O destinatário bloqueou este remetente',
  ),
  do_not_disturb: always(
    'The number is on a do-not-disturb list',
    'O número está numa lista de “não perturbe”',
  ),
  block_list: by('has the number on a block list', 'tem o número numa lista de bloqueio'),

  // From this sender to this number.
  country_not_allowed: by(
    'does not allow the account to send to the country of the number',
    'não permite que a conta envie para o país do número',
  ),
  network_not_covered: by(
    'does not cover the network of the number with this account',
    'não cobre a rede do número com esta conta',
  ),
  destination_refused: always(
    'The sender cannot send to this destination',
    'O remetente não pode enviar para este destino',
  ),
  no_route: by('has no route from this sender to this number', 'não tem rota deste remetente a este número'),
  trial_account: by(
    'allows a trial account to send only to its verified numbers',
    'só permite que uma conta de teste envie aos seus números verificados',
  ),
  sender_of_another_country: by(
    'does not have the sender, or not for the country of the number',
    'não tem o remetente, ou não para o país do número',
  ),

  sender_not_registered: always(
    'The carriers of this destination require a registered sender',
    'As operadoras deste destino exigem o cadastro do remetente',
  ),
  price_exceeded: always(
    'The message costs more than the account allows',
    'A mensagem custa mais do que a conta permite',
  ),

  // The text.
  text_empty: always('The message is empty', 'A mensagem está vazia'),
  text_too_long: always('The message is too long', 'A mensagem é longa demais'),
  text_invalid: by('does not accept the text', 'não aceita o texto'),
  request_invalid: by('does not accept the request as valid', 'não aceita o pedido como válido'),

  // In transit.
  blocked: always('The message was blocked', 'A mensagem foi bloqueada'),
  filtered: always('The carrier filtered the message', 'A operadora filtrou a mensagem'),
  message_loop: always(
    'The message was stopped as part of a loop of automatic replies',
    'A mensagem foi barrada como parte de um ciclo de respostas automáticas',
  ),
  fraud_protection: by(
    'has blocked the message to protect against fraud',
    'bloqueou a mensagem para proteger contra fraudes',
  ),
  carrier_refused: always('The carrier refused the message', 'A operadora recusou a mensagem'),
  carrier_barred: always(
    'The carrier has barred the number or the message',
    'A operadora barrou o número ou a mensagem',
  ),
  refused: by('refused the message', 'recusou a mensagem'),
  no_cause: always('The carrier reported no cause', 'A operadora não informou a causa'),
  validity_over: always(
    'The message expired before it was delivered',
    'A mensagem expirou antes de ser entregue',
  ),
} as const;
export type ProviderDetail = Coded<typeof providerDetailSentences>;

export const {
  kept: keptProviderDetail,
  read: readProviderDetail,
  words: providerDetailWords,
} = vocabulary(providerDetailSentences);
