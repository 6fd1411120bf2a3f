import { integrationFieldLabels } from '../../domain/words/settings.ts';
import { dictionary } from '../kit/dictionary.ts';

/** Stored authentication for calls to customers' systems. */
export const integrationWords = dictionary(
  {
    page: {
      title: 'Integrações com o cliente',
      about: 'Como o Torpedo se autentica nos webservices dos mailings',
    },
    add: 'Nova integração',
    empty: 'Nenhuma integração',
    emptyText: 'Só é necessária se o webservice de um mailing exige autenticação ou cabeçalhos próprios.',
    kind: 'Autenticação',
    kinds: {
      none: 'Nenhuma',
      basic: 'Usuário e senha (basic)',
      bearer: 'Token (bearer)',
      api_key: 'Chave de API',
      oauth2: 'OAuth 2 (client credentials)',
    },
    places: { header: 'Em um cabeçalho', query: 'Na URL' },
    clientAuthentications: { basic: 'Como HTTP basic', form: 'No corpo do pedido' },
    headers: 'Cabeçalhos',
    headersHelp:
      'Enviados com cada pedido. O valor de um cabeçalho secreto é salvo com criptografia e nunca mais mostrado.',
    stored: 'Já salvo. Deixe em branco para manter.',
    newSecrets:
      'Se mudar os endereços permitidos, o servidor de tokens ou a autenticação, informe tudo de novo.',
    uses: 'Onde esta integração é usada',
    usedByNone: 'Nenhuma campanha a usa.',
    archiveText:
      'Ela não poderá mais ser escolhida em campanhas. As que já a usam continuam com ela até que outra seja escolhida.',
    archiveNote: 'Pode ser desfeito.',
    deleteText: 'A integração e seus segredos serão excluídos definitivamente.',
    cantDelete: 'Está em uso e não pode ser excluída. Pode ser arquivada.',
    fields: integrationFieldLabels['pt-BR'],
    helps: {
      'config.origins':
        'Um por linha, como https://api.exemplo.com.br, com a porta se houver. A integração só é enviada a eles.',
      'secrets.secret': 'É salvo com criptografia e nunca mais mostrado.',
    },
  },
  {
    page: {
      title: 'Integrations with customers',
      about: 'How Torpedo authenticates with the web services of mailings',
    },
    add: 'New integration',
    empty: 'No integration',
    emptyText: 'Only needed if the web service of a mailing requires authentication or special headers.',
    kind: 'Authentication',
    kinds: {
      none: 'None',
      basic: 'User and password (basic)',
      bearer: 'Token (bearer)',
      api_key: 'API key',
      oauth2: 'OAuth 2 (client credentials)',
    },
    places: { header: 'In a header', query: 'In the URL' },
    clientAuthentications: { basic: 'As HTTP basic', form: 'In the body of the request' },
    headers: 'Headers',
    headersHelp:
      'Sent with each request. The value of a secret header is stored encrypted, and never shown again.',
    stored: 'Already stored. Leave it empty to keep it.',
    newSecrets:
      'If you change the allowed addresses, the token server or the authentication, enter all of them again.',
    uses: 'Where this integration is used',
    usedByNone: 'No campaign uses it.',
    archiveText: 'Campaigns can no longer choose it. Those that use it keep it until another is chosen.',
    archiveNote: 'This can be undone.',
    deleteText: 'The integration and its secrets are deleted permanently.',
    cantDelete: 'It is in use and cannot be deleted. You can archive it.',
    fields: integrationFieldLabels.en,
    helps: {
      'config.origins':
        'One per line, such as https://api.example.com, with the port if there is one. The integration is sent only to these.',
      'secrets.secret': 'It is stored encrypted, and never shown again.',
    },
  },
);
