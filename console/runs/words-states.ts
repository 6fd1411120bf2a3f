import { counted, dictionary } from '../kit/dictionary.ts';

/** The state of a run in a few words, and what differs in a dry run. */
export const runStates = dictionary(
  {
    waiting: {
      approval: 'Aguarda aprovação',
      resume: 'Pausada',
      hours: 'Aguarda o horário de execução',
      canary: 'Aguarda o resultado das primeiras',
      provider_pause: 'Aguarda o provedor',
      provider_doubt: 'Aguarda o provedor',
    },
    retrying: 'Repetindo após falha',
    dryRunning: 'Simulando',
    dryRunFinished: 'Simulação concluída',
    handled: (done: string, total: string) =>
      `${done} de ${counted(total, 'mensagem processada', 'mensagens processadas')}`,
    notBegun: 'O mailing ainda não foi lido.',
    noAnswerYet: 'O webservice foi chamado e ainda não respondeu.',
    by: (name: string) => `por ${name}`,
    firstTexts: (count: string) =>
      count === '1' ? 'O texto que será enviado' : `Os primeiros ${count} textos que serão enviados`,
    estimatedAt: (at: string) => `Estimativa de ${at}, quando o mailing foi lido.`,
    sendingTook: 'Duração do envio',
  },
  {
    waiting: {
      approval: 'Waits for approval',
      resume: 'Paused',
      hours: 'Waits for the sending hours',
      canary: 'Waits for the outcome of the first',
      provider_pause: 'Waits for the provider',
      provider_doubt: 'Waits for the provider',
    },
    retrying: 'Retrying after a failure',
    dryRunning: 'Simulating',
    dryRunFinished: 'Dry run finished',
    handled: (done, total) => `${done} of ${counted(total, 'message', 'messages')} handled`,
    notBegun: 'The mailing has not been read yet.',
    noAnswerYet: 'The web service was called and has not answered yet.',
    by: (name) => `by ${name}`,
    firstTexts: (count) =>
      count === '1' ? 'The text that will be sent' : `The first ${count} texts that will be sent`,
    estimatedAt: (at) => `Estimated at ${at}, when the mailing was read.`,
    sendingTook: 'Sending took',
  },
);
