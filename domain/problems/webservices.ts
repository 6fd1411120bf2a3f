import { z } from 'zod';
import { kindInWords, valueKind } from './fields.ts';
import { sentence } from './sentence.ts';

const host = z.string();
const status = z.int();

const certificateWords = {
  expired: { en: 'its certificate has expired', 'pt-BR': 'o certificado venceu' },
  not_yet_valid: { en: 'its certificate is not valid yet', 'pt-BR': 'o certificado ainda não vale' },
  other_name: { en: 'its certificate is for another name', 'pt-BR': 'o certificado é de outro nome' },
  self_signed: { en: 'its certificate is self-signed', 'pt-BR': 'o certificado é autoassinado' },
  untrusted: {
    en: 'its certificate comes from an authority that is not trusted here',
    'pt-BR': 'o certificado vem de uma autoridade em que não se confia aqui',
  },
  chain_incomplete: {
    en: 'it does not send the certificates between its own and a trusted authority',
    'pt-BR': 'faltam os certificados entre o dele e uma autoridade de confiança',
  },
  revoked: { en: 'its certificate has been revoked', 'pt-BR': 'o certificado foi revogado' },
} as const;
export type CertificateFault = keyof typeof certificateWords;
const certificate = z.enum(Object.keys(certificateWords) as [CertificateFault, ...CertificateFault[]]);

const size = z.int();

/**
 * Why a web service returned no mailing. The sentences name hosts, but never a path, a parameter, a secret or a value
 * of the answer.
 */
