import { dictionary } from '../kit/dictionary.ts';

/** Stating whether unknown messages arrived. */
export const resolveWords = dictionary(
  {
    runTitle: (run: string) => `Incertas da execução ${run}`,
    messageTitle: (line: string) => `Resolver a linha ${line}`,
    open: 'Resolver',
    openAll: 'Resolver incertas',
    about:
      'O provedor pode ter aceitado estas mensagens, e não se sabe se chegaram. Procure-as no provedor por número e horário, e informe o que encontrou. A sua resposta é definitiva e fica registrada com o seu nome.',
    count: (count: number, words: string) =>
      count === 1 ? `${words} mensagem incerta` : `${words} mensagens incertas`,
    none: 'Não há mensagens incertas.',
    list: 'Ver as mensagens',
    lookUp: 'Consulta no provedor',
    statement: 'O que você encontrou',
    fields: { arrived: 'Chegaram?', note: 'Como você sabe', messages: 'Mensagens' },
    arrived: { yes: 'Sim: foram entregues', no: 'Não: podem ser reenviadas' },
    resolve: (count: number, words: string) =>
      count === 1 ? `Resolver ${words} mensagem` : `Resolver ${words} mensagens`,
  },
  {
    runTitle: (run) => `Unknown messages of run ${run}`,
    messageTitle: (line) => `Resolve line ${line}`,
    open: 'Resolve',
    openAll: 'Resolve unknown messages',
    about:
      'The provider may have accepted these messages, and it is unknown whether they arrived. Look for them at the provider by number and time, and enter what you found. Your answer is final, and is stored with your name.',
    count: (count, words) => (count === 1 ? `${words} unknown message` : `${words} unknown messages`),
    none: 'There are no unknown messages.',
    list: 'See the messages',
    lookUp: 'Looked up at the provider',
    statement: 'What you found',
    fields: { arrived: 'Did they arrive?', note: 'How you know', messages: 'Messages' },
    arrived: { yes: 'Yes: they were delivered', no: 'No: they may be sent again' },
    resolve: (count, words) => (count === 1 ? `Resolve ${words} message` : `Resolve ${words} messages`),
  },
);
