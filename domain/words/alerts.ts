import type { AlertKind } from '../alert.ts';
import type { smtpSecurities } from '../email.ts';
import { type Dictionary, dictionary } from './dictionary.ts';

/** The kinds of alerts, as choices. */
export const alertKindLabels: Dictionary<Readonly<Record<AlertKind, string>>> = dictionary(
  {
    run_approval: 'Execução à espera de aprovação',
    run_paused: 'Execução pausada',
    run_failed: 'Execução com falha',
    run_not_executed: 'Execução perdida, não executada ou que não chegou a ninguém',
    run_retrying: 'Execução em nova tentativa, depois de uma falha',
    budget: 'Orçamento do mês perto do fim ou esgotado',
    provider_trouble: 'Provedor que recusa a conta ou não confirma o que aceita',
    unread_calls: 'Chamadas de provedores que não puderam ser lidas',
    holds: 'Descadastros prováveis a decidir',
    ticket_overdue: 'Atendimento sem a primeira resposta no prazo',
    ticket_posts: 'Envios ao helpdesk com falha',
    retrying: 'Tarefas do sistema com falha',
  },
  {
    run_approval: 'A run waits for approval',
    run_paused: 'A run is paused',
    run_failed: 'A run has failed',
    run_not_executed: 'A run was missed, skipped or reached nobody',
    run_retrying: 'A run is retried after a failure',
    budget: 'Monthly budget nearly spent or used up',
    provider_trouble: 'A provider refuses the account, or does not confirm what it accepts',
    unread_calls: 'Calls from providers that could not be read',
    holds: 'Probable opt-outs to decide on',
    ticket_overdue: 'A ticket is past its target for the first answer',
    ticket_posts: 'Failed posts to the helpdesk',
    retrying: 'Failing background tasks',
  },
);

/** The labels of the SMTP server, by their paths. */
export const emailFieldLabels = dictionary(
  {
    enabled: 'Enviar e-mails',
    host: 'Servidor',
    port: 'Porta',
    security: 'Criptografia',
    verifyCertificate: 'Conferir o certificado do servidor',
    user: 'Usuário',
    password: 'Senha',
    from: 'E-mail do remetente',
    fromName: 'Nome do remetente',
    to: 'Para',
  },
  {
    enabled: 'Send e-mails',
    host: 'Server',
    port: 'Port',
    security: 'Encryption',
    verifyCertificate: 'Verify the server certificate',
    user: 'User',
    password: 'Password',
    from: 'Sender address',
    fromName: 'Sender name',
    to: 'To',
  },
);

/** The labels of the webhook of alerts, by their paths. */
export const alertWebhookFieldLabels = dictionary(
  {
    enabled: 'Enviar avisos',
    url: 'Endereço',
    kinds: 'O que enviar',
    locale: 'Idioma dos textos',
    secret: 'Segredo da assinatura',
    'headers.*.name': 'Cabeçalho',
    'headers.*.value': 'Valor',
  },
  {
    enabled: 'Post alerts',
    url: 'Address',
    kinds: 'What to post',
    locale: 'Language of the texts',
    secret: 'Secret of the signature',
    'headers.*.name': 'Header',
    'headers.*.value': 'Value',
  },
);

/** How the connection to the SMTP server is encrypted. */
export const smtpSecurityLabels: Dictionary<Readonly<Record<(typeof smtpSecurities)[number], string>>> =
  dictionary(
    {
      starttls: 'STARTTLS (em geral, porta 587)',
      tls: 'TLS (em geral, porta 465)',
      none: 'Nenhuma: só numa rede de confiança',
    },
    {
      starttls: 'STARTTLS (usually port 587)',
      tls: 'TLS (usually port 465)',
      none: 'None: only in a network that you trust',
    },
  );
