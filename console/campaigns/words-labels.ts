import { campaignFieldLabels } from '../../domain/words/campaigns.ts';
import { dictionary } from '../kit/dictionary.ts';

/** The fields of a campaign, by their paths in its document. The labels are those of SPEC. */
export const campaignLabels = dictionary(
  {
    fields: campaignFieldLabels['pt-BR'],
    helps: {
      ignoreConsent:
        'Envia seja qual for o consentimento no cadastro do cliente. Nunca vale para quem se descadastrou.',
      'schedule.recurrence.rrule': 'Para especialistas, por exemplo FREQ=MONTHLY;BYDAY=1MO.',
      'schedule.recurrence.dayOfMonth':
        'Um mês que não tem este dia é pulado. Para o fim do mês, escolha o último dia.',
      'schedule.timezone': 'As datas e horários do agendamento são deste fuso.',
      'schedule.startsAt': 'Data e hora da primeira ocorrência; a periodicidade conta a partir dela.',
      'schedule.endsAt': 'Nenhuma execução começa depois disto.',
      'schedule.holidayCalendarId': 'Nestas datas a campanha não executa.',
      'message.template': 'Até 160 caracteres, com as tags.',
      'message.removeAccents':
        'Um só ã, ç ou á reduz o segmento de 160 para 70 caracteres, e a mensagem custa mais.',
      'message.maxSegments':
        'Cada segmento é cobrado. Um contato cuja mensagem passar disto é deixado de fora: nada é cortado.',
      'message.answers':
        'Separe com vírgulas, como CONFIRMAR, CANCELAR. Quem responde a este SMS com uma delas continua recebendo mensagens.',
      'mailing.sendingHoursId':
        'O mailing só é buscado e as mensagens só saem dentro deste horário. O seu padrão está em Meu perfil.',
      'mailing.expiresAfterHours':
        'Contadas da hora marcada. O que não saiu até lá é cancelado. Vazio: não expira.',
      'mailing.runDespitePending':
        'Desmarcado, uma nova execução não começa enquanto houver mensagens da anterior por enviar.',
      'mailing.extraFields': 'Colunas a mais do mailing: viram tags da mensagem e vão para o atendimento.',
      'mailing.webservice.recordsPath':
        'Só é preciso quando a resposta tem mais de uma lista, por exemplo resultado.itens. Vazio: a lista é encontrada sozinha.',
      'mailing.webservice.paging.by':
        'O teste da URL reconhece os formatos comuns e sugere um. Uma resposta que mostra mais páginas, sem que se saiba como buscá-las, faz a execução falhar.',
      'mailing.webservice.paging.first':
        'O número da primeira página ou posição, em geral 1 ou 0. De um cursor: vazio, se a primeira página não tem.',
      'mailing.webservice.paging.size.param': 'Opcional: vazio, o serviço usa o tamanho dele.',
      'mailing.webservice.paging.end.path':
        'Fora da lista, com pontos para atributos internos: meta.totalPages. Um cabeçalho: header:x-total-count.',
      'mailing.webservice.registerCustomers':
        'Os contatos viram clientes, ou atualizam o seu cadastro: pelo código, senão pelo telefone.',
      'mailing.webservice.integrationId':
        'Autenticação e cabeçalhos guardados nas configurações. Só vão para os endereços que a integração permite.',
      'safeguards.approval':
        'Depois de ler o mailing, a execução mostra quantas mensagens sairiam e espera alguém aprovar.',
      'safeguards.canarySize':
        'Só estas saem no começo; as demais seguem se o limite abaixo não for passado. Vazio: todas de uma vez.',
      'safeguards.canaryMinutes':
        'Tempo para chegarem confirmações e descadastros das primeiras. O usual são 5 minutos.',
      'safeguards.stopAtPercent':
        'Passado este percentual do que foi enviado, a execução pausa até um usuário decidir. Vazio: não para.',
      'safeguards.monthlyBudget':
        'Por exemplo 1.500,00, pelo preço do provedor. Uma execução que passaria dele espera aprovação; quando acaba durante o envio, a execução pausa. Vazio: sem limite próprio.',
      'ticketPolicy.status': 'Com uma solução o atendimento abre como Finalizado; sem ela, como Aberto.',
      'ticketPolicy.resolutionId': 'Opcional. Acompanha o status Finalizado, e só ele.',
    },
  },
  {
    fields: campaignFieldLabels.en,
    helps: {
      ignoreConsent: "Sends whatever the customer's consent is. Never applies to customers who opted out.",
      'schedule.recurrence.rrule': 'For experts, such as FREQ=MONTHLY;BYDAY=1MO.',
      'schedule.recurrence.dayOfMonth':
        'Months without this day are skipped. For the end of the month, choose the last day.',
      'schedule.timezone': 'Dates and times of the schedule are in this zone.',
      'schedule.startsAt': 'Date and time of the first occurrence; the recurrence counts from it.',
      'schedule.endsAt': 'No run starts after this time.',
      'schedule.holidayCalendarId': 'The campaign does not run on these dates.',
      'message.template': 'Up to 160 characters, placeholders included.',
      'message.removeAccents':
        'A single ã, ç or á reduces a segment from 160 to 70 characters, and the message costs more.',
      'message.maxSegments':
        'Each segment is billed. A contact whose message needs more is skipped: texts are never truncated.',
      'message.answers':
        'Separated by commas, such as CONFIRM, CANCEL. Customers who answer this SMS with one of them still get messages.',
      'mailing.sendingHoursId':
        'The mailing is fetched and messages are sent only within these hours. Your default is in My profile.',
      'mailing.expiresAfterHours':
        'Counted from when the run was due. Unsent messages are then cancelled. Empty: it does not expire.',
      'mailing.runDespitePending':
        'If off, a new run does not start while an earlier one has unsent messages.',
      'mailing.extraFields':
        'Additional columns of the mailing: placeholders of the message, also stored on the ticket.',
      'mailing.webservice.recordsPath':
        'Needed only if the response has more than one list, such as result.items. Empty: the list is found automatically.',
      'mailing.webservice.paging.by':
        'The URL test recognizes the common shapes and proposes one. A response that shows more pages fails the run until you set how to fetch them.',
      'mailing.webservice.paging.first':
        'The number of the first page or position, usually 1 or 0. For a cursor: empty, if the first page has none.',
      'mailing.webservice.paging.size.param': 'Optional. Empty: the size that the service uses.',
      'mailing.webservice.paging.end.path':
        'Outside the list, with dots to inner attributes: meta.totalPages. A header: header:x-total-count.',
      'mailing.webservice.registerCustomers':
        'The contacts become customers, or update their records: by code, otherwise by phone.',
      'mailing.webservice.integrationId':
        'Authentication and headers from the settings. They are sent only to the addresses that the integration lists.',
      'safeguards.approval':
        'After reading the mailing, the run shows how many messages it would send, and waits for approval.',
      'safeguards.canarySize':
        'Only these are sent at first; the others follow unless the threshold below is exceeded. Empty: all at once.',
      'safeguards.canaryMinutes':
        'Time for receipts and opt-outs of the first messages to arrive. The default is 5 minutes.',
      'safeguards.stopAtPercent':
        'Above this share of the sent messages the run pauses until a user decides. Empty: it does not stop.',
      'safeguards.monthlyBudget':
        'For example 1,500.00, at the price of the provider. A run that would exceed it waits for approval; when it is used up while a run sends, the run pauses. Empty: no limit of its own.',
      'ticketPolicy.status': 'With a resolution the ticket opens as Finished; without one, as Open.',
      'ticketPolicy.resolutionId': 'Optional. Only for the status Finished.',
    },
  },
);
