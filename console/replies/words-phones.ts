import { dictionary } from '../kit/dictionary.ts';

/** The virtual phones of the sandbox. */
export const phoneWords = dictionary(
  {
    title: 'Celulares virtuais',
    intro: 'Os celulares de teste do sandbox: leia o SMS como o cliente o recebe, e responda.',
    phone: 'Celular',
    last: 'Última mensagem',
    at: 'Quando',
    empty: 'Nenhum SMS ainda',
    emptyText: 'Execute uma campanha, ou faça um envio de teste, com um provedor do tipo sandbox.',
    away: 'O sandbox não está disponível',
    awayText: 'Ele inicia com npm start e precisa de um provedor do tipo sandbox.',
    from: (other: string) => `De ${other}`,
    to: (other: string) => `Para ${other}`,
    answered: 'Resposta enviada.',
    send: 'Responder',
    refresh: 'Atualizar',
    fields: { text: 'Resposta' },
    helps: {
      text: 'Uma palavra de descadastro, como SAIR, descadastra o celular; outra resposta pode abrir um atendimento.',
    },
  },
  {
    title: 'Virtual phones',
    intro: "The sandbox's test phones: read the SMS as the customer receives it, and answer.",
    phone: 'Phone',
    last: 'Last message',
    at: 'When',
    empty: 'No SMS yet',
    emptyText: 'Run a campaign, or send a test, with a sandbox provider.',
    away: 'The sandbox is not available',
    awayText: 'It starts with npm start, and needs a sandbox provider.',
    from: (other) => `From ${other}`,
    to: (other) => `To ${other}`,
    answered: 'The answer was sent.',
    send: 'Answer',
    refresh: 'Refresh',
    fields: { text: 'Answer' },
    helps: {
      text: 'An opt-out word, such as SAIR, opts the phone out; any other answer may open a ticket.',
    },
  },
);