export const webserviceSentences = {
  // May pass: retried for a while.
  dns_failed: sentence(
    { host },
    {
      en: ({ host }) => `The name ${host} cannot be found (DNS). Check its spelling.`,
      'pt-BR': ({ host }) => `O nome ${host} não foi encontrado (DNS). Confira se está escrito certo.`,
    },
  ),
  connection_refused: sentence(
    { host },
    {
      en: ({ host }) => `${host} refuses the connection: nothing listens on this port.`,
      'pt-BR': ({ host }) => `${host} recusa a conexão: nada responde nesta porta.`,
    },
  ),
  connection_failed: sentence(
    { host },
    {
      en: ({ host }) => `${host} cannot be reached: no connection opened in time.`,
      'pt-BR': ({ host }) => `Não foi possível chegar a ${host}: nenhuma conexão se abriu a tempo.`,
    },
  ),
  connection_lost: sentence(
    { host },
    {
      en: ({ host }) => `The connection to ${host} broke before its answer was complete.`,
      'pt-BR': ({ host }) => `A conexão com ${host} caiu antes do fim da resposta.`,
    },
  ),
  timed_out: sentence(
    { host, at: z.enum(['start', 'middle', 'request']), seconds: z.number() },
    {
      en: ({ host, at, seconds }, { count }) => {
        const time = count(seconds, 'second', 'seconds');
        if (at === 'request') return `${host} stopped waiting for the request (408).`;
        return at === 'start'
          ? `${host} did not answer within ${time}.`
          : `${host} sent nothing for ${time} in the middle of its answer.`;
      },
      'pt-BR': ({ host, at, seconds }, { count }) => {
        const time = count(seconds, 'segundo', 'segundos');
        if (at === 'request') return `${host} desistiu de esperar pelo pedido (408).`;
        return at === 'start'
          ? `${host} não respondeu em ${time}.`
          : `${host} parou no meio da resposta por ${time}.`;
      },
    },
  ),
  server_error: sentence(
    { host, status, of: z.enum(['records', 'tokens']).default('records') },
    {
      en: ({ host, status, of }) =>
        of === 'tokens'
          ? `${host}, which issues the access tokens, has failed (${status}).`
          : `${host} has failed (${status}).`,
      'pt-BR': ({ host, status, of }) =>
        of === 'tokens'
          ? `${host}, que emite os tokens de acesso, falhou (${status}).`
          : `${host} falhou (erro ${status}).`,
    },
  ),
  too_many_requests: sentence(
    { host },
    {
      en: ({ host }) => `${host} asks for fewer requests (429).`,
      'pt-BR': ({ host }) => `${host} pede menos consultas (429). Espere um pouco.`,
    },
  ),

  // Permanent until a user changes something.
  address_missing: sentence(
    {},
    {
      en: 'The campaign has no address of a web service.',
      'pt-BR': 'A campanha não tem o endereço de um webservice.',
    },
  ),
  address_refused: sentence(
    { host },
    {
      en: ({ host }) =>
        `${host} is in a private or reserved network, from which campaigns cannot fetch. An operator of this deployment can allow it (WEBSERVICE_ALLOW).`,
      'pt-BR': ({ host }) =>
        `${host} fica numa rede privada ou reservada, de onde campanhas não podem buscar contatos. Quem opera esta instalação pode permitir (WEBSERVICE_ALLOW).`,
    },
  ),
  tls_failed: sentence(
    { host, certificate: z.object({ fault: certificate, code: z.string() }).nullable() },
    {
      en: ({ host, certificate }) =>
        certificate === null
          ? `${host} does not use TLS on this port. Check the port, or whether the address begins with http://.`
          : `The connection to ${host} is not safe: ${certificateWords[certificate.fault].en} (${certificate.code}).`,
      'pt-BR': ({ host, certificate }) =>
        certificate === null
          ? `${host} não usa TLS nesta porta. Confira a porta, ou se o endereço começa com http://.`
          : `A conexão com ${host} não é segura: ${certificateWords[certificate.fault]['pt-BR']} (${certificate.code}).`,
    },
  ),
  not_http: sentence(
    { host },
    {
      en: ({ host }) => `The answer of ${host} is not HTTP. Check the port.`,
      'pt-BR': ({ host }) => `A resposta de ${host} não é HTTP. Confira a porta.`,
    },
  ),
  unauthorized: sentence(
    { host, withCredentials: z.boolean() },
    {
      en: ({ host, withCredentials }) =>
        withCredentials
          ? `${host} does not accept the credentials of the integration (401). Correct them there.`
          : `${host} asks for credentials (401). Choose an integration for the campaign.`,
      'pt-BR': ({ host, withCredentials }) =>
        withCredentials
          ? `${host} não aceita as credenciais da integração (401). Corrija-as lá.`
          : `${host} pede credenciais (401). Escolha uma integração para a campanha.`,
    },
  ),
  forbidden: sentence(
    { host },
    {
      en: ({ host }) => `${host} forbids access to this address (403).`,
      'pt-BR': ({ host }) => `${host} proíbe o acesso a este endereço (403).`,
    },
  ),
  address_not_found: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} has nothing at this address (${status}).`,
      'pt-BR': ({ host, status }) => `${host} não tem nada neste endereço (${status}).`,
    },
  ),
  request_refused: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} refuses the request (${status}). Check the parameters.`,
      'pt-BR': ({ host, status }) => `${host} recusa o pedido (${status}). Confira os parâmetros.`,
    },
  ),
  status_unexpected: sentence(
    { host, status },
    {
      en: ({ host, status }) => `${host} answered with the status ${status}, which has no records.`,
      'pt-BR': ({ host, status }) => `${host} respondeu com o status ${status}, que não traz contatos.`,
    },
  ),
  authorization_failed: sentence(
    { host, why: z.enum(['refused', 'status', 'too_long', 'not_a_token']), status: status.optional() },
    {
      en: ({ host, why, status }) =>
        `${host} issues no access token: ${
          {
            refused: `it does not accept the client id, secret or scope (${status ?? ''}). Correct the integration`,
            status: `it answered with the status ${status ?? ''}`,
            too_long: 'its answer is too long',
            not_a_token: 'its answer is not that of a token address (RFC 6749)',
          }[why]
        }.`,
      'pt-BR': ({ host, why, status }) =>
        `${host} não emite um token de acesso: ${
          {
            refused: `ele não aceita o client id, o segredo ou o escopo (${status ?? ''}). Corrija a integração`,
            status: `ele respondeu com o status ${status ?? ''}`,
            too_long: 'a resposta é longa demais',
            not_a_token: 'a resposta não é a de um endereço de tokens (RFC 6749)',
          }[why]
        }.`,
    },
  ),
  integration_origin: sentence(
    { integration: z.string(), origin: z.string() },
    {
      en: ({ integration, origin }) =>
        `The integration “${integration}” may not be sent to ${origin}. An admin can add this address to it.`,
      'pt-BR': ({ integration, origin }) =>
        `A integração “${integration}” não pode ser enviada a ${origin}. Um administrador pode incluir este endereço nela.`,
    },
  ),
  integration_sealed: sentence(
    {},
    {
      en: 'The secrets of the integration are sealed with a key that is not configured. An admin has to add the key to SECRET_KEYS, or enter the secrets again.',
      'pt-BR':
        'Os segredos da integração foram cifrados com uma chave que não está configurada. Um administrador precisa incluir a chave em SECRET_KEYS, ou informar os segredos de novo.',
    },
  ),
  too_many_redirects: sentence(
    { host, maximum: z.int() },
    {
      en: ({ host, maximum }, { count }) =>
        `${host} redirects more than ${count(maximum, 'time', 'times')} in a row.`,
      'pt-BR': ({ host, maximum }, { count }) =>
        `${host} redireciona mais de ${count(maximum, 'vez seguida', 'vezes seguidas')}.`,
    },
  ),
  redirect_broken: sentence(
    { host, status: status.nullable() },
    {
      en: ({ host, status }) =>
        status === null
          ? `${host} redirects to an address that is not http:// or https://.`
          : `${host} redirects (${status}) without a usable address.`,
      'pt-BR': ({ host, status }) =>
        status === null
          ? `${host} redireciona para um endereço que não é http:// nem https://.`
          : `${host} redireciona (${status}) sem um endereço válido.`,
    },
  ),
  too_large: sentence(
    { host, bytes: size },
    {
      en: ({ host, bytes }, format) =>
        `The answer of ${host} is larger than ${format.bytes(bytes)}, the maximum.`,
      'pt-BR': ({ host, bytes }, format) =>
        `A resposta de ${host} passa de ${format.bytes(bytes)}, o máximo permitido.`,
    },
  ),
  takes_too_long: sentence(
    { ms: z.int() },
    {
      en: ({ ms }, { duration }) => `The answer was not complete after ${duration(ms)}, the maximum.`,
      'pt-BR': ({ ms }, { duration }) => `A resposta não terminou no tempo máximo de ${duration(ms)}.`,
    },
  ),
  compression_broken: sentence(
    { host },
    {
      en: ({ host }) =>
        `The answer of ${host} is marked as compressed, but cannot be decompressed: it is damaged or truncated.`,
      'pt-BR': ({ host }) =>
        `A resposta de ${host} está marcada como comprimida, mas não pode ser descomprimida: está danificada ou cortada.`,
    },
  ),
  compression_unknown: sentence(
    { host },
    {
      en: ({ host }) =>
        `${host} compresses its answer in a format that was not requested. Torpedo reads gzip, deflate and br.`,
      'pt-BR': ({ host }) =>
        `${host} comprime a resposta em um formato que não foi pedido. O Torpedo lê gzip, deflate e br.`,
    },
  ),
  answer_encoding: sentence(
    { host, found: z.enum(['other', 'utf-16']) },
    {
      en: ({ host, found }) =>
        ({
          other: `${host} answers in an encoding that Torpedo does not read. It reads UTF-8, ISO-8859-1 and Windows-1252.`,
          'utf-16': `The answer of ${host} is UTF-16. JSON has to be UTF-8.`,
        })[found],
      'pt-BR': ({ host, found }) =>
        ({
          other: `${host} responde numa codificação que o Torpedo não lê. Ele lê UTF-8, ISO-8859-1 e Windows-1252.`,
          'utf-16': `A resposta de ${host} está em UTF-16. JSON precisa ser UTF-8.`,
        })[found],
    },
  ),
  html: sentence(
    { host },
    {
      en: ({ host }) =>
        `${host} answers with a web page (HTML) or XML instead of JSON: often the page of a login or of an error.`,
      'pt-BR': ({ host }) =>
        `${host} responde com uma página da web (HTML) ou XML em vez de JSON: muitas vezes a página de um login ou de um erro.`,
    },
  ),
  empty_answer: sentence(
    { host },
    {
      en: ({ host }) =>
        `The answer of ${host} is empty. A service that has no records answers with an empty list: [].`,
      'pt-BR': ({ host }) =>
        `A resposta de ${host} está vazia. Um serviço sem contatos responde com uma lista vazia: [].`,
    },
  ),
  not_json: sentence(
    {
      host,
      /** Its Content-Type, if it names another type. */
      type: z.string().nullable(),
      /** How much of it was valid JSON. */
      place: z.object({ records: z.int(), byte: z.int() }).nullable(),
    },
    {
      en: ({ host, type, place }, { count, number }) => {
        if (place !== null)
          return `The answer of ${host} is not valid JSON: after ${count(place.records, 'record', 'records')}, near byte ${number(place.byte)}.`;
        return type === null
          ? `The answer of ${host} is not JSON.`
          : `The answer of ${host} is not JSON; its Content-Type is ${type}.`;
      },
      'pt-BR': ({ host, type, place }, { count, number }) => {
        if (place !== null)
          return `A resposta de ${host} não é um JSON válido: depois de ${count(place.records, 'registro', 'registros')}, perto do byte ${number(place.byte)}.`;
        return type === null
          ? `A resposta de ${host} não é JSON.`
          : `A resposta de ${host} não é JSON; o Content-Type dela é ${type}.`;
      },
    },
  ),
  cut_off: sentence(
    { host },
    {
      en: ({ host }) => `The answer of ${host} ends in the middle: the JSON is not complete.`,
      'pt-BR': ({ host }) => `A resposta de ${host} acaba no meio: o JSON não está completo.`,
    },
  ),
  too_deep: sentence(
    { host, maximum: z.int() },
    {
      en: ({ host, maximum }) => `The answer of ${host} nests deeper than ${maximum} levels, the maximum.`,
      'pt-BR': ({ host, maximum }) => `A resposta de ${host} passa de ${maximum} níveis, o máximo permitido.`,
    },
  ),
  record_too_large: sentence(
    { host, record: z.int().nullable(), bytes: size },
    {
      en: ({ host, record, bytes }, format) =>
        `${record === null ? 'A value' : `Record ${format.number(record)}`} in the answer of ${host} is larger than ${format.bytes(bytes)}, the maximum for one.`,
      'pt-BR': ({ host, record, bytes }, format) =>
        `${record === null ? 'Um valor' : `O registro ${format.number(record)}`} da resposta de ${host} passa de ${format.bytes(bytes)}, o máximo para um.`,
    },
  ),
  no_records: sentence(
    { host, path: z.string().nullable() },
    {
      en: ({ host, path }) =>
        path === null
          ? `The answer of ${host} is an object without a list of contacts.`
          : `The answer of ${host} has no list at “${path}”, where the campaign expects the contacts.`,
      'pt-BR': ({ host, path }) =>
        path === null
          ? `A resposta de ${host} é um objeto sem uma lista de contatos.`
          : `A resposta de ${host} não tem uma lista em “${path}”, onde a campanha espera os contatos.`,
    },
  ),
  records_ambiguous: sentence(
    // '' is the root.
    { host, paths: z.array(z.string()) },
    {
      en: ({ host, paths }, { list }) =>
        `The answer of ${host} has lists in more than one place: ${list(paths.map((path) => (path === '' ? 'its root' : path)))}. Enter one under “Path of the list in the response”.`,
      'pt-BR': ({ host, paths }, { list }) =>
        `A resposta de ${host} tem listas em mais de um lugar: ${list(paths.map((path) => (path === '' ? 'a raiz' : path)))}. Indique uma em “Caminho da lista na resposta”.`,
    },
  ),
  not_records: sentence(
    { host, found: valueKind, path: z.string().nullable(), within: z.enum(['answer', 'list']) },
    {
      en: ({ host, found, path, within }) =>
        within === 'answer'
          ? `The answer of ${host} is only ${kindInWords(found, 'en')}, not a list of contacts.`
          : `The list ${path === null || path === '' ? '' : `at “${path}” `}in the answer of ${host} does not begin with an object but with ${kindInWords(found, 'en')}: its elements are not contacts.`,
      'pt-BR': ({ host, found, path, within }) =>
        within === 'answer'
          ? `A resposta de ${host} é só ${kindInWords(found, 'pt-BR')}, não uma lista de contatos.`
          : `A lista ${path === null || path === '' ? '' : `em “${path}” `}na resposta de ${host} não começa com um objeto, e sim com ${kindInWords(found, 'pt-BR')}: os elementos não são contatos.`,
    },
  ),
  too_many_pages: sentence(
    { host, maximum: z.int() },
    {
      en: ({ host, maximum }, { number }) =>
        `${host} has more than ${number(maximum)} pages, the maximum. Request more records on each page.`,
      'pt-BR': ({ host, maximum }, { number }) =>
        `${host} tem mais de ${number(maximum)} páginas, o máximo. Peça mais registros em cada página.`,
    },
  ),
  page_repeated: sentence(
    { host, page: z.int(), why: z.enum(['links', 'cursor', 'contacts']).default('links') },
    {
      en: ({ host, page, why }, { number }) => {
        const again = `Page ${number(page)} of ${host} repeats an earlier page:`;
        if (why === 'links') return `${again} its links to the next page form a loop.`;
        return why === 'cursor'
          ? `${again} the answer gives the same cursor twice. Check the attribute under “Pages of the response”.`
          : `${again} it has the same contacts. Check the parameter under “Pages of the response”, which the service may ignore.`;
      },
      'pt-BR': ({ host, page, why }, { number }) => {
        const again = `A página ${number(page)} de ${host} repete uma página anterior:`;
        if (why === 'links') return `${again} os links para a próxima página formam um ciclo.`;
        return why === 'cursor'
          ? `${again} a resposta dá o mesmo cursor duas vezes. Confira o atributo em “Páginas da resposta”.`
          : `${again} tem os mesmos contatos. Confira o parâmetro em “Páginas da resposta”: o serviço pode ignorá-lo.`;
      },
    },
  ),
  next_page_unreadable: sentence(
    // Null: the link itself is not an address.
    { host, path: z.string().nullable() },
    {
      en: ({ host, path }) =>
        path === null
          ? `The link of ${host} to its next page is not an address that begins with https:// or http://.`
          : `The answer of ${host} shows at “${path}” that there is a next page, but not its address. The service must return the address, or send all records in one answer.`,
      'pt-BR': ({ host, path }) =>
        path === null
          ? `O link de ${host} para a próxima página não é um endereço http:// ou https://.`
          : `A resposta de ${host} mostra em “${path}” que há mais uma página, mas não o endereço dela. O serviço precisa informar o endereço, ou enviar todos os registros em uma resposta.`,
    },
  ),
  more_pages: sentence(
    // Null for a cursor.
    {
      host,
      records: z.int(),
      seen: z.array(z.object({ path: z.string(), value: z.union([z.number(), z.boolean(), z.null()]) })),
    },
    {
      en: ({ host, records, seen }, format) => {
        const shown = seen.map(({ path, value }) =>
          value === null
            ? `“${path}” has a value`
            : path.startsWith('?')
              ? `its address requests ${String(value)} (“${path.slice(1)}”), and it has as many`
              : `“${path}” is ${String(value)}`,
        );
        return `The answer of ${host} shows more pages after ${format.count(records, 'contact', 'contacts')}: ${format.list(shown)}. Set under “Pages of the response” how they are fetched (Test URL suggests it), or that one answer has all contacts.`;
      },
      'pt-BR': ({ host, records, seen }, format) => {
        const shown = seen.map(({ path, value }) =>
          value === null
            ? `“${path}” tem um valor`
            : path.startsWith('?')
              ? `o endereço pede ${String(value)} (“${path.slice(1)}”), e vieram todos esses`
              : `“${path}” é ${String(value)}`,
        );
        return `A resposta de ${host} mostra que há mais páginas além de ${format.count(records, 'contato', 'contatos')}: ${format.list(shown)}. Defina em “Páginas da resposta” como buscá-las (Testar URL sugere), ou que uma resposta traz todos os contatos.`;
      },
    },
  ),
  pages_incomplete: sentence(
    { host, page: z.int(), records: z.int(), path: z.string(), value: z.int() },
    {
      en: ({ host, page, records, path, value }, { number, count }) =>
        `Page ${number(page)} of ${host} is empty after ${count(records, 'contact', 'contacts')}, although “${path}” is ${number(value)}. If an empty page is the end, set under “Pages of the response” that the reading ends there.`,
      'pt-BR': ({ host, page, records, path, value }, { number, count }) =>
        `A página ${number(page)} de ${host} veio vazia depois de ${count(records, 'contato', 'contatos')}, embora “${path}” seja ${number(value)}. Se a página vazia é o fim, defina isso em “Páginas da resposta”.`,
    },
  ),
  page_attribute_missing: sentence(
    { host, path: z.string() },
    {
      en: ({ host, path }) =>
        `The answer of ${host} has no usable value at “${path}”, where the campaign expects to read whether there are more pages. Correct “Pages of the response”; Test URL suggests it.`,
      'pt-BR': ({ host, path }) =>
        `A resposta de ${host} não tem um valor utilizável em “${path}”, onde a campanha espera ler se há mais páginas. Corrija “Páginas da resposta”; Testar URL sugere.`,
    },
  ),
  service_error: sentence(
    // Path null: the answer has no list of contacts, only these words. '' is the root.
    { host, path: z.string().nullable(), words: z.string().nullable() },
    {
      en: ({ host, path, words }) => {
        if (path === null)
          return `The answer of ${host} has no list of contacts; it contains: “${words ?? ''}”.`;
        return words === null
          ? `The answer of ${host} reports an error at “${path}”, without a message.`
          : `${host} reports an error: “${words}”.`;
      },
      'pt-BR': ({ host, path, words }) => {
        if (path === null)
          return `A resposta de ${host} não tem uma lista de contatos; ela contém: “${words ?? ''}”.`;
        return words === null
          ? `A resposta de ${host} informa um erro em “${path}”, sem uma mensagem.`
          : `${host} informa um erro: “${words}”.`;
      },
    },
  ),
  credentials_not_sent: sentence(
    { host, status, from: z.string(), to: z.string(), by: z.enum(['redirect', 'next_page']) },
    {
      en: ({ host, status, from, to, by }) =>
        `${host} does not accept the request (${status}): ${by === 'redirect' ? 'a redirect' : 'the next page'} leads to ${to}, and the integration is sent only to ${from}, where the campaign's address is. Begin the campaign's address with ${to}, or let the service stay at ${from}.`,
      'pt-BR': ({ host, status, from, to, by }) =>
        `${host} não aceita o pedido (${status}): ${by === 'redirect' ? 'um redirecionamento' : 'a próxima página'} leva a ${to}, e a integração só é enviada a ${from}, o endereço da campanha. Comece o endereço da campanha com ${to}, ou peça que o serviço fique em ${from}.`,
    },
  ),
} as const;
