import { z } from 'zod';
import type { Format } from '../format.ts';
import { messageStatuses } from '../message.ts';
import { runStatuses } from '../run.ts';
import { type Locale, role } from '../user.ts';
import { sentence } from './sentence.ts';
import { roleLabels } from '../words/access.ts';
import { messageStatusWords, runStatusWords } from './states.ts';

const nounWords = {
  campaign: { en: 'campaign', 'pt-BR': 'A campanha' },
  run: { en: 'run', 'pt-BR': 'A execução' },
  message: { en: 'message', 'pt-BR': 'A mensagem' },
  reply: { en: 'reply', 'pt-BR': 'A resposta' },
  answer: { en: 'answer', 'pt-BR': 'A resposta ao cliente' },
  ticket: { en: 'ticket', 'pt-BR': 'O atendimento' },
  ticket_post: { en: 'post of the event', 'pt-BR': 'O envio do evento' },
  customer: { en: 'customer', 'pt-BR': 'O cliente' },
  opt_out: { en: 'opt-out', 'pt-BR': 'O descadastro' },
  provider: { en: 'provider', 'pt-BR': 'O provedor' },
  integration: { en: 'integration', 'pt-BR': 'A integração' },
  setting: { en: 'entry', 'pt-BR': 'A opção' },
  user: { en: 'user', 'pt-BR': 'O usuário' },
  token: { en: 'token', 'pt-BR': 'O token' },
} as const;
export type Noun = keyof typeof nounWords;
const noun = z.enum(Object.keys(nounWords) as [Noun, ...Noun[]]);

/** A use of a settings entry: its name or, where there are many, their number. */
export const entryUse = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['campaign', 'subcategory', 'provider']), id: z.int(), name: z.string() }),
  z.object({ kind: z.enum(['tickets', 'customers', 'runs', 'keywords']), count: z.int() }),
]);
export type EntryUse = z.infer<typeof entryUse>;

const useWords = {
  en: {
    campaign: 'the campaign',
    subcategory: 'the subcategory',
    provider: 'the provider',
    tickets: ['ticket', 'tickets'],
    customers: ['customer', 'customers'],
    runs: ['run', 'runs'],
    keywords: ['keyword', 'keywords'],
  },
  'pt-BR': {
    campaign: 'a campanha',
    subcategory: 'a ocorrência',
    provider: 'o provedor',
    tickets: ['atendimento', 'atendimentos'],
    customers: ['cliente', 'clientes'],
    runs: ['execução', 'execuções'],
    keywords: ['palavra-chave', 'palavras-chave'],
  },
} as const;

/** `the campaign “Cobrança” and 12 tickets` */
export function usesInWords(uses: readonly EntryUse[], format: Format): string {
  const words = useWords[format.locale];
  return format.list(
    uses.map((use) =>
      'name' in use
        ? `${words[use.kind]} “${use.name}”`
        : format.count(use.count, words[use.kind][0], words[use.kind][1]),
    ),
  );
}

/** Why the sandbox cannot be used, or cannot forward an answer from one of its phones (sandbox/control.ts). */
export const sandboxFault = z.enum([
  'no_provider',
  'no_answer',
  'refused',
  'nobody_wrote',
  'no_inbound_url',
  'inbound_silent',
]);
const sandboxWords: Record<Locale, Record<z.infer<typeof sandboxFault>, string>> = {
  en: {
    no_provider: 'There is no provider of the kind sandbox.',
    no_answer: 'The sandbox does not answer.',
    refused: 'The sandbox refuses the request.',
    nobody_wrote: 'No message has been sent to this phone, so it cannot answer.',
    no_inbound_url: 'The sandbox does not know where to send the answer.',
    inbound_silent: 'The sandbox could not deliver the answer: Torpedo did not accept it.',
  },
  'pt-BR': {
    no_provider: 'Não há um provedor do tipo sandbox.',
    no_answer: 'O sandbox não responde.',
    refused: 'O sandbox recusa o pedido.',
    nobody_wrote: 'Nenhuma mensagem foi enviada a este celular: não há a quem responder.',
    no_inbound_url: 'O sandbox não sabe para onde enviar a resposta.',
    inbound_silent: 'O sandbox não conseguiu entregar a resposta: o Torpedo não a aceitou.',
  },
};

