import { counted, dictionary } from '../kit/dictionary.ts';

/** Provider calls that could not be read. */
export const unreadWords = dictionary(
  {
    title: 'Chamadas não lidas',
    waiting: (count: string, provider: string) =>
      `${counted(count, 'chamada não lida', 'chamadas não lidas')} de ${provider}`,
    oldest: 'A mais antiga é de',
    see: 'Ver as chamadas',
    none: 'Todas as chamadas do provedor foram lidas.',
    intro:
      'O provedor fez uma chamada que o Torpedo não conseguiu ler: um recibo ou uma resposta que ainda não tem efeito. Corrija a descrição do gateway e leia de novo; a chamada passa a valer com o horário original.',
    introFixed:
      'O provedor fez uma chamada que o Torpedo não conseguiu ler: um recibo ou uma resposta que ainda não tem efeito. Se ela chegou ao endereço errado, corrija-o no provedor. Depois de uma atualização do Torpedo, leia de novo.',
    received: 'Recebida',
    kind: 'Endereço',
    kinds: { receipt: 'Recibos', message: 'Respostas' },
    problem: 'O que faltou',
    otherVersion: 'Registrada por outra versão do Torpedo.',
    message: (id: string) => `Mensagem ${id}`,
    payload: 'Dados recebidos',
    readAgain: 'Ler de novo',
    readAllAgain: 'Ler todas de novo',
    setAside: 'Descartar',
    setThoseAside: 'Descartar as desta página',
    actions: 'Ações',
    read: (read: string, unread: string) =>
      `${counted(read, 'chamada lida', 'chamadas lidas')}; ${counted(unread, 'continua sem leitura', 'continuam sem leitura')}.`,
    more: 'Não houve tempo para todas: leia de novo.',
    wasSetAside: (count: string) => `${counted(count, 'chamada descartada', 'chamadas descartadas')}.`,
    empty: 'Nada sem leitura',
    emptyText: 'As chamadas do provedor que não podem ser lidas aparecem aqui.',
  },
  {
    title: 'Unread calls',
    waiting: (count, provider) => `${counted(count, 'unread call', 'unread calls')} of ${provider}`,
    oldest: 'The oldest came on',
    see: 'See the calls',
    none: 'All calls of the provider were read.',
    intro:
      'The provider called, but Torpedo could not read the call: a receipt or a reply that has no effect yet. Correct the description of the gateway and read again; the call then takes effect with its original time.',
    introFixed:
      'The provider called, but Torpedo could not read the call: a receipt or a reply that has no effect yet. If it came to the wrong address, correct it at the provider. After an update of Torpedo, read again.',
    received: 'Received',
    kind: 'Address',
    kinds: { receipt: 'Receipts', message: 'Replies' },
    problem: 'What was missing',
    otherVersion: 'Recorded by another version of Torpedo.',
    message: (id) => `Message ${id}`,
    payload: 'Raw call',
    readAgain: 'Read again',
    readAllAgain: 'Read all of them again',
    setAside: 'Dismiss',
    setThoseAside: 'Dismiss all on this page',
    actions: 'Actions',
    read: (read, unread) =>
      `${counted(read, 'call was read', 'calls were read')}; ${counted(unread, 'is still unread', 'are still unread')}.`,
    more: 'Not all could be read in time: read again.',
    wasSetAside: (count) => `${counted(count, 'call was dismissed', 'calls were dismissed')}.`,
    empty: 'Nothing unread',
    emptyText: 'Calls of the provider that cannot be read appear here.',
  },
);
