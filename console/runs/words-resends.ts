import { dictionary } from '../kit/dictionary.ts';

/** Resending messages of an ended run. */
export const resends = dictionary(
  {
    title: (run: string) => `Reenviar da execução ${run}`,
    about:
      'Uma nova execução envia de novo as mensagens que falharam, com os mesmos textos, horário e provedor. Clientes que se descadastraram ou recusaram o consentimento desde então ficam de fora.',
    unreachable: 'Ficam de fora, porque falhariam de novo:',
    which: 'Quais mensagens',
    reasons: 'Só as que falharam por',
    reasonsHelp: 'Nada marcado: por qualquer motivo.',
    unknown: 'Incertas',
    includeUnknown: (count: string) =>
      count === '1' ? 'Reenviar também a incerta' : `Reenviar também as ${count} incertas`,
    unknownHelp:
      'O provedor pode tê-las aceitado: clientes que já receberam a mensagem a receberiam de novo.',
    unknownWarning:
      'As incertas podem já ter chegado. Alguns clientes podem receber a mesma mensagem duas vezes.',
    count: 'Contar de novo',
    what: 'O que será enviado',
    messages: (count: number, words: string) => (count === 1 ? `${words} mensagem` : `${words} mensagens`),
    segments: (count: string) => `Segmentos: ${count}`,
    nothing: 'Não há nada a reenviar.',
    resend: (count: number, words: string) =>
      count === 1 ? `Reenviar ${words} mensagem` : `Reenviar ${words} mensagens`,
    back: 'Voltar',
    started: 'O reenvio começou.',
  },
  {
    title: (run) => `Resend from run ${run}`,
    about:
      'A new run sends the failed messages again, with the same texts, hours and provider. Customers who have opted out, or have refused consent since, are skipped.',
    unreachable: 'Skipped, because they would fail again:',
    which: 'Which messages',
    reasons: 'Only those that failed for',
    reasonsHelp: 'None selected: any reason.',
    unknown: 'Unknown',
    includeUnknown: (count) =>
      count === '1' ? 'Also send the unknown one again' : `Also send the ${count} unknown ones again`,
    unknownHelp: 'The provider may have accepted them: customers who got the message would get it twice.',
    unknownWarning: 'The unknown ones may have arrived. Some customers may get the same message twice.',
    count: 'Count again',
    what: 'What will be sent',
    messages: (count, words) => (count === 1 ? `${words} message` : `${words} messages`),
    segments: (count) => `Segments: ${count}`,
    nothing: 'There is nothing to send again.',
    resend: (count, words) => (count === 1 ? `Send ${words} message again` : `Send ${words} messages again`),
    back: 'Back',
    started: 'The resend has begun.',
  },
);