const runStatus = z.enum(runStatuses);

/** Every error that the API returns, by its code. */
export const errorSentences = {
  invalid_json: sentence({}, { en: 'The body is not valid JSON.', 'pt-BR': 'O corpo não é um JSON válido.' }),
  invalid_parameters: sentence(
    {},
    {
      en: 'Parameters of the URL are missing or wrong.',
      'pt-BR': 'O endereço tem parâmetros faltando ou inválidos.',
    },
  ),
  bad_request: sentence({}, { en: 'The request cannot be read.', 'pt-BR': 'O pedido não pode ser lido.' }),
  unauthenticated: sentence(
    {},
    {
      en: 'Log in, or send a valid API token: Authorization: Bearer tpd_…',
      'pt-BR': 'Entre no sistema, ou envie um token de API válido: Authorization: Bearer tpd_…',
    },
  ),
  login_failed: sentence(
    {},
    { en: 'The login or the password is wrong.', 'pt-BR': 'Usuário ou senha incorretos.' },
  ),
  forbidden: sentence(
    { needs: role.nullable(), role: role.nullable() },
    {
      en: ({ needs, role }) =>
        needs === null || role === null
          ? 'Your role does not allow this.'
          : `This needs the role ${roleLabels.en[needs]}; yours is ${roleLabels.en[role]}.`,
      'pt-BR': ({ needs, role }) =>
        needs === null || role === null
          ? 'O seu perfil de acesso não permite isto.'
          : `Isto precisa do perfil ${roleLabels['pt-BR'][needs]}; o seu é ${roleLabels['pt-BR'][role]}.`,
    },
  ),
  not_for_tokens: sentence(
    {},
    {
      en: 'Only a user who has logged in can do this, not a token.',
      'pt-BR': 'Só um usuário que entrou no sistema pode fazer isto, não um token.',
    },
  ),
  password_change_required: sentence(
    {},
    {
      en: 'Another user set your password. Choose your own first: PUT /api/session/password.',
      'pt-BR': 'A sua senha foi definida por outro usuário. Escolha primeiro a sua própria senha.',
    },
  ),
  cross_site: sentence(
    {},
    {
      en: 'The request comes from another site. Programs use an API token instead of a session.',
      'pt-BR': 'O pedido veio de outro site e foi recusado.',
    },
  ),
  not_found: sentence(
    { noun: noun.nullable(), id: z.int().nullable() },
    {
      en: ({ noun, id }) =>
        noun === null || id === null ? 'There is nothing here.' : `There is no ${nounWords[noun].en} ${id}.`,
      'pt-BR': ({ noun, id }) =>
        noun === null || id === null
          ? 'Isto não existe ou já foi excluído.'
          : `${nounWords[noun]['pt-BR']} ${id} não existe.`,
    },
  ),
  no_mailing_file: sentence(
    { campaignId: z.int() },
    {
      en: ({ campaignId }) => `Campaign ${campaignId} has no mailing file yet.`,
      'pt-BR': ({ campaignId }) => `A campanha ${campaignId} ainda não tem um arquivo de mailing.`,
    },
  ),
  no_answer_kept: sentence(
    { runId: z.int() },
    {
      en: ({ runId }) => `Run ${runId} has no stored answer of a web service.`,
      'pt-BR': ({ runId }) => `A execução ${runId} não tem uma resposta de webservice armazenada.`,
    },
  ),
  upload_broken: sentence(
    {},
    {
      en: 'The upload was interrupted. Nothing was stored.',
      'pt-BR': 'O envio do arquivo foi interrompido. Nada foi salvo.',
    },
  ),
  import_broken: sentence(
    {},
    {
      en: 'The import was interrupted, because the database was unavailable for too long. Send the file again: no customer is added twice.',
      'pt-BR':
        'A importação foi interrompida, porque o banco de dados ficou fora do ar por muito tempo. Envie o arquivo de novo: nenhum cliente é duplicado.',
    },
  ),
  upload_too_slow: sentence(
    {},
    {
      en: 'The upload took too long. Nothing was stored.',
      'pt-BR': 'O envio demorou demais. Nada foi salvo.',
    },
  ),
  form_broken: sentence(
    {},
    {
      en: 'The form cannot be read: it is incomplete, or its content type has no boundary.',
      'pt-BR':
        'O formulário não pode ser lido: está incompleto, ou o Content-Type não informa o separador (boundary).',
    },
  ),
  version_conflict: sentence(
    {
      /** The current version, if known. */
      version: z.int().nullable(),
      /** A form in the console that still contains the user's input. */
      ofPart: z.boolean().optional(),
    },
    {
      en: ({ ofPart }) =>
        ofPart === true
          ? 'This part was changed since you opened it. What you entered is still here: save again to replace that change.'
          : 'Another user has changed it in the meantime. Read it again, then repeat your change.',
      'pt-BR': ({ ofPart }) =>
        ofPart === true
          ? 'Esta parte foi alterada depois que você a abriu. O que você preencheu continua aqui: salve de novo para substituir aquela alteração.'
          : 'Outro usuário fez uma alteração nesse meio-tempo. Abra de novo e repita a sua.',
    },
  ),
  extra_fields_changed: sentence(
    {},
    {
      en: 'The extra fields of the campaign were changed during the upload. Upload the file again.',
      'pt-BR': 'Os campos extras da campanha foram alterados durante o envio. Envie o arquivo de novo.',
    },
  ),
  name_taken: sentence(
    { what: z.enum(['name', 'login', 'code']) },
    {
      en: ({ what }) => `The ${what} is taken.`,
      'pt-BR': ({ what }) =>
        ({
          name: 'Este nome já está em uso.',
          login: 'Este usuário já existe.',
          code: 'Este código já está em uso.',
        })[what],
    },
  ),
  in_use: sentence(
    {
      usedBy: z.array(entryUse),
      refused: z.enum(['delete', 'change_category']).default('delete'),
    },
    {
      en: ({ usedBy, refused }, format) => {
        const users = usedBy.length === 0 ? 'other entries' : usesInWords(usedBy, format);
        return refused === 'delete'
          ? `It cannot be deleted, because it is in use: ${users}. Archive it instead.`
          : `Its category cannot be changed, because it is in use: ${users}. Archive it and add another.`;
      },
      'pt-BR': ({ usedBy, refused }, format) => {
        const users = usedBy.length === 0 ? 'outros registros' : usesInWords(usedBy, format);
        return refused === 'delete'
          ? `Não pode ser excluído, porque está em uso: ${users}. Arquive-o.`
          : `O tipo não pode ser alterado, porque está em uso: ${users}. Arquive-a e crie outra.`;
      },
    },
  ),
  customer_in_use: sentence(
    { usedBy: z.array(z.enum(['messages', 'replies', 'tickets'])) },
    {
      en: ({ usedBy }, { list }) => `The customer has ${list(usedBy)}. Erase the person's data instead.`,
      'pt-BR': ({ usedBy }, { list }) => {
        const words = { messages: 'mensagens', replies: 'respostas', tickets: 'atendimentos' };
        return `O cliente tem ${list(usedBy.map((one) => words[one]))}. Em vez de excluir, apague os dados da pessoa.`;
      },
    },
  ),
  has_runs: sentence(
    {},
    {
      en: 'A campaign that has run is kept, with its messages. Archive it instead.',
      'pt-BR': 'Uma campanha que já executou é mantida, com as suas mensagens. Arquive-a.',
    },
  ),
  campaign_archived: sentence(
    {},
    {
      en: 'The campaign is archived. Restore it first.',
      'pt-BR': 'A campanha está arquivada. Restaure-a antes.',
    },
  ),
  campaign_enabled: sentence(
    {},
    {
      en: 'The campaign is enabled. Disable it first.',
      'pt-BR': 'A campanha está habilitada. Desabilite-a antes.',
    },
  ),
  not_enabled: sentence(
    {},
    { en: 'The campaign is not enabled.', 'pt-BR': 'A campanha não está habilitada.' },
  ),
  run_pending: sentence(
    { runId: z.int().nullable(), unsent: z.int().nullable() },
    {
      en: ({ runId, unsent }, { count }) => {
        if (runId === null) return 'An earlier run of this campaign is still pending.';
        return unsent === null
          ? `Run ${runId} of this campaign has not finished yet.`
          : `Run ${runId} of this campaign still has ${count(unsent, 'unsent message', 'unsent messages')}.`;
      },
      'pt-BR': ({ runId, unsent }, { count }) => {
        if (runId === null) return 'Uma execução anterior desta campanha ainda está pendente.';
        return unsent === null
          ? `A execução ${runId} desta campanha ainda não terminou.`
          : `A execução ${runId} desta campanha ainda tem ${count(unsent, 'mensagem não enviada', 'mensagens não enviadas')}.`;
      },
    },
  ),
  resend_pending: sentence(
    { runId: z.int() },
    {
      en: ({ runId }) => `Run ${runId} is about to resend messages of this one.`,
      'pt-BR': ({ runId }) => `A execução ${runId} está prestes a reenviar mensagens desta.`,
    },
  ),
  run_ended: sentence({}, { en: 'The run has ended.', 'pt-BR': 'A execução já terminou.' }),
  not_waiting_for_approval: sentence(
    {},
    { en: 'The run does not wait for approval.', 'pt-BR': 'A execução não espera aprovação.' },
  ),
  restore_incomplete: sentence(
    {},
    {
      en: 'The database was restored from a backup, and the providers are still being queried for opt-outs since then. Nothing is sent until they have answered, unless an admin continues without them.',
      'pt-BR':
        'O banco de dados foi restaurado de um backup, e os provedores ainda estão sendo consultados sobre quem se descadastrou depois dele. Nada é enviado antes disso, a menos que um administrador decida seguir sem a consulta.',
    },
  ),
  run_not_over: sentence(
    { status: runStatus.nullable() },
    {
      en: ({ status }) =>
        `${status === null ? '' : `The run is ${runStatusWords.en[status].toLowerCase()}. `}Only a run that is finished or cancelled can be resent.`,
      'pt-BR': ({ status }) =>
        `${status === null ? '' : `A situação da execução é “${runStatusWords['pt-BR'][status]}”. `}Só uma execução concluída ou cancelada pode ser reenviada.`,
    },
  ),
  run_not_failed: sentence(
    { status: runStatus },
    {
      en: ({ status }) =>
        `The run is ${runStatusWords.en[status].toLowerCase()}. Only a run that failed can be retried.`,
      'pt-BR': ({ status }) =>
        `A situação da execução é “${runStatusWords['pt-BR'][status]}”. Só uma execução que falhou pode ser retomada.`,
    },
  ),
  run_not_ended: sentence(
    { status: runStatus },
    {
      en: ({ status }) =>
        `The run is ${runStatusWords.en[status].toLowerCase()}. Only a run that has ended can be marked as seen.`,
      'pt-BR': ({ status }) =>
        `A situação da execução é “${runStatusWords['pt-BR'][status]}”. Só uma execução encerrada pode ser marcada como vista.`,
    },
  ),
  nothing_to_resend: sentence(
    {},
    {
      en: 'The run has no message left to send again.',
      'pt-BR': 'Não resta nenhuma mensagem da execução para reenviar.',
    },
  ),
  resend_changed: sentence(
    { messages: z.int(), seen: z.int() },
    {
      en: ({ messages, seen }, { count, number }) =>
        `There are now ${count(messages, 'message', 'messages')} to send again, not ${number(seen)}. Check the list, then repeat the request.`,
      'pt-BR': ({ messages, seen }, { count, number }) =>
        `Agora há ${count(messages, 'mensagem', 'mensagens')} para reenviar, e não ${number(seen)}. Confira e repita.`,
    },
  ),
  not_unknown: sentence(
    { status: z.enum(messageStatuses) },
    {
      en: ({ status }) =>
        `The message is ${messageStatusWords.en[status].toLowerCase()}. Only one that is unknown can be resolved.`,
      'pt-BR': ({ status }) =>
        `A situação da mensagem é “${messageStatusWords['pt-BR'][status]}”. Só uma mensagem incerta pode ser resolvida.`,
    },
  ),
  unknown_changed: sentence(
    { messages: z.int(), seen: z.int() },
    {
      en: ({ messages, seen }, { count, number }) =>
        `There are now ${count(messages, 'unknown message', 'unknown messages')}, not ${number(seen)}. Check the list, then repeat the request.`,
      'pt-BR': ({ messages, seen }, { count, number }) =>
        `Agora há ${count(messages, 'mensagem incerta', 'mensagens incertas')}, e não ${number(seen)}. Confira e repita.`,
    },
  ),
  last_admin: sentence(
    {},
    {
      en: 'This is the last admin who can log in. Make another user an admin first.',
      'pt-BR':
        'Este é o último administrador que pode entrar. Antes, dê o perfil de administrador a outro usuário.',
    },
  ),
  opted_out: sentence(
    {},
    {
      en: 'This phone has opted out. Nothing is sent to it.',
      'pt-BR': 'Este telefone se descadastrou. Nada é enviado a ele.',
    },
  ),
  phone_held: sentence(
    {},
    {
      en: 'This phone is held: it has probably opted out. Decide first, on the page of the replies.',
      'pt-BR':
        'Este telefone está em espera: um descadastro provável. Decida primeiro, na página de respostas.',
    },
  ),
  customer_erased: sentence(
    {},
    {
      en: 'The data of this customer was erased: there is no phone to send an answer to.',
      'pt-BR': 'Os dados deste cliente foram apagados: não há telefone para enviar a resposta.',
    },
  ),
  ticket_finished: sentence(
    {},
    {
      en: 'This ticket is finished. Reopen it first.',
      'pt-BR': 'Este atendimento está finalizado. Reabra-o antes.',
    },
  ),
  hold_decided: sentence(
    {},
    {
      en: 'This phone is no longer held: a user has decided, or the customer has written again.',
      'pt-BR': 'Este telefone não está mais em espera: um usuário já decidiu, ou o cliente escreveu de novo.',
    },
  ),
  already_opted_out: sentence(
    {},
    { en: 'This phone has already opted out.', 'pt-BR': 'Este telefone já está descadastrado.' },
  ),
  secret_key_missing: sentence(
    { keyId: z.string() },
    {
      en: ({ keyId }) =>
        `Its secrets are sealed with the key “${keyId}”, which is not configured. Add the key to SECRET_KEYS, or enter the secrets again.`,
      'pt-BR': ({ keyId }) =>
        `Os segredos foram cifrados com a chave “${keyId}”, que não está configurada. Inclua a chave em SECRET_KEYS, ou informe os segredos de novo.`,
    },
  ),
  too_large: sentence(
    { limitBytes: z.int().nullable() },
    {
      en: ({ limitBytes }, { bytes }) =>
        limitBytes === null
          ? 'The body is too large.'
          : `The file is larger than ${bytes(limitBytes)}, the maximum.`,
      'pt-BR': ({ limitBytes }, { bytes }) =>
        limitBytes === null
          ? 'O corpo é grande demais.'
          : `O arquivo passa de ${bytes(limitBytes)}, o máximo permitido.`,
    },
  ),
  unsupported_type: sentence(
    {},
    {
      en: 'This address does not accept this content type.',
      'pt-BR': 'Este endereço não aceita este tipo de conteúdo.',
    },
  ),
  invalid_fields: sentence({}, { en: 'Some fields are missing or wrong.', 'pt-BR': 'Há campos a corrigir.' }),
  incomplete_campaign: sentence(
    { enabled: z.boolean().default(false) },
    {
      en: ({ enabled }) =>
        enabled
          ? 'The campaign is enabled and has to stay complete. Disable it to save a draft.'
          : 'The campaign is not complete: it cannot run.',
      'pt-BR': ({ enabled }) =>
        enabled
          ? 'A campanha está habilitada e precisa continuar completa. Desabilite-a para salvar um rascunho.'
          : 'A campanha não está completa: não pode executar.',
    },
  ),
  mailing_refused: sentence(
    {},
    {
      en: 'The file cannot be used. Nothing was stored.',
      'pt-BR': 'O arquivo não pode ser usado. Nada foi salvo.',
    },
  ),
  webservice_refused: sentence(
    {},
    {
      en: 'The answer of the web service is not a valid mailing.',
      'pt-BR': 'A resposta do webservice não é um mailing válido.',
    },
  ),
  not_delivered: sentence(
    {},
    {
      en: 'The test was not delivered. Fix the problem shown below, save, and test again.',
      'pt-BR': 'O teste não foi entregue. Corrija o problema abaixo, salve e teste de novo.',
    },
  ),
  rate_limited: sentence(
    { retryAfterMs: z.number(), logins: z.boolean().default(false) },
    {
      en: ({ logins }) =>
        logins
          ? 'Too many failed attempts to log in. Wait, then try again.'
          : 'Too many requests. Wait, then try again.',
      'pt-BR': ({ logins }) =>
        logins
          ? 'Muitas tentativas de entrar. Espere um pouco e tente de novo.'
          : 'Muitos pedidos. Espere um pouco e tente de novo.',
    },
  ),
  internal: sentence(
    {},
    {
      en: 'An internal error occurred. The log has the details under the id of the request.',
      'pt-BR': 'Ocorreu um erro interno. O log tem os detalhes, com o número da requisição.',
    },
  ),
  database_unavailable: sentence(
    {},
    {
      en: 'The database does not answer. Try again in a moment.',
      'pt-BR': 'O banco de dados não responde. Tente de novo em instantes.',
    },
  ),
  temporal_unavailable: sentence(
    {},
    {
      en: 'Temporal does not answer. Try again in a moment.',
      'pt-BR': 'O Temporal não responde. Tente de novo em instantes.',
    },
  ),
  worker_unavailable: sentence(
    {},
    {
      en: 'No worker has answered in time. The request may still be executed when a worker runs: check before you repeat it.',
      'pt-BR': 'Nenhum worker respondeu a tempo. O pedido ainda pode ser atendido: confira antes de repetir.',
    },
  ),
  sandbox_unavailable: sentence(
    { why: sandboxFault },
    {
      en: ({ why }) => sandboxWords.en[why],
      'pt-BR': ({ why }) => sandboxWords['pt-BR'][why],
    },
  ),
  busy: sentence(
    { with: z.enum(['requests', 'uploads', 'customer_import', 'webservices', 'person']) },
    {
      en: (params) =>
        ({
          requests: 'Too many requests of this kind are in progress. Try again in a moment.',
          uploads: 'Other files are being uploaded. Try again in a moment.',
          customer_import: 'Another file of customers is being imported. Try again in a moment.',
          webservices: 'Other web services are being tested. Try again in a moment.',
          person: 'A message to this person or a reply from them is in progress. Try again in a moment.',
        })[params.with],
      'pt-BR': (params) =>
        ({
          requests: 'Há muitos pedidos deste tipo em andamento. Tente de novo em instantes.',
          uploads: 'Outros arquivos estão sendo enviados. Tente de novo em instantes.',
          customer_import: 'Outro arquivo de clientes está sendo importado. Tente de novo em instantes.',
          webservices: 'Outros webservices estão sendo testados. Tente de novo em instantes.',
          person:
            'Uma mensagem para esta pessoa ou uma resposta dela está em andamento. Tente de novo em instantes.',
        })[params.with],
    },
  ),
} as const;
export type ErrorCode = keyof typeof errorSentences;
