import { replyLabels } from '../../domain/words/replies.ts';
import { dictionary } from '../kit/dictionary.ts';

/** Incoming messages. */
export const inboundWords = dictionary(
  {
    action: 'Ação',
    optOut: 'Descadastrar',
    optOutTitle: 'Descadastrar este telefone?',
    optOutText: 'não recebe mais SMS de nenhuma campanha. As mensagens na fila para ele não são enviadas.',
    optOutNote: 'Só um administrador ou o próprio cliente pode desfazer.',
    optedOut: 'Telefone descadastrado.',
    unknownAnswer: 'Texto automático incerto: resolver',
    ...replyLabels['pt-BR'],
    title: 'Respostas',
    nobody: 'Não é resposta a um SMS enviado por aqui',
    matching: 'Responde a',
    unmatched: 'Nenhum SMS enviado por aqui',
    empty: 'Nenhuma resposta',
    emptyText: 'As respostas dos clientes aparecem aqui.',
  },
  {
    action: 'Action',
    optOut: 'Opt out',
    optOutTitle: 'Opt this phone out?',
    optOutText: 'gets no more SMS from any campaign. Queued messages to it are not sent.',
    optOutNote: 'Only an admin or the customer can undo this.',
    optedOut: 'The phone has opted out.',
    unknownAnswer: 'Unknown automatic text: resolve',
    ...replyLabels.en,
    title: 'Replies',
    nobody: 'Answers none of our SMS',
    matching: 'Answers',
    unmatched: 'None of our SMS',
    empty: 'No replies',
    emptyText: 'Replies of customers appear here.',
  },
);
