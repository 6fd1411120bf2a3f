import { ticketAutomationFieldLabels } from '../../domain/words/tickets.ts';
import { dictionary } from '../kit/dictionary.ts';

/** The moves of tickets that no user makes. */
export const ticketAutomationWords = dictionary(
  {
    page: {
      title: 'Movimentação automática de atendimentos',
      about: 'Quando um atendimento muda de status automaticamente',
    },
    fields: ticketAutomationFieldLabels['pt-BR'],
    helps: {
      finishAfterDays:
        'Sem nenhuma alteração, mensagem ou nota nesse tempo. Em branco: nunca. Um atendimento cujo cliente espera resposta não é finalizado.',
    },
  },
  {
    page: {
      title: 'Automatic moves of tickets',
      about: 'When a ticket changes its status automatically',
    },
    fields: ticketAutomationFieldLabels.en,
    helps: {
      finishAfterDays:
        'Without any change, message or note in this time. Empty: never. A ticket whose customer waits for an answer is not finished.',
    },
  },
);
