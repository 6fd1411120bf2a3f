import { z } from 'zod';
import { sentence } from './sentence.ts';

const host = z.string();
/** The SMTP or HTTP status of the answer. */
const status = z.int();

/**
 * Why an e-mail or a post to the webhook was not delivered, besides the connection's own problems (webservices.ts). The
 * sentences name hosts, and never an address of a person or the text of a server's answer.
 */
export const deliverySentences = {
  email_format: sentence(
    {},
    {
      en: 'Enter an e-mail address such as ana@example.com.',
      'pt-BR': 'Informe um e-mail como ana@exemplo.com.br.',
    },
  ),
  host_format: sentence(
    {},
    {
      en: 'Enter the name or address of a server, without https:// and port.',
      'pt-BR': 'Informe o nome ou o endereço de um servidor, sem https:// e sem porta.',
    },
  ),
  email_off: sentence(
    {},
    {
      en: 'The SMTP server is not set up or is disabled.',
      'pt-BR': 'O servidor SMTP não está configurado ou está desativado.',
    },
  ),
  webhook_off: sentence(
    {},
    {
      en: 'The webhook is not set up or is disabled.',
      'pt-BR': 'O webhook não está configurado ou está desativado.',
    },
  ),
  alert_address_refused: sentence(
    { host },
    {
      en: ({ host }) =>
        `${host} is in a private or reserved network. An operator of this deployment can allow it (ALERTS_ALLOW).`,
      'pt-BR': ({ host }) =>
        `${host} fica numa rede privada ou reservada. Quem opera esta instalação pode permitir (ALERTS_ALLOW).`,
    },
  ),
  smtp_expected: sentence(
    { host },
    {
      en: ({ host }) => `${host} does not answer as an SMTP server. Check the port and the encryption.`,
      'pt-BR': ({ host }) => `${host} não responde como um servidor SMTP. Confira a porta e a criptografia.`,
    },
  ),
  smtp_starttls_missing: sentence(
    { host },
    {
      en: ({ host }) =>
        `${host} does not offer STARTTLS on this port. Choose TLS (usually port 465), or no encryption in a network that you trust.`,
      'pt-BR': ({ host }) =>
        `${host} não oferece STARTTLS nesta porta. Escolha TLS (em geral, porta 465) ou, numa rede de confiança, sem criptografia.`,
    },
  ),
  smtp_login_refused: sentence(
    { host, status: status.nullable() },
    {
      en: ({ host, status }) =>
        `${host} refuses the login${status === null ? '' : ` (${status})`}. Check the user and the password; some services require an app password.`,
      'pt-BR': ({ host, status }) =>
        `${host} recusa o login${status === null ? '' : ` (${status})`}. Confira o usuário e a senha; alguns serviços pedem uma senha de aplicativo.`,
    },
  ),
  smtp_sender_refused: sentence(
    { host, status },
    {
      en: ({ host, status }) =>
        `${host} refuses the sender (${status}). Use an address that it may send for; it may also require a login.`,
      'pt-BR': ({ host, status }) =>
        `${host} recusa o remetente (${status}). Use um endereço pelo qual ele pode enviar; ele também pode exigir um login.`,
    },
  ),
  smtp_recipient_refused: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} refuses the recipient (${status}). Check the e-mail address.`,
      'pt-BR': ({ host, status }) => `${host} recusa o destinatário (${status}). Confira o e-mail.`,
    },
  ),
  smtp_message_refused: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} refuses the message (${status}).`,
      'pt-BR': ({ host, status }) => `${host} recusa a mensagem (${status}).`,
    },
  ),
  smtp_later: sentence(
    { host, status },
    {
      en: ({ host, status }) =>
        `${host} asks to try again later (${status}). Servers often do so with senders that they do not know yet.`,
      'pt-BR': ({ host, status }) =>
        `${host} pede para tentar mais tarde (${status}). Muitos servidores fazem isso com remetentes que ainda não conhecem.`,
    },
  ),
  webhook_refused: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} does not accept the post (${status}).`,
      'pt-BR': ({ host, status }) => `${host} não aceita o envio (${status}).`,
    },
  ),
  delivery_failed: sentence(
    { host },
    {
      en: ({ host }) =>
        `The connection to ${host} failed with an unexpected error. The log of the worker has the details.`,
      'pt-BR': ({ host }) =>
        `A conexão com ${host} falhou com um erro inesperado. O log do worker tem os detalhes.`,
    },
  ),
  reset_link_invalid: sentence(
    {},
    {
      en: 'This link has expired or has already been used. Request another one.',
      'pt-BR': 'Este link venceu ou já foi usado. Peça outro.',
    },
  ),
} as const;
