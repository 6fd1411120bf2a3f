import { dictionary } from '../kit/dictionary.ts';

/** Stating whether messages of which nobody knows arrived. */
export const settleWords = dictionary(
  {
    runTitle: (run: string) => `Incertas da execução ${run}`,
    messageTitle: (line: string) => `Resolver a linha ${line}`,
    open: 'Resolver',
    openAll: 'Resolver incertas',
    about:
      'O provedor pode ter aceitado estas mensagens, e ninguém sabe se chegaram. Procure-as no provedor por número e horário, e diga o que viu. O que você disser é definitivo e fica registrado com o seu nome.',
    count: (count: number, words: string) =>
      count === 1 ? `${words} mensagem incerta` : `${words} mensagens incertas`,
    none: 'Não há mensagens incertas.',
    list: 'Ver as mensagens',
    lookUp: 'Consulta no provedor',
    results: {
      waiting: 'Consulta pendente',
      not_found: 'Sem registro lá, o que nada prova',
      ambiguous: 'Confunde-se com outra de mesmo texto',
      unavailable: 'O provedor não respondeu',
      not_offered: 'O provedor não oferece consulta',
    },
    statement: 'O que você viu',
    fields: { arrived: 'Chegaram?', note: 'Como você sabe', messages: 'Mensagens' },
    arrived: { yes: 'Sim: foram entregues', no: 'Não: podem ser reenviadas' },
    settle: (count: number, words: string) =>
      count === 1 ? `Resolver ${words} mensagem` : `Resolver ${words} mensagens`,
  },
  {
    runTitle: (run) => `Unknown messages of run ${run}`,
    messageTitle: (line) => `Settle line ${line}`,
    open: 'Settle',
    openAll: 'Settle unknown ones',
    about:
      'The provider may have taken these messages, and nobody knows whether they arrived. Look for them at the provider by number and time, and say what you have seen. What you say is final, and is kept with your name.',
    count: (count, words) => (count === 1 ? `${words} unknown message` : `${words} unknown messages`),
    none: 'There are no unknown messages.',
    list: 'See the messages',
    lookUp: 'Looked up at the provider',
    results: {
      waiting: 'Not looked up yet',
      not_found: 'No record there, which proves nothing',
      ambiguous: 'Not to be told apart from another with the same text',
      unavailable: 'The provider did not answer',
      not_offered: 'The provider offers no look-up',
    },
    statement: 'What you have seen',
    fields: { arrived: 'Did they arrive?', note: 'How you know', messages: 'Messages' },
    arrived: { yes: 'Yes: they were delivered', no: 'No: they may be sent again' },
    settle: (count, words) => (count === 1 ? `Settle ${words} message` : `Settle ${words} messages`),
  },
);
