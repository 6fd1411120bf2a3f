import { counted, dictionary } from '../kit/dictionary.ts';

/** After the database was restored from a backup. */
export const restore = dictionary(
  {
    title: 'O banco de dados foi restaurado de um backup',
    about: (backup: string, recognized: string) =>
      `O que aconteceu entre ${backup} (o backup) e ${recognized} não está mais aqui. Para que ninguém receba a mesma mensagem duas vezes:`,
    stopped: (count: string) =>
      `${counted(count, 'execução parada', 'execuções paradas')}: retome ou cancele cada uma em "Precisa de atenção".`,
    noneStopped: 'Nenhuma execução estava em andamento.',
    missed:
      'O que estava marcado para esse período consta como perdido. Se uma campanha não foi executada, use "Executar agora" na página dela.',
    forgotten:
      'Campanhas, configurações e descadastros feitos à mão nesse período precisam ser refeitos. Os provedores são consultados sobre mensagens e respostas:',
    providers: 'Respostas dos provedores',
    provider: 'Provedor',
    state: 'Consulta',
    states: {
      waiting: 'Aguardando',
      done: 'Concluída',
      not_offered: 'Este provedor não oferece a consulta',
    },
    replies: 'Respostas',
    optOuts: 'Descadastros',
    known: 'Reconhecidas',
    others: 'Sem registro aqui',
    noProviders: 'Não há provedores.',
    waits: 'Nenhuma execução começa antes de todos responderem.',
    continue: 'Continuar sem esperar',
    completed: 'As campanhas voltam a executar.',
  },
  {
    title: 'The database was restored from a backup',
    about: (backup, recognized) =>
      `What happened between ${backup} (the backup) and ${recognized} is no longer here. To prevent duplicate messages:`,
    stopped: (count) =>
      `${counted(count, 'run was stopped', 'runs were stopped')}: retry or cancel each under "Needs attention".`,
    noneStopped: 'No run was in progress.',
    missed:
      'Runs that were due in that time are recorded as missed. If a campaign did not run, use "Run now" on its page.',
    forgotten:
      'Enter campaigns, settings and opt-outs from that time again. Torpedo queries the providers for messages and replies:',
    providers: 'Answers of the providers',
    provider: 'Provider',
    state: 'Query',
    states: {
      waiting: 'Waiting',
      done: 'Answered',
      not_offered: 'This provider cannot be queried',
    },
    replies: 'Replies',
    optOuts: 'Opt-outs',
    known: 'Recognized',
    others: 'Unknown here',
    noProviders: 'There are no providers.',
    waits: 'No run starts until all have answered.',
    continue: 'Continue without waiting',
    completed: 'Campaigns start runs again.',
  },
);
