import { dictionary } from '../kit/dictionary.ts';
import type { Starter } from './starters.ts';

/** Instructions for a form that began with a ready description. */
interface StarterWords {
  [key: string]: string | Record<string, string>;
  name: string;
  /** The help text of the sender. */
  from: string;
  /** By the names of the secrets; for HTTP basic, the user is `user`. */
  values: Record<string, string>;
  /** The remaining steps after it is saved. */
  after: string;
}
type Words = Record<Starter, StarterWords>;

export const starterWords = dictionary<Words>(
  {
    smsdev: {
      name: 'SMSDev',
      from: 'A SMSDev escolhe o remetente: deixe em branco.',
      values: { key: 'A chave KEY da conta: no painel da SMSDev, em Minha Conta.' },
      after:
        'No painel da SMSDev, em Integração → Callback, configure por JSON o endereço de recibos para a situação (DLR) e o de respostas para os retornos (MO).',
    },
    comtele: {
      name: 'Comtele',
      from: 'A Comtele escolhe o remetente: deixe em branco.',
      values: { key: 'A chave de API da conta: em sms.comtele.com.br, no menu API → Chave de API.' },
      after:
        'No painel da Comtele, configure os dois endereços como webhooks: o de recibos para o status e o de respostas para as respostas.',
    },
    totalvoice: {
      name: 'TotalVoice',
      from: 'A TotalVoice escolhe o remetente: deixe em branco.',
      values: { token: 'O Access-Token da conta, na primeira página do painel.' },
      after:
        'Em Minha Conta → Configurações da API, configure os dois endereços como webhooks: o de recibos para o envio de SMS e o de respostas para a resposta de SMS. A TotalVoice não aceita acentos: nas campanhas, marque “Remover acentos”.',
    },
    android: {
      name: 'SMS Gateway for Android',
      from: 'O número do chip do aparelho, com +: ele identifica as respostas.',
      values: {
        user: 'O usuário que o aplicativo mostra em Cloud Server, na aba Home.',
        password: 'A senha que o aplicativo mostra abaixo do usuário.',
      },
      after:
        'Registre um webhook para cada evento: sms:sent, sms:delivered e sms:failed no endereço de recibos, sms:received no de respostas. Se você usa um servidor próprio, troque também o endereço do pedido.',
    },
    jasmin: {
      name: 'Jasmin',
      from: 'O remetente que a operadora aceita.',
      values: {
        user: 'O usuário do Jasmin (username), com no máximo 16 caracteres.',
        password: 'A senha dele, com no máximo 16 caracteres.',
      },
      after:
        'peça ao operador que permita o endereço do seu Jasmin (GATEWAY_ALLOW), que vai no pedido abaixo. O usuário precisa de http_send, http_long_content, set_dlr_level, http_set_dlr_method, set_source_address e set_hex_content. Encaminhe as respostas a um conector HTTP com o endereço de respostas e o método POST.',
    },
    kannel: {
      name: 'Kannel',
      from: 'O remetente que a operadora aceita.',
      values: { password: 'A senha de group = sendsms-user, em kannel.conf.' },
      after:
        'Ponha o endereço de respostas em get-url, em kannel.conf, e peça ao operador que permita o endereço do Kannel (GATEWAY_ALLOW). A receita inteira está em docs/providers.md.',
    },
  },
  {
    smsdev: {
      name: 'SMSDev',
      from: 'SMSDev chooses the sender: leave it empty.',
      values: { key: "The account's KEY: in SMSDev's panel, at Minha Conta." },
      after:
        "In SMSDev's panel, at Integração → Callback, set both as JSON: the address for receipts for the status (DLR), the address for replies for the returns (MO).",
    },
    comtele: {
      name: 'Comtele',
      from: 'Comtele chooses the sender: leave it empty.',
      values: { key: "The account's API key: at sms.comtele.com.br, in the menu API → Chave de API." },
      after:
        "In Comtele's panel, set both addresses as webhooks: the one for receipts for the status, the one for replies for the replies.",
    },
    totalvoice: {
      name: 'TotalVoice',
      from: 'TotalVoice chooses the sender: leave it empty.',
      values: { token: "The account's Access-Token, on the first page of the panel." },
      after:
        'At Minha Conta → Configurações da API, set both addresses as webhooks: the one for receipts for sent SMS, the one for replies for the replies. TotalVoice does not accept accents: select “Remove accents” in campaigns.',
    },
    android: {
      name: 'SMS Gateway for Android',
      from: "The number of the phone's SIM card, with +: it identifies the replies.",
      values: {
        user: 'The user that the app shows under Cloud Server, on the tab Home.',
        password: 'The password that the app shows below the user.',
      },
      after:
        'Register a webhook for each event: sms:sent, sms:delivered and sms:failed at the address for receipts, sms:received at the address for replies. If you have your own server, also change the address of the request.',
    },
    jasmin: {
      name: 'Jasmin',
      from: 'The sender that the operator accepts.',
      values: {
        user: 'The user of Jasmin (username), of at most 16 characters.',
        password: 'The password of that user, of at most 16 characters.',
      },
      after:
        'ask the operator to allow the address of your Jasmin (GATEWAY_ALLOW), and enter it in the request below. The user needs http_send, http_long_content, set_dlr_level, http_set_dlr_method, set_source_address and set_hex_content. Route replies to an HTTP connector with the address for replies and the method POST.',
    },
    kannel: {
      name: 'Kannel',
      from: 'The sender that the operator accepts.',
      values: { password: 'The password of group = sendsms-user in kannel.conf.' },
      after:
        "Put the address for replies into get-url in kannel.conf, and ask the operator to allow Kannel's address (GATEWAY_ALLOW). docs/providers.md has all the steps.",
    },
  },
);
